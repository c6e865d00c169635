package operator_test

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// slidesBench is a stream of rows a second apart in small groups: what a slide costs
// where every one puts out all live groups.
type slidesBench struct {
	perSecond  int
	row        func(r *rand.Rand, second, i int) (keys []int32, value float32)
	keys, size int64
	agg        model.Agg
}

const slideTaskRows = 1 << 16

// ring makes tasks of consecutive rows; the times of a lap are moved on by the caller.
func (s *slidesBench) ring(schema *stream.Schema, tasks int) []*operator.Task {
	r := rand.New(rand.NewPCG(1, 2))
	var out []*operator.Task
	n := 0
	for range tasks {
		t := &operator.Task{First: int64(n), Rows: slideTaskRows}
		for range slideTaskRows / 8192 {
			b := stream.NewBatch(schema, nil)
			for range 8192 {
				keys, v := s.row(r, n/s.perSecond, n%s.perSecond)
				row := []stream.Value{stream.Time(int64(n / s.perSecond)), stream.Float(v)}
				for _, k := range keys {
					row = append(row, stream.Int(k))
				}
				b.AppendRow(row)
				n++
			}
			t.Spans = append(t.Spans, stream.Span{Batch: b, To: b.Len})
		}
		t.Watermark = int64((n - 1) / s.perSecond)
		out = append(out, t)
	}
	return out
}

func (s *slidesBench) run(b *testing.B, windows string) {
	fields := []stream.Field{{Name: "ts", Type: stream.Timestamp, NotNull: true}, {Name: "v", Type: stream.Real}}
	a := &model.Aggregate{Aggs: []model.Agg{s.agg}}
	for k := range s.keys {
		fields = append(fields, stream.Field{Name: string(rune('a' + k)), Type: stream.Integer})
		a.Keys = append(a.Keys, model.Col(2+int(k), stream.Integer))
	}
	bld := &build{}
	src := bld.source("s", &feed{schema: stream.NewSchema(fields...), time: 0})
	w := bld.window(src, model.Window{Kind: model.Range, Size: s.size, Slide: 1})
	op := bld.aggregate(w, a)
	pool := stream.NewPool(64)
	env := operator.Env{Pool: pool, BufferBytesMax: 1 << 30, Lanes: 1, Force: operator.Choices{Windows: windows}}
	need := allNeeded(op.Relation.Schema)
	for i, f := range op.Relation.Schema.Fields {
		need[i] = f.Role == stream.NoRole || f.Role == stream.WindowEnd
	}
	fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, need)
	if err != nil {
		b.Fatal(err)
	}
	f, scratch := fn.(operator.Streamer), fn.NewScratch()
	tasks := s.ring(src.Relation.Schema, 16)
	lap := tasks[len(tasks)-1].Watermark + 1
	rows, out := 0, 0
	emit := func(batch *stream.Batch) error {
		out += batch.Len
		batch.Release()
		return nil
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := tasks[i%len(tasks)]
		if i >= len(tasks) {
			t.Watermark += lap
			for _, span := range t.Spans {
				ts := span.Batch.Cols[0].I64
				for j := range ts {
					ts[j] += lap
				}
			}
		}
		t.First = int64(rows)
		f.(operator.Previewer).Preview(t)
		p, err := f.BatchTo(t, scratch, emit)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Assemble(t, p); err != nil {
			b.Fatal(err)
		}
		for {
			batch, err := f.Next()
			if err != nil {
				b.Fatal(err)
			}
			if batch == nil {
				break
			}
			_ = emit(batch)
		}
		rows += t.Rows
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
	b.ReportMetric(float64(out)/float64(rows), "out/row")
}

func BenchmarkSlides(b *testing.B) {
	count := model.Agg{Func: model.Count, Type: stream.BigInt}
	avg := model.Agg{Func: model.Avg, Arg: model.Col(1, stream.Real), Type: stream.Double}
	for _, c := range []struct {
		name string
		s    slidesBench
	}{
		{"vehicles", slidesBench{perSecond: 31, keys: 4, size: 30, agg: count, row: func(_ *rand.Rand, second, i int) ([]int32, float32) {
			vehicle := second%30*31 + i
			return []int32{int32(vehicle), 0, int32(vehicle & 1), int32(vehicle%100 + second*(40+vehicle%30)/5280)}, 0
		}}},
		{"segments", slidesBench{perSecond: 31, keys: 3, size: 300, agg: avg, row: func(r *rand.Rand, _, _ int) ([]int32, float32) {
			return []int32{0, r.Int32N(2), r.Int32N(90)}, float32(r.IntN(1000)) / 10
		}}},
		{"plugs", slidesBench{perSecond: 400, keys: 3, size: 128, agg: avg, row: func(r *rand.Rand, _, _ int) ([]int32, float32) {
			p := r.Int32N(470)
			return []int32{p / 40, p / 10 % 4, p % 10}, float32(r.IntN(100000)) / 1000
		}}},
		{"categories", slidesBench{perSecond: 30, keys: 1, size: 60, agg: avg, row: func(r *rand.Rand, _, _ int) ([]int32, float32) {
			return []int32{r.Int32N(4)}, r.Float32()
		}}},
	} {
		for _, windows := range []string{"local", "assembled"} {
			b.Run(c.name+"/"+windows, func(b *testing.B) { c.s.run(b, windows) })
		}
	}
}
