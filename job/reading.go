package job

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/model"
)

// reading says which columns of a source are read, and which conditions all of its rows
// must meet to be of any use. The filters stay where they are: a source that knows
// something of its rows before it reads them may leave out those that they would drop.
func (p *Plan) reading(op *model.Operator) connector.Reading {
	return connector.Reading{Need: engine.SourceNeed(p.bound, op), Where: demanded(p.bound.Model, op), Time: op.Relation.Time}
}

// demanded are the conjuncts of the filters that every row of a source goes through
// before anything else looks at it. Whoever reads late, failing or all arriving rows
// wants them all.
func demanded(m *model.Model, source *model.Operator) []*model.Expr {
	var out []*model.Expr
	consumers := m.Consumers()
	for _, port := range []model.Port{model.Late, model.Arrival, model.Errors} {
		if len(consumers[model.Edge{Op: source.ID, Port: port}]) > 0 {
			return nil
		}
	}
	for at := source; ; {
		readers := consumers[model.Edge{Op: at.ID, Port: model.Out}]
		if len(readers) != 1 || readers[0].Op.Kind != model.FilterOp {
			return out
		}
		at = readers[0].Op
		out = append(out, at.Filter...)
	}
}

// explainPassed shows which rows sources may leave out without reading them.
func (p *Plan) explainPassed(sb *strings.Builder) {
	title := "\npassed over unread: row groups, pages and partitions in which no row can meet\n"
	for _, op := range p.bound.Model.Ops {
		if op.Kind != model.SourceOp {
			continue
		}
		var all []string
		for _, e := range connector.PassedOver(op.Source, op.Relation.Schema, op.Relation.Time, demanded(p.bound.Model, op)) {
			all = append(all, e.SQL(op.Relation.Schema.Fields))
		}
		if len(all) > 0 {
			fmt.Fprintf(sb, "%s  %s: %s\n", title, op.Name, strings.Join(all, " AND "))
			title = ""
		}
	}
}
