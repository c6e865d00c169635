package optest

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// Kinds are all forms of random cases, each of one function.
var Kinds = []string{"pass", "rows", "aggregate", "after", "union", "join", "lookup", "instant", "sort", "probing"}

// Random is a random case of a kind: small steps over columns of every type, text now and
// then, and an operator behind them. accept says which expressions are wanted; a few others
// are among them all the same. nil wants all.
//
// What a seed draws does not depend on how many kinds there are.
func Random(kind string, seed uint64, accept func(e *model.Expr, in *stream.Schema) bool) *Case {
	b := &caseBuilder{Gen: NewGen(seed*8+uint64(slices.Index(Kinds, kind)), randomSchema), accept: accept, c: &Case{Model: &model.Model{}, Rows: map[model.OpID][]reference.Row{}}}
	switch kind {
	case "pass":
		b.pass()
	case "rows":
		b.windowRows()
	case "aggregate":
		b.aggregated(false)
	case "after":
		b.aggregated(true)
	case "union":
		b.union()
	case "join":
		b.join()
	case "lookup":
		b.lookup()
	case "sort":
		b.sorted()
	case "probing":
		b.probing()
	default:
		b.instant()
	}
	return b.c
}

// randomSchema has a key of few values, and numbers whose sums are exact.
var randomSchema = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true},
	stream.Field{Name: "k", Type: stream.Integer},
	stream.Field{Name: "i", Type: stream.Integer},
	stream.Field{Name: "b", Type: stream.BigInt},
	stream.Field{Name: "r", Type: stream.Real},
	stream.Field{Name: "d", Type: stream.Double},
	stream.Field{Name: "f", Type: stream.Boolean},
	stream.Field{Name: "t", Type: stream.Timestamp},
	stream.Field{Name: "v", Type: stream.Interval},
	stream.Field{Name: "s", Type: stream.Varchar},
	stream.Field{Name: "p", Type: stream.Decimal(12, 3)},
	stream.Field{Name: "q", Type: stream.Decimal(30, 8)},
	stream.Field{Name: "day", Type: stream.Date},
	stream.Field{Name: "small", Type: stream.SmallInt},
)

// caseBuilder puts a case together.
type caseBuilder struct {
	*Gen
	accept func(e *model.Expr, in *stream.Schema) bool
	c      *Case
}

// rows are in event-time order.
func (b *caseBuilder) rows(n int) []reference.Row {
	out := make([]reference.Row, n)
	at := b.Int64N(100) - 80
	for i := range out {
		if at += b.Int64N(3) * b.Int64N(3); b.IntN(100) == 0 {
			at += 500
		}
		row := reference.Row{stream.Time(at)}
		for c, f := range randomSchema.Fields[1:] {
			v := b.Value(f.Type, 8)
			switch {
			case v.Null:
			case c == 0:
				v = stream.Int(int32(b.IntN(6)))
			case f.Type.IsFloat() && (math.Abs(v.F) > 5 || math.Abs(v.F) < 0.25) && v.F != 0 && !math.IsInf(v.F, 0):
				v.F = 1.25 // others do not have exact sums
			}
			row = append(row, v)
		}
		out[i] = row
	}
	return out
}

// add appends an operator behind others.
func (b *caseBuilder) add(op *model.Operator, inputs ...*model.Operator) *model.Operator {
	for _, in := range inputs {
		op.Inputs = append(op.Inputs, model.Edge{Op: in.ID, Port: model.Out})
	}
	op.Name = fmt.Sprintf("%s_%d", op.Kind, len(b.c.Model.Ops))
	return b.c.Model.Add(op)
}

// source adds an input of the function.
func (b *caseBuilder) source(timed bool) *model.Operator {
	rel := model.Relation{Schema: randomSchema, Time: -1, Bounded: true}
	if timed {
		rel.Time = 0
	}
	src := b.add(&model.Operator{Kind: model.SourceOp, Relation: rel,
		Source: &model.Source{Connector: "filesystem", Computed: make([]*model.Expr, randomSchema.Len())}})
	rows := b.IntN(300)
	if b.IntN(6) == 0 {
		rows = 2000 + b.IntN(3000)
	}
	b.c.Rows[src.ID], b.c.Inputs = b.rows(rows), append(b.c.Inputs, src.ID)
	return src
}

// sink shows the columns of the last operator that are needed; nil: all.
func (b *caseBuilder) sink(in *model.Operator, need []bool) {
	schema := &stream.Schema{Fields: slices.Clone(in.Relation.Schema.Fields)}
	for i := range schema.Fields {
		schema.Fields[i].Hidden = need != nil && !need[i]
	}
	in.Relation.Schema = schema
	b.add(&model.Operator{Kind: model.SinkOp, Relation: in.Relation, Sink: &model.Sink{Connector: model.ResultConnector}}, in)
}

// needed is most columns; text is rare.
func (b *caseBuilder) needed(in *stream.Schema) []bool {
	need, text := make([]bool, in.Len()), b.IntN(6) == 0
	for i, f := range in.Fields {
		need[i] = b.IntN(6) > 0 && (f.Type != stream.Varchar || text)
	}
	return need
}

// expr is one that is wanted, over the schema's columns.
func (b *caseBuilder) expr(in *stream.Schema, t stream.Type, depth int) *model.Expr {
	at := *b.Gen
	at.Schema = in
	for range 40 {
		e := at.Expr(t, depth)
		if b.accept == nil || b.accept(e, in) || b.IntN(100) == 0 {
			return e
		}
	}
	return model.Lit(stream.NullOf(t))
}

// column is a bare column; text is rare.
func (b *caseBuilder) column(in *stream.Schema) *model.Expr {
	for {
		c := b.IntN(in.Len())
		f := in.Fields[c]
		if f.Role == stream.NoRole && (f.Type != stream.Varchar || b.IntN(12) == 0) {
			return model.Col(c, f.Type)
		}
	}
}

// visible is the schema without the columns of its window, which no step reads.
func visible(in *stream.Schema) *stream.Schema {
	return &stream.Schema{Fields: slices.DeleteFunc(slices.Clone(in.Fields), func(f stream.Field) bool { return f.Role != stream.NoRole })}
}

func (b *caseBuilder) filter(in *model.Operator) *model.Operator {
	op := &model.Operator{Kind: model.FilterOp, Relation: in.Relation}
	schema := visible(in.Relation.Schema)
	for range 1 + b.IntN(2) {
		e := b.expr(schema, stream.Boolean, 2)
		if b.IntN(3) > 0 { // few rows pass several
			e = model.Call("or", stream.Boolean, e, b.expr(schema, stream.Boolean, 1))
		}
		op.Filter = append(op.Filter, e)
	}
	return b.add(op, in)
}

// project keeps event time in front, and the columns of a window at the end.
func (b *caseBuilder) project(in *model.Operator, types ...stream.Type) *model.Operator {
	op := &model.Operator{Kind: model.ProjectOp, Relation: in.Relation}
	schema, before := &stream.Schema{}, in.Relation.Schema
	put := func(f stream.Field, e *model.Expr) {
		schema.Fields, op.Project = append(schema.Fields, f), append(op.Project, e)
	}
	put(before.Fields[0], model.Col(0, before.Fields[0].Type))
	for i, t := range types {
		e := b.column(before)
		if b.NoErr = b.IntN(4) > 0; e.Type != t {
			e = b.expr(visible(before), t, 1+b.IntN(2))
		}
		b.NoErr = false
		put(stream.Field{Name: fmt.Sprint("c", i), Type: t}, e)
	}
	for i, f := range before.Fields {
		if f.Role != stream.NoRole {
			if i == in.Relation.Time {
				op.Relation.Time = len(schema.Fields)
			}
			put(f, model.Col(i, f.Type))
		}
	}
	op.Relation.Schema = schema
	return b.add(op, in)
}

func (b *caseBuilder) types() []stream.Type {
	out := make([]stream.Type, 1+b.IntN(5))
	for i := range out {
		for out[i] = b.Type(); out[i] == stream.Varchar && b.IntN(8) > 0; {
			out[i] = b.Type()
		}
	}
	return out
}

// steps are up to n filters and projections behind in.
func (b *caseBuilder) steps(in *model.Operator, n int) (steps []*model.Operator, last *model.Operator) {
	for range b.IntN(n + 1) {
		if b.IntN(3) > 0 {
			in = b.filter(in)
		} else {
			in = b.project(in, b.types()...)
		}
		steps = append(steps, in)
	}
	return steps, in
}

// window is one that closes; its columns stand behind the others.
func (b *caseBuilder) window(in *model.Operator, w model.Window) *model.Operator {
	rel := in.Relation
	fields := slices.Clone(rel.Schema.Fields)
	role := func(r stream.Role, t stream.Type) {
		fields = append(fields, stream.Field{Name: r.String(), Type: t, NotNull: true, Role: r, Hidden: true})
	}
	if w.Kind == model.Rows {
		rel.Time = -1
		role(stream.WindowIndex, stream.BigInt)
	} else {
		rel.Time = len(fields) + 2
		role(stream.WindowStart, stream.Timestamp)
		role(stream.WindowEnd, stream.Timestamp)
		role(stream.WindowTime, stream.Timestamp)
	}
	rel.Schema, rel.Window = stream.NewSchema(fields...), &w
	return b.add(&model.Operator{Kind: model.WindowOp, Relation: rel, Window: &w}, in)
}

func (b *caseBuilder) randomWindow() model.Window {
	size := 1 + b.Int64N(60)
	return model.Window{Kind: []model.WindowKind{model.Range, model.Rows}[b.IntN(2)], Size: size, Slide: max(1, size/4) + b.Int64N(size+3)}
}

// anyWindow is a window of any form that closes.
func (b *caseBuilder) anyWindow() model.Window {
	w := b.randomWindow()
	if w.Kind == model.Range && b.IntN(4) == 0 {
		w.Kind = model.Cumulate
		w.Size = w.Slide * (1 + b.Int64N(6))
	}
	return w
}

// sessionOr is steps and a session window behind them, or now and then one of another form.
func (b *caseBuilder) sessionOr(other func(model.Window) (operator.Side, *model.Operator)) (side operator.Side, last *model.Operator) {
	if b.IntN(3) > 0 {
		return other(b.anyWindow())
	}
	src := b.source(true)
	side.Relation = src.Relation
	side.Steps, last = b.steps(src, 2)
	w := model.Window{Kind: model.Session, Size: 1 + b.Int64N(12)}
	for c := range last.Relation.Schema.Fields {
		if b.IntN(5) == 0 {
			w.PartitionBy = append(w.PartitionBy, c)
		}
	}
	last = b.window(last, w)
	side.Steps = append(side.Steps, last)
	return side, last
}
