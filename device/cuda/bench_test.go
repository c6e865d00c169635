//go:build !nogpu

package cuda

import (
	"testing"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// hardware opens the machine's first usable device.
func hardware(b *testing.B) *Device {
	b.Helper()
	found, err := Find()
	for _, f := range found {
		if f.Unusable == "" {
			b.Logf("%s: %s, %s", f.ID, f.Name, f.Driver)
			return opened(b, f.ID, Options{})
		}
	}
	b.Skipf("NOT MEASURED: no usable CUDA device (%v)", err)
	return nil
}

// measured runs a slot's task over and over and reports the stages by the device's clock.
func measured(b *testing.B, s device.Slot, k device.Kernel, c *device.Call) (sum device.Timing) {
	b.Helper()
	tasks := 0
	for b.Loop() {
		if err := s.Run(k, c); err != nil {
			b.Fatal(err)
		}
		t, err := s.Wait()
		if err != nil {
			b.Fatal(err)
		}
		sum.MoveIn, sum.Execute, sum.MoveOut = sum.MoveIn+t.MoveIn, sum.Execute+t.Execute, sum.MoveOut+t.MoveOut
		tasks++
	}
	each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(tasks) }
	b.ReportMetric(each(sum.MoveIn), "move-in-us")
	b.ReportMetric(each(sum.Execute), "execute-us")
	b.ReportMetric(each(sum.MoveOut), "move-out-us")
	return sum
}

// A task of one row: what a round trip costs.
func BenchmarkRoundTrip(b *testing.B) { benchmarkAdd(b, 1) }

// A task of 64 MiB each way: what the bus and the device's memory give.
func BenchmarkMove(b *testing.B) { benchmarkAdd(b, 16<<20) }

func benchmarkAdd(b *testing.B, rows int) {
	d := hardware(b)
	k, r, s := compile(b, d, addProgram), resident(b, d, 7), slotFor(b, d, rows)
	defer k.Free()
	defer r.Free()
	defer s.Free()
	b.SetBytes(int64(8 * rows))
	measured(b, s, k, addCall(rows, -1, r))
}

var benchSchema = stream.NewSchema(stream.Field{Name: "a", Type: stream.Integer, NotNull: true}, stream.Field{Name: "b", Type: stream.Integer, NotNull: true},
	stream.Field{Name: "v", Type: stream.Real, NotNull: true})

func benchmarkPipeline(b *testing.B, o operator.Offload) {
	const rows = 1 << 20
	d := hardware(b)
	p, err := kernel.New(o)
	if err != nil {
		b.Fatal(err)
	}
	k := compile(b, d, p.Program())
	defer k.Free()
	s, err := d.NewSlot(p.Sizes(rows))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Free()
	batch := stream.NewBatch(benchSchema, nil)
	for i := range rows {
		batch.AppendRow([]stream.Value{stream.Int(int32(i % 64)), stream.Int(int32(i)), {Type: stream.Real, F: float64(i % 1000)}})
	}
	c := p.NewCall()
	task := &operator.Task{Spans: []stream.Span{{Batch: batch, To: rows}}, Rows: rows}
	if err := p.Load(task, s, c); err != nil {
		b.Fatal(err)
	}
	sum := measured(b, s, k, c)
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(rows)*float64(b.N)/sum.Execute.Seconds()/1e6, "Mrows/s-execute")
}

// A million rows, of which every other one stays.
func BenchmarkSelection(b *testing.B) {
	even := model.Call("eq", stream.Boolean, model.Call("mod", stream.Integer, model.Col(1, stream.Integer), model.Lit(stream.Int(2))), model.Lit(stream.Int(0)))
	rel := model.Relation{Schema: benchSchema, Time: -1}
	benchmarkPipeline(b, operator.Offload{Side: operator.Side{Relation: rel, Need: []bool{true, true, true},
		Steps: []*model.Operator{{Kind: model.FilterOp, Relation: rel, Filter: []*model.Expr{even}}}}})
}

// A million rows in 64 groups: COUNT, SUM of INTEGER, SUM and MAX of REAL.
func BenchmarkAggregation(b *testing.B) {
	v, whole := model.Col(2, stream.Real), model.Col(1, stream.Integer)
	benchmarkPipeline(b, operator.Offload{Side: operator.Side{Relation: model.Relation{Schema: benchSchema, Time: -1}, Need: []bool{true, true, true}},
		Aggregate: &model.Operator{Kind: model.AggregateOp, Aggregate: &model.Aggregate{Keys: []*model.Expr{model.Col(0, stream.Integer)}, Aggs: []model.Agg{
			{Func: model.Count, Type: stream.BigInt}, {Func: model.Sum, Arg: whole, Type: stream.BigInt},
			{Func: model.Sum, Arg: v, Type: stream.Real}, {Func: model.Max, Arg: v, Type: stream.Real}}}}})
}
