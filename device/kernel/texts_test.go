//go:build !nogpu

package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// textSchema has two columns of text and a number.
func textSchema() *stream.Schema {
	return stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar}, stream.Field{Name: "b", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Integer})
}

// texts are rows of textSchema; "-" is NULL.
func texts(rows ...[2]string) *stream.Batch {
	b := stream.NewBatch(textSchema(), nil)
	value := func(s string) stream.Value {
		if s == "-" {
			return stream.NullOf(stream.Varchar)
		}
		return stream.Text(s)
	}
	for i, r := range rows {
		b.AppendRow([]stream.Value{value(r[0]), value(r[1]), stream.Int(int32(i))})
	}
	return b
}

// Text is compared with other columns and with literals, chosen and put out.
func TestTextSelection(t *testing.T) {
	d := open(t)
	a, b := model.Col(0, stream.Varchar), model.Col(1, stream.Varchar)
	side := operator.Side{Relation: relation(textSchema())}
	out := relation(stream.NewSchema(stream.Field{Name: "c", Type: stream.Varchar}, stream.Field{Name: "same", Type: stream.Boolean}))
	lit := func(s string) *model.Expr { return model.Lit(stream.Text(s)) }
	side.Steps = []*model.Operator{
		{ID: 1, Kind: model.FilterOp, Relation: side.Relation, Filter: []*model.Expr{model.Call("ne", stream.Boolean, b, lit("no"))}},
		{ID: 2, Kind: model.ProjectOp, Relation: out, Project: []*model.Expr{
			model.Call("case", stream.Varchar, model.Call("in", stream.Boolean, a, lit("x"), lit("")), lit("found"), model.Call("coalesce", stream.Varchar, a, b)),
			model.Call("eq", stream.Boolean, a, b),
		}},
	}
	p, err := kernel.New(operator.Offload{Side: side})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, p, p.Program(), 100)
	rows := texts([2]string{"x", "x"}, [2]string{"y", "no"}, [2]string{"", "x"}, [2]string{"-", "found"}, [2]string{"zebra", "zebr"}, [2]string{"y", "-"}, [2]string{"éa", "éa"})
	m.run(rows, stream.Span{Batch: rows, From: 1, To: 5}, stream.Span{Batch: rows, From: 5, To: 7}, stream.Span{Batch: rows, To: 1})
	task := &operator.Task{Spans: []stream.Span{{Batch: rows, From: 1, To: 5}, {Batch: rows, From: 5, To: 7}, {Batch: rows, To: 1}}, Rows: 7}
	var memory kernel.Result
	if redo := p.Result(m.slot, task, &memory); redo != "" {
		t.Fatal(redo)
	}
	var got []string
	for i := range task.Selected.Len {
		got = append(got, fmt.Sprint(task.Selected.Origin[i], rowOf(task.Selected.Cols, i)))
	}
	want := []string{"1 [found false]", "2 [found NULL]", "3 [zebra false]", "5 [éa true]", "6 [found true]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Groups by text, from many tasks of one slot; more different texts than there are codes for
// send the task back.
func TestTextGroups(t *testing.T) {
	d := open(t)
	keys := []*model.Expr{model.Col(0, stream.Varchar), model.Col(1, stream.Varchar)}
	count := []model.Agg{{Func: model.Count, Arg: keys[1], Type: stream.BigInt}}
	p, err := kernel.New(operator.Offload{Side: operator.Side{Relation: relation(textSchema())}, Aggregate: &model.Operator{Aggregate: &model.Aggregate{Keys: keys, Aggs: count}}})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, p, p.Program(), kernel.TextsMax+1)
	var memory kernel.Result
	for _, different := range []int{1, 700, 20_000, 3} {
		b := stream.NewBatch(textSchema(), nil)
		for i := range kernel.TextsMax + 1 {
			second := []stream.Value{stream.Text("even"), stream.Text(""), stream.NullOf(stream.Varchar)}[i%3]
			b.AppendRow([]stream.Value{stream.Text(fmt.Sprint("text", i%different)), second, stream.Int(0)})
		}
		m.run(b)
		task := &operator.Task{Spans: []stream.Span{{Batch: b, To: b.Len}}, Rows: b.Len}
		if redo := p.Result(m.slot, task, &memory); redo != "" {
			t.Fatalf("%d texts: %s", different, redo)
		}
		g := task.Grouped
		if g.Len < 3 || different > 3 && g.Len != 3*different {
			t.Fatalf("%d texts: %d groups", different, g.Len)
		}
		for i := range g.Len {
			if got, want := rowOf(g.Keys, i), b.Row(i)[:2]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%d texts: entry %d is %v, want %v", different, i, got, want)
			}
		}
	}
	b := stream.NewBatch(textSchema(), nil)
	for i := range kernel.TextsMax + 1 {
		b.AppendRow([]stream.Value{stream.Text(fmt.Sprint(i)), stream.Text(""), stream.Int(0)})
	}
	if err := p.Load(wholeOf(b), m.slot, m.call); err == nil {
		t.Errorf("%d different texts are loaded", b.Len)
	}
}
