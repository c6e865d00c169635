package operator_test

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// BenchmarkPeak counts by a BIGINT of about 500 values over 60 slides of 1,000 rows, and
// puts out all groups of every window, those with the greatest count, or those above a
// bound.
func BenchmarkPeak(b *testing.B) {
	for _, what := range []string{"all", "greatest", "bound"} {
		b.Run(what, func(b *testing.B) { benchmarkPeak(b, what) })
	}
}

func benchmarkPeak(b *testing.B, what string) {
	const perSecond, batches = 1000, 64
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true}, stream.Field{Name: "k", Type: stream.BigInt})
	bld := &build{}
	src := bld.source("s", &feed{schema: schema, time: 0})
	w := bld.window(src, model.Window{Kind: model.Range, Size: 60, Slide: 1})
	op := bld.aggregate(w, &model.Aggregate{Keys: []*model.Expr{model.Col(1, stream.BigInt)}, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}}})
	side, need := operator.Side{Relation: op.Relation}, []bool{true, true, false, false, false}
	switch what {
	case "greatest":
		op.Aggregate.Peak = &model.Peak{Func: model.Max, Column: 1}
	case "bound":
		above := bld.filter(op, model.Call("gt", stream.Boolean, model.Col(1, stream.BigInt), model.Lit(stream.Big(160))))
		side.Steps, side.Need = []*model.Operator{above}, need
	}
	env := operator.Env{Pool: stream.NewPool(64), BufferBytesMax: 1 << 30, Lanes: 1}
	fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, operator.PeakNeed(op, need))
	if err == nil && what != "all" {
		fn, err = operator.NewAfter(env, fn, op, need, side)
	}
	if err != nil {
		b.Fatal(err)
	}
	r, lap := rand.New(rand.NewPCG(1, 2)), int64(0)
	var tasks []*operator.Task
	for n := 0; n < batches*8192; {
		t := &operator.Task{Rows: 8 * 8192}
		for range 8 {
			batch := stream.NewBatch(schema, nil)
			for range 8192 {
				batch.AppendRow([]stream.Value{stream.Time(int64(n / perSecond)), stream.Big(1000 + r.Int64N(492))})
				n++
			}
			t.Spans = append(t.Spans, stream.Span{Batch: batch, To: batch.Len})
		}
		t.Watermark, lap = int64((n-1)/perSecond), int64((n-1)/perSecond)+1
		tasks = append(tasks, t)
	}
	scratch, rows, out := fn.NewScratch(), 0, 0
	emit := func(batch *stream.Batch) error {
		out += batch.Len
		batch.Release()
		return nil
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := tasks[i%len(tasks)]
		t.First = int64(rows)
		if i >= len(tasks) {
			moveOn(t, lap)
		}
		runTask(b, fn, t, scratch, emit)
		rows += t.Rows
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
	b.ReportMetric(float64(out)/float64(rows), "out/row")
}

// moveOn makes a task's rows those of a later lap.
func moveOn(t *operator.Task, lap int64) {
	t.Watermark += lap
	for _, span := range t.Spans {
		ts := span.Batch.Cols[0].I64
		for j := range ts {
			ts[j] += lap
		}
	}
}

// runTask computes a task as the engine does.
func runTask(b *testing.B, fn operator.Function, t *operator.Task, s operator.Scratch, emit func(*stream.Batch) error) {
	if p, ok := fn.(operator.Previewer); ok {
		p.Preview(t)
	}
	var p operator.Partial
	var err error
	if f, ok := fn.(operator.Streamer); ok && f.Streams() {
		p, err = f.BatchTo(t, s, emit)
	} else {
		p, err = fn.Batch(t, s)
	}
	if err == nil {
		err = fn.Assemble(t, p)
	}
	for err == nil {
		var batch *stream.Batch
		if batch, err = fn.Next(); batch == nil {
			break
		}
		_ = emit(batch)
	}
	if err != nil {
		b.Fatal(err)
	}
}
