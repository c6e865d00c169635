// Package reference is the oracle: a sequential, row-at-a-time interpreter of a model.
// It says what a model means, and the engine is right when it says the same. It is
// also part of the product (run --engine=reference).
//
// It shares no window arithmetic, kernel or evaluator with the engine, and is written
// to be obviously right rather than fast: a source is read whole, windows are found
// from the rows, every window is computed from its rows afresh, sums are exact and
// rounded once, and a per-instant query is evaluated anew at every instant.
//
// Entry points: Run interprets a model, Eval one expression. On the path of a row:
// source.go (lateness, order), relation.go (what an edge carries), rowwise.go (filter,
// project, lookup), window.go, aggregate.go and accumulate.go, join.go, union.go,
// instant.go and emit.go, then back in this file the sinks. Expressions: eval.go,
// arithmetic.go, text.go, calendar.go, cast.go, compare.go.
package reference

import (
	"context"
	"fmt"
	"iter"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Row is one row: a value per column of its schema. Rows are never changed once they
// have been handed on.
type Row []stream.Value

// Record is one record of a source, as its connector found it. Row has the width of
// the source's schema; the values of computed columns in it are ignored. A record that
// could not be decoded has its reason in Err and no Row. Raw, File and Line (1-based)
// say what an error row shows of the record.
type Record struct {
	Partition int
	Row       Row
	Err       string
	Raw       string
	File      string
	Line      int64
}

// Input gives the records of a source. Within a partition they come in order;
// partitions may interleave in any way. A pair with an error ends the sequence and
// the run.
type Input func(ctx context.Context, source *model.Operator) iter.Seq2[Record, error]

// Output receives what a run produces: the rows of every sink (port Out; visible
// columns only) in order, operators in model order; after them the rows of every Late
// and Errors port, in order. An error ends the run. Calls come from one goroutine; the
// row may be kept and must not be changed.
type Output interface {
	Row(op *model.Operator, port model.Port, row Row) error
}

// Counts says what went through one operator. In and Out are counted for sources
// (records read, rows released) and sinks (rows written) only.
type Counts struct {
	In, Out, Late, Errors int64
}

// Stats are the counts of a run by operator name.
type Stats struct {
	Operators map[string]*Counts
}

// run is one interpretation of a model. Every port's relation is found once, when
// somebody asks for it.
type run struct {
	ctx       context.Context
	model     *model.Model
	in        Input
	stats     *Stats
	relations map[model.Edge]*relation
	logs      map[logKey]*log
}

// Run interprets m over bounded inputs until they end. The error is the context's, the
// input's, the output's, or says which record of a source with on_error = 'fail' failed.
// Stats are valid (up to the failure) in every case. Run does not change m.
func Run(ctx context.Context, m *model.Model, in Input, out Output) (*Stats, error) {
	r := &run{
		ctx: ctx, model: m, in: in,
		stats:     &Stats{Operators: map[string]*Counts{}},
		relations: map[model.Edge]*relation{},
		logs:      map[logKey]*log{},
	}
	for _, op := range m.Ops {
		r.stats.Operators[op.Name] = &Counts{}
	}
	for _, op := range m.Ops {
		if op.Kind == model.SinkOp {
			if err := r.sink(op, out); err != nil {
				return r.stats, err
			}
		}
	}
	for _, op := range m.Ops {
		if err := r.sidePorts(op, out); err != nil {
			return r.stats, err
		}
	}
	return r.stats, ctx.Err()
}

func (r *run) sink(op *model.Operator, out Output) error {
	rel, err := r.relation(op.Inputs[0])
	if err != nil {
		return err
	}
	counts := r.stats.Operators[op.Name]
	visible := r.model.Schema(op.Inputs[0]).Visible()
	for w := range rel.windows() {
		for _, e := range w.rows {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			row := make(Row, len(visible))
			for i, c := range visible {
				row[i] = e.row[c]
			}
			counts.In++
			if err := out.Row(op, model.Out, row); err != nil {
				return err
			}
			counts.Out++
		}
	}
	return r.ctx.Err()
}

// sidePorts hands over an operator's late and error rows.
func (r *run) sidePorts(op *model.Operator, out Output) error {
	ports := []model.Port{model.Errors}
	switch op.Kind {
	case model.SinkOp:
		return nil
	case model.SourceOp:
		ports = []model.Port{model.Late, model.Errors}
	}
	for _, port := range ports {
		rel, err := r.relation(model.Edge{Op: op.ID, Port: port})
		if err != nil {
			return err
		}
		if port == model.Errors {
			r.stats.Operators[op.Name].Errors = int64(len(rel.rows))
			if len(rel.rows) > 0 && op.Kind != model.SourceOp && r.mustNotFail(op) {
				e := rel.rows[0].row
				return fmt.Errorf("%s: %s (on_error = 'fail')", op.Name, errorText(e))
			}
		}
		for _, e := range rel.rows {
			if err := out.Row(op, port, e.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// relation returns what an edge carries.
func (r *run) relation(e model.Edge) (*relation, error) {
	if rel := r.relations[e]; rel != nil {
		return rel, nil
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	op := r.model.Ops[e.Op]
	var rel *relation
	var err error
	switch {
	case op.Kind == model.SourceOp:
		err = r.source(op)
		rel = r.relations[e]
	case e.Port == model.Errors:
		rel, err = r.errorRows(op)
	case e.Port == model.Out:
		rel, err = r.interpret(op)
	}
	if err != nil {
		return nil, err
	}
	if rel == nil {
		return nil, fmt.Errorf("operator %s (%v) has no port %q", op.Name, op.Kind, e.Port)
	}
	r.relations[e] = rel
	return rel, r.ctx.Err()
}

// interpret computes the main output of an operator that is not a source.
func (r *run) interpret(op *model.Operator) (*relation, error) {
	if op.Kind == model.EmitOp {
		return r.emit(op)
	}
	inputs := make([]*relation, len(op.Inputs))
	for i, e := range op.Inputs {
		rel, err := r.relation(e)
		if err != nil {
			return nil, err
		}
		inputs[i] = rel
	}
	switch op.Kind {
	case model.FilterOp:
		return r.filter(op, inputs[0]), nil
	case model.ProjectOp:
		return r.project(op, inputs[0]), nil
	case model.WindowOp:
		return r.window(op, inputs[0])
	case model.AggregateOp:
		return r.aggregate(op, inputs[0]), nil
	case model.JoinOp:
		return r.join(op, inputs[0], inputs[1]), nil
	case model.LookupOp:
		return r.lookup(op, inputs[0], inputs[1]), nil
	case model.UnnestOp:
		return r.unnest(op, inputs[0]), nil
	case model.SortOp:
		return r.sort(op, inputs[0]), nil
	case model.UnionOp:
		return r.union(op, inputs), nil
	}
	return nil, fmt.Errorf("operator %s: a %v has no output", op.Name, op.Kind)
}
