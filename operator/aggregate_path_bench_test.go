package operator_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// pathBench measures the two halves of an aggregate: what workers do (batch) and what
// is done in order (serial).
type pathBench struct {
	perSecond   int
	size, slide int64 // seconds
	fields      []stream.Type
	keys        int // the first fields
	aggs        []model.Agg
	row         func(r *rand.Rand, i int) []stream.Value
}

const (
	pathTaskRows = 1 << 15
	pathTasks    = 16
)

func (p *pathBench) build(b *testing.B, force operator.Choices) (operator.Function, []*operator.Task) {
	fields := []stream.Field{{Name: "ts", Type: stream.Timestamp, NotNull: true}}
	a := &model.Aggregate{Aggs: p.aggs}
	for i, t := range p.fields {
		fields = append(fields, stream.Field{Name: string(rune('a' + i)), Type: t})
		if i < p.keys {
			a.Keys = append(a.Keys, model.Col(1+i, t))
		}
	}
	schema := stream.NewSchema(fields...)
	bld := &build{}
	src := bld.source("s", &feed{schema: schema, time: 0})
	w := bld.window(src, model.Window{Kind: model.Range, Size: p.size, Slide: p.slide})
	op := bld.aggregate(w, a)
	env := operator.Env{Pool: stream.NewPool(64), BufferBytesMax: 1 << 30, Lanes: 1, Force: force}
	need := allNeeded(op.Relation.Schema)
	for i, f := range op.Relation.Schema.Fields {
		need[i] = f.Role == stream.NoRole || f.Role == stream.WindowEnd
	}
	fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, need)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var tasks []*operator.Task
	n := 0
	for range pathTasks {
		t := &operator.Task{Rows: pathTaskRows}
		for range pathTaskRows / 8192 {
			batch := stream.NewBatch(schema, nil)
			for range 8192 {
				batch.AppendRow(append([]stream.Value{stream.Time(int64(n / p.perSecond))}, p.row(r, n)...))
				n++
			}
			t.Spans = append(t.Spans, stream.Span{Batch: batch, To: batch.Len})
		}
		t.Watermark = int64((n - 1) / p.perSecond)
		tasks = append(tasks, t)
	}
	return fn, tasks
}

func (p *pathBench) run(b *testing.B, force operator.Choices) {
	f, tasks := p.build(b, force)
	scratch := f.NewScratch()
	lap := tasks[len(tasks)-1].Watermark + 1
	var rows, out int
	var batch, serial time.Duration
	one := func(i int) {
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
		rows += t.Rows
		start := time.Now()
		part, err := f.Batch(t, scratch)
		if err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if err := f.Assemble(t, part); err != nil {
			b.Fatal(err)
		}
		for {
			o, err := f.Next()
			if err != nil {
				b.Fatal(err)
			}
			if o == nil {
				break
			}
			out += o.Len
			o.Release()
		}
		batch += middle.Sub(start)
		serial += time.Since(middle)
	}
	warm := max(2*len(tasks), 2*p.perSecond*int(p.size)/pathTaskRows)
	for i := range warm {
		one(i)
	}
	rows, out, batch, serial = warm*pathTaskRows, 0, 0, 0
	b.ReportAllocs()
	n := 0
	for i := warm; b.Loop(); i++ {
		one(i)
		n += pathTaskRows
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(batch.Nanoseconds())/float64(n), "batch-ns/row")
	b.ReportMetric(float64(serial.Nanoseconds())/float64(n), "serial-ns/row")
	b.ReportMetric(float64(n)/float64((batch+serial).Nanoseconds())*1e3, "Mrows/s")
	b.ReportMetric(float64(serial.Nanoseconds())/float64(max(out, 1)), "serial-ns/out")
}

func aggOf(f model.AggFunc, column int, t stream.Type) model.Agg {
	out := stream.BigInt
	if f == model.Avg || f == model.Sum && t == stream.Real {
		out = stream.Double
	}
	if f == model.Max {
		out = t
	}
	return model.Agg{Func: f, Arg: model.Col(column, t), Type: out}
}

// sparse is a number of a wide range for each of n ids.
func sparse(id int) int64 { return int64(uint64(id+1) * 0x9E3779B97F4A7C15 >> 1) }

var countAll = model.Agg{Func: model.Count, Type: stream.BigInt}

var pathBenches = []struct {
	name string
	p    pathBench
}{
	{"real", pathBench{perSecond: 400, size: 3600, slide: 1, fields: []stream.Type{stream.Real},
		aggs: []model.Agg{aggOf(model.Avg, 1, stream.Real)},
		row: func(r *rand.Rand, _ int) []stream.Value {
			return []stream.Value{stream.Float(float32(r.IntN(4000)) / 8)}
		}}},
	{"decimal", pathBench{perSecond: 400, size: 3600, slide: 1, fields: []stream.Type{stream.Real},
		aggs: []model.Agg{aggOf(model.Avg, 1, stream.Real)},
		row: func(r *rand.Rand, _ int) []stream.Value {
			return []stream.Value{stream.Float(float32(r.IntN(4000)) / 1000)}
		}}},
	{"integers", pathBench{perSecond: 100, size: 60, slide: 1, fields: []stream.Type{stream.Integer, stream.Integer, stream.Integer},
		aggs: []model.Agg{aggOf(model.Avg, 1, stream.Integer), aggOf(model.Avg, 2, stream.Integer), aggOf(model.Avg, 3, stream.Integer)},
		row: func(r *rand.Rand, _ int) []stream.Value {
			return []stream.Value{stream.Int(r.Int32N(1e4)), stream.Int(r.Int32N(1e4)), stream.Int(r.Int32N(1e4))}
		}}},
	{"campaigns", pathBench{perSecond: 1000, size: 100, slide: 100, fields: []stream.Type{stream.BigInt, stream.Timestamp}, keys: 1,
		aggs: []model.Agg{countAll, aggOf(model.Max, 2, stream.Timestamp)},
		row: func(r *rand.Rand, i int) []stream.Value {
			return []stream.Value{stream.Big(sparse(r.IntN(100))), stream.Time(int64(i))}
		}}},
	{"auctions", pathBench{perSecond: 1000, size: 60, slide: 1, fields: []stream.Type{stream.BigInt}, keys: 1,
		aggs: []model.Agg{countAll},
		row: func(r *rand.Rand, i int) []stream.Value {
			return []stream.Value{stream.Big(int64(1000 + i/1000%16*30 + r.IntN(200)))}
		}}},
	{"categories", pathBench{perSecond: 30, size: 60, slide: 1, fields: []stream.Type{stream.Integer, stream.Real}, keys: 1,
		aggs: []model.Agg{aggOf(model.Sum, 2, stream.Real)},
		row: func(r *rand.Rand, _ int) []stream.Value {
			return []stream.Value{stream.Int(r.Int32N(4)), stream.Float(float32(r.IntN(4000)) / 1024)}
		}}},
}

func BenchmarkAggregatePath(b *testing.B) {
	for _, c := range pathBenches {
		b.Run(c.name, func(b *testing.B) { c.p.run(b, operator.Choices{}) })
	}
}

// A tumbling window of 64 k rows by keys of several numbers and types.
func BenchmarkAggregateGroups(b *testing.B) {
	sum := func(column int) []model.Agg { return []model.Agg{countAll, aggOf(model.Sum, column, stream.Integer)} }
	for _, c := range []struct {
		name string
		n    int
	}{{"10", 10}, {"1k", 1000}, {"100k", 100_000}, {"1M", 1_000_000}} {
		p := pathBench{perSecond: 1 << 16, size: 16, slide: 16, fields: []stream.Type{stream.Integer, stream.Integer}, keys: 1, aggs: sum(2),
			row: func(r *rand.Rand, i int) []stream.Value {
				return []stream.Value{stream.Int(r.Int32N(int32(c.n))), stream.Int(int32(i & 1023))}
			}}
		b.Run("integer/"+c.name, func(b *testing.B) { p.run(b, operator.Choices{}) })
	}
	p := pathBench{perSecond: 1 << 16, size: 16, slide: 16, fields: []stream.Type{stream.Integer, stream.Integer, stream.Integer, stream.Integer}, keys: 3, aggs: sum(4),
		row: func(r *rand.Rand, i int) []stream.Value {
			return []stream.Value{stream.Int(r.Int32N(10)), stream.Int(r.Int32N(10)), stream.Int(r.Int32N(40)), stream.Int(int32(i & 1023))}
		}}
	b.Run("three/4k", func(b *testing.B) { p.run(b, operator.Choices{}) })
	p = pathBench{perSecond: 1 << 16, size: 16, slide: 16, fields: []stream.Type{stream.Varchar, stream.Integer}, keys: 1, aggs: sum(2),
		row: func(r *rand.Rand, i int) []stream.Value {
			return []stream.Value{stream.Text("key " + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26)))), stream.Int(int32(i & 1023))}
		}}
	b.Run("text/676", func(b *testing.B) { p.run(b, operator.Choices{}) })
}
