package operator_test

import (
	"math/rand"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// slideBench is AVG(v) BY k over 60 s sliding by 1 s.
type slideBench struct {
	fn      operator.Function
	scratch operator.Scratch
	pool    *stream.Pool
	second  *stream.Batch // one second of rows; their times move on
	rows    int64
	out     int64
}

const (
	benchGroups  = 10_000
	benchRows    = 100_000 // per second of event time
	benchTask    = 50_000
	benchSeconds = 1_000_000
)

func newSlideBench(b *testing.B, size int64) *slideBench {
	schema := stream.NewSchema(
		stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true},
		stream.Field{Name: "k", Type: stream.Integer},
		stream.Field{Name: "v", Type: stream.Real},
	)
	f := &feed{schema: schema, time: 0}
	bd := &build{}
	src := bd.source("s", f)
	w := bd.window(src, model.Window{Kind: model.Range, Size: size * benchSeconds, Slide: benchSeconds})
	op := bd.aggregate(w, &model.Aggregate{
		Keys: []*model.Expr{model.Col(1, stream.Integer)},
		Aggs: []model.Agg{{Func: model.Avg, Arg: model.Col(2, stream.Real), Type: stream.Double}},
	})
	s := &slideBench{pool: stream.NewPool(16), second: stream.NewBatch(schema, nil)}
	fn, err := operator.NewAggregate(operator.Env{Pool: s.pool}, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, nil)
	if err != nil {
		b.Fatal(err)
	}
	s.fn, s.scratch = fn, fn.NewScratch()
	rng := rand.New(rand.NewSource(1))
	for i := range benchRows {
		s.second.AppendRow([]stream.Value{stream.Time(int64(i * benchSeconds / benchRows)), stream.Int(int32(rng.Intn(benchGroups))), stream.Float(float32(rng.Intn(1000)))})
	}
	return s
}

func (s *slideBench) task(from int, watermark int64) *operator.Task {
	return &operator.Task{Spans: []stream.Span{{Batch: s.second, From: from, To: from + benchTask}}, First: s.rows, Rows: benchTask, Watermark: watermark}
}

// advance runs a second of rows; serial is the part behind Batch.
func (s *slideBench) advance(b *testing.B) {
	for i := range s.second.Cols[0].I64 {
		s.second.Cols[0].I64[i] += benchSeconds
	}
	for from := 0; from < benchRows; from += benchTask {
		t := s.task(from, s.second.Cols[0].I64[from+benchTask-1])
		p, err := s.fn.Batch(t, s.scratch)
		if err != nil {
			b.Fatal(err)
		}
		s.rows += benchTask
		b.StartTimer()
		_ = s.fn.Assemble(t, p)
		for {
			out, _ := s.fn.Next()
			if out == nil {
				break
			}
			s.out += int64(out.Len)
			out.Release()
		}
		b.StopTimer()
	}
}

func BenchmarkAggregateBatch(b *testing.B) {
	s := newSlideBench(b, 60)
	t := s.task(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		p, err := s.fn.Batch(t, s.scratch)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = s.fn.Assemble(t, p)
		for {
			out, _ := s.fn.Next()
			if out == nil {
				break
			}
			out.Release()
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*benchTask/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// The serial part alone: merging two tasks' fragments, sliding, putting out.
func BenchmarkAggregateSlide(b *testing.B) {
	s := newSlideBench(b, 60)
	b.StopTimer()
	for range 130 {
		s.advance(b)
	}
	s.out = 0
	b.ResetTimer()
	b.ReportAllocs()
	for range b.N {
		s.advance(b)
	}
	b.ReportMetric(float64(s.out)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
