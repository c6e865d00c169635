package reference_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// The tests build models by hand. A stream's rows are written as text, a row a line,
// values by blanks; "p1:" in front of a row puts it into partition 1, "!reason" stands
// for a record that could not be decoded. TIMESTAMP values are whole seconds.

const second = 1_000_000

type script struct {
	m     *model.Model
	data  map[string]string
	types map[string][]stream.Type
}

func newScript() *script {
	return &script{m: &model.Model{}, data: map[string]string{}, types: map[string][]stream.Type{}}
}

func field(name string, t stream.Type) stream.Field { return stream.Field{Name: name, Type: t} }

// source adds a stream; its event time is column time (-1: none).
func (s *script) source(name string, time int, data string, fields ...stream.Field) *model.Operator {
	s.data[name] = data
	return s.m.Add(&model.Operator{
		Name: name, Kind: model.SourceOp,
		Relation: model.Relation{Schema: stream.NewSchema(fields...), Time: time, Bounded: true},
		Source:   &model.Source{Computed: make([]*model.Expr, len(fields))},
	})
}

func out(op *model.Operator) model.Edge { return model.Edge{Op: op.ID, Port: model.Out} }

func (s *script) filter(in *model.Operator, conjuncts ...*model.Expr) *model.Operator {
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("filter%d", len(s.m.Ops)), Kind: model.FilterOp, Inputs: []model.Edge{out(in)},
		Relation: in.Relation, Filter: conjuncts,
	})
}

// project names its columns c0, c1, ..; roles of bare columns stay.
func (s *script) project(in *model.Operator, exprs ...*model.Expr) *model.Operator {
	rel := in.Relation
	rel.Time = -1
	var fields []stream.Field
	for i, e := range exprs {
		f := field(fmt.Sprintf("c%d", i), e.Type)
		if e.Kind == model.ColumnExpr {
			f = in.Relation.Schema.Fields[e.Column]
			if e.Column == in.Relation.Time {
				rel.Time = i
			}
		}
		fields = append(fields, f)
	}
	rel.Schema = stream.NewSchema(fields...)
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("project%d", len(s.m.Ops)), Kind: model.ProjectOp, Inputs: []model.Edge{out(in)},
		Relation: rel, Project: exprs,
	})
}

var windowFields = map[model.WindowKind][]stream.Field{
	model.Range: {
		{Name: "window_start", Type: stream.Timestamp, Role: stream.WindowStart, Hidden: true},
		{Name: "window_end", Type: stream.Timestamp, Role: stream.WindowEnd, Hidden: true},
		{Name: "window_time", Type: stream.Timestamp, Role: stream.WindowTime, Hidden: true},
	},
	model.Rows: {{Name: "window_index", Type: stream.BigInt, Role: stream.WindowIndex, Hidden: true}},
}

func appendWindow(rel model.Relation, w *model.Window) model.Relation {
	fields := append([]stream.Field(nil), rel.Schema.Fields...)
	fields = append(fields, windowFields[w.Kind]...)
	rel.Schema, rel.Window = stream.NewSchema(fields...), w
	switch w.Kind {
	case model.Range:
		rel.Time = len(fields) - 1
	case model.Rows:
		rel.Time = -1
	}
	return rel
}

func (s *script) window(in *model.Operator, w model.Window) *model.Operator {
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("window%d", len(s.m.Ops)), Kind: model.WindowOp, Inputs: []model.Edge{out(in)},
		Relation: appendWindow(in.Relation, &w), Window: &w,
	})
}

func rowsWindow(size, slide int64) model.Window {
	return model.Window{Kind: model.Rows, Size: size, Slide: slide}
}

// rangeWindow takes seconds.
func rangeWindow(size, slide int64) model.Window {
	return model.Window{Kind: model.Range, Size: size * second, Slide: slide * second}
}

func (s *script) aggregate(in *model.Operator, keys []*model.Expr, aggs ...model.Agg) *model.Operator {
	rel := model.Relation{Time: -1, Bounded: true, Window: in.Relation.Window}
	var fields []stream.Field
	for i, k := range keys {
		name := fmt.Sprintf("k%d", i)
		if k.Kind == model.ColumnExpr {
			name = in.Relation.Schema.Fields[k.Column].Name
		}
		fields = append(fields, field(name, k.Type))
	}
	for _, a := range aggs {
		fields = append(fields, field(string(a.Func), a.Type))
	}
	rel.Schema = stream.NewSchema(fields...)
	if w := in.Relation.Window; w != nil {
		rel = appendWindow(rel, w)
	}
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("aggregate%d", len(s.m.Ops)), Kind: model.AggregateOp, Inputs: []model.Edge{out(in)},
		Relation: rel, Aggregate: &model.Aggregate{Keys: keys, Aggs: aggs},
	})
}

func countStar() model.Agg { return model.Agg{Func: model.Count, Type: stream.BigInt} }

func aggOf(f model.AggFunc, arg *model.Expr, t stream.Type) model.Agg {
	return model.Agg{Func: f, Arg: arg, Type: t}
}

func (s *script) join(kind model.Kind, left, right *model.Operator, j model.Join) *model.Operator {
	rel := left.Relation
	fields := append([]stream.Field(nil), left.Relation.Schema.Fields...)
	rel.Schema = stream.NewSchema(append(fields, right.Relation.Schema.Fields...)...)
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("join%d", len(s.m.Ops)), Kind: kind, Inputs: []model.Edge{out(left), out(right)},
		Relation: rel, Join: &j,
	})
}

func (s *script) union(inputs ...*model.Operator) *model.Operator {
	op := &model.Operator{Name: fmt.Sprintf("union%d", len(s.m.Ops)), Kind: model.UnionOp, Relation: inputs[0].Relation}
	for _, in := range inputs {
		op.Inputs = append(op.Inputs, out(in))
	}
	return s.m.Add(op)
}

func (s *script) emit(in *model.Operator, mode model.EmitMode, timed bool) *model.Operator {
	rel := model.Relation{Schema: in.Relation.Schema, Time: -1, Bounded: true}
	if timed {
		rel.Time = in.Relation.Schema.Len()
		fields := append([]stream.Field(nil), in.Relation.Schema.Fields...)
		rel.Schema = stream.NewSchema(append(fields, stream.Field{Name: "$time", Type: stream.Timestamp, Hidden: true})...)
	}
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("emit%d", len(s.m.Ops)), Kind: model.EmitOp, Inputs: []model.Edge{out(in)}, Relation: rel, Emit: mode,
	})
}

// sink writes the visible columns; showAll makes the hidden ones visible first.
func (s *script) sink(in *model.Operator) *model.Operator { return s.sinkOf(out(in)) }

func (s *script) sinkOf(e model.Edge) *model.Operator {
	return s.m.Add(&model.Operator{
		Name: fmt.Sprintf("sink%d", len(s.m.Ops)), Kind: model.SinkOp, Inputs: []model.Edge{e},
		Relation: s.m.EdgeRelation(e), Sink: &model.Sink{},
	})
}

// showAll is sink with the hidden columns made visible.
func (s *script) showAll(in *model.Operator) *model.Operator {
	var fields []stream.Field
	for _, f := range in.Relation.Schema.Fields {
		f.Hidden = false
		fields = append(fields, f)
	}
	var exprs []*model.Expr
	for i, f := range fields {
		exprs = append(exprs, model.Col(i, f.Type))
	}
	op := s.project(in, exprs...)
	op.Relation.Schema = stream.NewSchema(fields...)
	return s.sink(op)
}

func (s *script) input(_ context.Context, op *model.Operator) iter.Seq2[reference.Record, error] {
	return func(yield func(reference.Record, error) bool) {
		for i, line := range strings.Split(strings.TrimSpace(s.data[op.Name]), "\n") {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			rec := reference.Record{Raw: line, File: "data.csv", Line: int64(i + 1)}
			if rest, ok := strings.CutPrefix(line, "p1:"); ok {
				line, rec.Partition = strings.TrimSpace(rest), 1
			}
			if reason, ok := strings.CutPrefix(line, "!"); ok {
				rec.Err = reason
			} else {
				rec.Row = parseRow(op.Relation.Schema, line)
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func parseRow(schema *stream.Schema, line string) reference.Row {
	row := make(reference.Row, schema.Len())
	for i, f := range schema.Fields {
		row[i] = stream.NullOf(f.Type)
	}
	for i, w := range strings.Fields(line) {
		if w == "NULL" {
			continue
		}
		t := schema.Fields[i].Type
		if t == stream.Timestamp {
			row[i] = stream.Time(second * evaluate(cast(stream.BigInt, model.Lit(stream.Text(w)))).I)
			continue
		}
		row[i] = evaluate(cast(t, model.Lit(stream.Text(w))))
	}
	return row
}

func evaluate(e *model.Expr) stream.Value {
	v, reason := reference.Eval(e, nil)
	if reason != "" {
		panic(reason)
	}
	return v
}

func cast(t stream.Type, e *model.Expr) *model.Expr { return model.Call("cast", t, e) }

// output keeps rows as text by operator name and port.
type output map[string][]string

func (o output) Row(op *model.Operator, port model.Port, row reference.Row) error {
	var words []string
	for _, v := range row {
		if v.Type == stream.Timestamp && !v.Null {
			words = append(words, strings.TrimSuffix(string(stream.AppendDouble(nil, float64(v.I)/second, 64)), ".0"))
			continue
		}
		words = append(words, v.String())
	}
	key := op.Name
	if port != model.Out {
		key += "$" + string(port)
	}
	o[key] = append(o[key], strings.Join(words, " "))
	return nil
}

func (s *script) run(t *testing.T) output {
	t.Helper()
	o := output{}
	if _, err := reference.Run(t.Context(), s.m, s.input, o); err != nil {
		t.Fatal(err)
	}
	return o
}

// expect compares rows with lines of text.
func expect(t *testing.T, got []string, want string) {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(lines, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}
