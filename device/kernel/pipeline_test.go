//go:build !nogpu

package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// markedSide is a filter, a window of the kind and a filter over two columns.
func markedSide(kind model.WindowKind) operator.Side {
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true}, stream.Field{Name: "x", Type: stream.Integer})
	rel := model.Relation{Schema: schema}
	above := func(limit int32) []*model.Expr {
		return []*model.Expr{model.Call("gt", stream.Boolean, model.Col(1, stream.Integer), model.Lit(stream.Int(limit)))}
	}
	w := windowOver(rel, model.Window{Kind: kind, Size: 10, Slide: 10})
	w.Relation.Schema = stream.NewSchema(append(slices.Clone(schema.Fields), stream.Field{Name: "window_end", Type: stream.Timestamp, Role: stream.WindowEnd})...)
	return operator.Side{Relation: rel, Need: []bool{false, true, false}, Steps: []*model.Operator{
		{ID: 1, Kind: model.FilterOp, Relation: rel, Filter: above(2)}, w,
		{ID: 2, Kind: model.FilterOp, Relation: w.Relation, Filter: above(4)},
	}}
}

// Rows behind a window of time bring their event time along, without being read as a column.
func TestPipelineWindowMark(t *testing.T) {
	d := open(t)
	for _, kind := range []model.WindowKind{model.Range, model.Rows, model.RangeInstant, model.PartitionRows} {
		side := markedSide(kind)
		p, err := kernel.New(operator.Offload{Side: side})
		if err != nil {
			t.Fatal(err)
		}
		m := newMachine(t, d, p, p.Program(), 100)
		b := stream.NewBatch(side.Relation.Schema, nil)
		for i := range 10 {
			b.AppendRow([]stream.Value{stream.Time(int64(i)), stream.Int(int32(i))})
		}
		b.Based, b.Base = 0, 1000
		m.run(b, stream.Span{Batch: b, From: 3, To: 9})
		var task operator.Task
		var memory kernel.Result
		if redo := p.Result(m.slot, &task, &memory); redo != "" || task.Selected == nil {
			t.Fatalf("no result: %q", redo)
		}
		got, want := task.Selected, []int64{1005, 1006, 1007, 1008}
		if kind != model.Range {
			want = nil
		}
		if !slices.Equal(got.Time, want) || !slices.Equal(got.Cols[1].I32, []int32{5, 6, 7, 8}) || !slices.Equal(got.Origin, []int32{2, 3, 4, 5}) || !got.Cols[0].Absent() {
			t.Errorf("%s: got %+v", kind, *got)
		}
	}
}

func TestPipelineRefusals(t *testing.T) {
	window := markedSide(model.Range)
	window.Need = []bool{false, true, true}
	for why, o := range map[string]operator.Offload{
		"column window_end is its window's": {Side: window},
		"min of text": {Side: operator.Side{Relation: relation(optest.AllTypes())},
			Aggregate: &model.Operator{Aggregate: &model.Aggregate{Aggs: []model.Agg{{Func: model.Min, Arg: model.Lit(stream.Text("a"))}}}}},
	} {
		if _, err := kernel.New(o); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want it to say %q", err, why)
		}
	}
}

// Whatever a program reads, a task of one row more than a slot has room for is refused, and
// the slot's memory is as it was.
func TestLoadTooManyRows(t *testing.T) {
	d := open(t)
	const room = 100
	schema := stream.NewSchema(stream.Field{Name: "f", Type: stream.Boolean}, stream.Field{Name: "x", Type: stream.Integer})
	flag, count := model.Col(0, stream.Boolean), []model.Agg{{Func: model.Count, Type: stream.BigInt}}
	side := operator.Side{Relation: relation(schema)}
	filter := operator.Side{Relation: side.Relation, Need: []bool{true, false}, Steps: []*model.Operator{{Kind: model.FilterOp, Relation: side.Relation, Filter: []*model.Expr{flag}}}}
	b := optest.NewGen(1, schema).Batch(room + 1)
	for name, o := range map[string]operator.Offload{
		"whole numbers": {Side: side},
		"bits":          {Side: filter},
		"nothing":       {Side: side, Aggregate: &model.Operator{Aggregate: &model.Aggregate{Aggs: count}}},
		"bits by group": {Side: side, Aggregate: &model.Operator{Aggregate: &model.Aggregate{Keys: []*model.Expr{flag}, Aggs: count}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := kernel.New(o)
			if err != nil {
				t.Fatal(err)
			}
			m := newMachine(t, d, p, p.Program(), room)
			m.run(b, stream.Span{Batch: b, To: room})
			var was [][]byte
			for i := range p.Sizes(room).Input {
				was = append(was, bytes.Clone(m.slot.Input(i)))
			}
			for _, task := range []*operator.Task{
				{Spans: []stream.Span{{Batch: b, To: room + 1}}, Rows: room + 1},
				{Spans: []stream.Span{{Batch: b, To: room + 1}}, Rows: room}, // says less than it has
			} {
				if err := p.Load(task, m.slot, m.call); !errors.Is(err, kernel.ErrTooManyRows) {
					t.Errorf("%d rows: %v", task.Rows, err)
				}
			}
			for i, bytesOf := range was {
				if !bytes.Equal(bytesOf, m.slot.Input(i)) {
					t.Errorf("input %d was written", i)
				}
			}
		})
	}
}

// A task that comes back is ready to be run on the CPU, and the memory for the next.
func TestPipelineRedo(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "k", Type: stream.Integer})
	key := model.Col(0, stream.Integer)
	p, err := kernel.New(operator.Offload{Side: operator.Side{Relation: relation(schema)},
		Aggregate: &model.Operator{Aggregate: &model.Aggregate{Keys: []*model.Expr{key}, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}}}}})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, p, p.Program(), 4*kernel.EntriesMax)
	var memory kernel.Result
	for _, groups := range []int{3, 4 * kernel.EntriesMax, kernel.EntriesMax, 5} {
		b := stream.NewBatch(schema, nil)
		for i := range 4 * kernel.EntriesMax {
			b.AppendRow([]stream.Value{stream.Int(int32(i % groups))})
		}
		m.run(b)
		task := &operator.Task{Grouped: &operator.Grouped{}}
		redo := p.Result(m.slot, task, &memory)
		switch {
		case groups > kernel.EntriesMax:
			if redo == "" || task.Grouped != nil || task.Selected != nil {
				t.Errorf("%d groups: %q, %+v", groups, redo, task.Grouped)
			}
		case redo != "" || task.Grouped == nil || task.Grouped.Len != groups:
			t.Errorf("%d groups: %q, %+v", groups, redo, task.Grouped)
		}
	}
}

// From loading to what Batch makes of it a task allocates nothing of its own.
func TestPipelineDoesNotAllocate(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true}, stream.Field{Name: "k", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Double})
	rel := model.Relation{Schema: schema}
	w := windowOver(rel, model.Window{Kind: model.Range, Size: 100, Slide: 100})
	k, x := model.Col(1, stream.Varchar), model.Col(2, stream.Double)
	group := &model.Operator{ID: 9, Kind: model.AggregateOp, Aggregate: &model.Aggregate{Keys: []*model.Expr{k},
		Aggs: []model.Agg{{Func: model.Sum, Arg: x, Type: stream.Double}, {Func: model.Max, Arg: x, Type: stream.Double}}}}
	group.Relation = model.Relation{Time: -1, Schema: stream.NewSchema(stream.Field{Name: "k", Type: stream.Varchar}, stream.Field{Name: "s", Type: stream.Double},
		stream.Field{Name: "m", Type: stream.Double})}
	fn, err := operator.NewAggregate(operator.Env{Pool: stream.NewPool(4), BufferBytesMax: 1 << 30, Lanes: 1, Devices: true},
		operator.Side{Relation: rel, Steps: []*model.Operator{w}}, group, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := fn.(operator.Offloader).Offload(0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := kernel.New(o)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, p, p.Program(), 500)
	b := stream.NewBatch(schema, nil)
	for i := range 500 {
		b.AppendRow([]stream.Value{stream.Time(5), stream.Text(fmt.Sprint("key", i%7)), stream.Dbl(float64(i))})
	}
	plain, scratch := operator.Task{Spans: []stream.Span{{Batch: b, To: b.Len}}, Rows: b.Len, Watermark: 5}, fn.NewScratch()
	var memory kernel.Result
	var sent operator.Task
	step := func() error {
		sent = plain
		if err := p.Load(&sent, m.slot, m.call); err != nil {
			return err
		}
		if err := m.slot.Run(m.k, m.call); err != nil {
			return err
		}
		if _, err := m.slot.Wait(); err != nil {
			return err
		}
		if redo := p.Result(m.slot, &sent, &memory); redo != "" {
			return fmt.Errorf("to be run again: %s", redo)
		}
		partial, err := fn.Batch(&sent, scratch)
		if err == nil {
			err = fn.Assemble(&plain, partial)
		}
		if err == nil {
			_, err = fn.Next()
		}
		return err
	}
	allocations := testing.AllocsPerRun(100, func() {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 && !raceDetector {
		t.Errorf("%v allocations a task", allocations)
	}
	if sent.Grouped.Len != 7 {
		t.Errorf("%d entries", sent.Grouped.Len)
	}
}
