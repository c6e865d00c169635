package operator_test

import (
	"math/rand"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// joinBench joins two inputs of the columns k BIGINT, a INT, b INT in ROWS windows.
type joinBench struct {
	rows  int // of a window
	slide int64
	join  func(base int) *model.Join
	key   func(row int) int64
}

func joinSchema() *stream.Schema {
	return stream.NewSchema(stream.Field{Name: "k", Type: stream.BigInt}, stream.Field{Name: "a", Type: stream.Integer}, stream.Field{Name: "b", Type: stream.Integer})
}

// feeds returns one window of rows for each side.
func (j *joinBench) feeds(schema *stream.Schema) (out [2]*stream.Batch) {
	rng := rand.New(rand.NewSource(1))
	for i := range out {
		out[i] = stream.NewBatch(schema, nil)
		order := rng.Perm(j.rows)
		for r := range j.rows {
			k := int64(order[r])
			if j.key != nil {
				k = j.key(order[r])
			}
			out[i].AppendRow([]stream.Value{stream.Big(k * 1_000_003), stream.Int(int32(rng.Intn(10000))), stream.Int(int32(rng.Intn(10000)))})
		}
	}
	return out
}

func (j *joinBench) run(b *testing.B) {
	schema := joinSchema()
	bld := &build{}
	f := &feed{schema: schema, time: -1}
	src := [2]*model.Operator{bld.source("l", f), bld.source("r", f)}
	var sides [2]operator.Side
	var tops [2]*model.Operator
	for i, s := range src {
		tops[i] = bld.window(s, model.Window{Kind: model.Rows, Size: int64(j.rows), Slide: j.slide})
		sides[i] = operator.Side{Relation: s.Relation, Steps: []*model.Operator{tops[i]}}
	}
	op := bld.pair(model.JoinOp, tops[0], tops[1], j.join(tops[0].Relation.Schema.Len()))
	need := make([]bool, op.Relation.Schema.Len())
	need[1], need[tops[0].Relation.Schema.Len()+2] = true, true
	pool := stream.NewPool(64)
	fn, err := operator.NewJoin(operator.Env{Pool: pool, BufferBytesMax: 1 << 30}, sides[0], sides[1], op, need)
	if err != nil {
		b.Fatal(err)
	}
	batches, scratch, pairs, first := j.feeds(schema), fn.NewScratch(), 0, int64(0)
	step := int(j.slide)
	b.ReportAllocs()
	for b.Loop() {
		for input := range batches {
			at := int(first % int64(j.rows))
			t := &operator.Task{Input: input, First: first, Rows: step, Watermark: stream.MinTime, Spans: []stream.Span{{Batch: batches[input], From: at, To: at + step}}}
			p, err := fn.Batch(t, scratch)
			if err != nil {
				b.Fatal(err)
			}
			if err := fn.Assemble(t, p); err != nil {
				b.Fatal(err)
			}
			for {
				out, err := fn.Next()
				if err != nil {
					b.Fatal(err)
				}
				if out == nil {
					break
				}
				pairs += out.Len
				out.Release()
			}
		}
		first += int64(step)
	}
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(2*float64(first)/seconds/1e6, "Mrows/s")
	b.ReportMetric(float64(first)/float64(step)*float64(j.rows)*float64(j.rows)/seconds/1e6, "Mpairs/s")
	b.ReportMetric(float64(pairs)/float64(first), "out/row")
}

// BenchmarkJoin measures both parts of a window join on one core: pairs of two windows,
// tested (theta) or found by key.
func BenchmarkJoin(b *testing.B) {
	band := func(base int) *model.Join {
		left, right := model.Col(1, stream.Integer), model.Col(base+2, stream.Integer)
		upper := model.Call("add", stream.Integer, left, model.Lit(stream.Int(100)))
		return &model.Join{On: []*model.Expr{model.Call("lt", stream.Boolean, left, right), model.Call("gt", stream.Boolean, upper, right)}}
	}
	equal := func(int) *model.Join {
		return &model.Join{LeftKeys: []*model.Expr{model.Col(0, stream.BigInt)}, RightKeys: []*model.Expr{model.Col(0, stream.BigInt)}}
	}
	for _, c := range []struct {
		name string
		joinBench
	}{
		{"theta", joinBench{rows: 1024, slide: 1024, join: band}},
		{"theta-sliding", joinBench{rows: 1024, slide: 64, join: band}},
		{"equal", joinBench{rows: 100_000, slide: 100_000, join: equal}},
		{"equal-small", joinBench{rows: 1000, slide: 1000, join: equal}},
		{"equal-sliding", joinBench{rows: 100_000, slide: 1000, join: equal}},
		{"equal-pairs", joinBench{rows: 100_000, slide: 100_000, join: equal, key: func(r int) int64 { return int64(r / 2) }}},
	} {
		b.Run(c.name, c.run)
	}
}
