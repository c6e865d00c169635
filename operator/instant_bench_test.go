package operator_test

import (
	"math/rand"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// BenchmarkInstantDistinctSelfJoin runs the query of TestInstantDistinctSelfJoin over
// 10,000 customers who stay in a region for 20 payments on average, one lane, tasks of
// 32 K rows; five minutes hold 30,000 payments.
func BenchmarkInstantDistinctSelfJoin(b *testing.B) {
	const rows, customers, taskRows = 1 << 18, 10_000, 1 << 15
	rng := rand.New(rand.NewSource(1))
	all := stream.NewBatch(testSchema, nil)
	region := make([]int64, customers)
	for i := range rows {
		c := rng.Intn(customers)
		if rng.Intn(20) == 0 {
			region[c] = int64(rng.Intn(50))
		}
		all.AppendRow([]stream.Value{stream.Time(int64(i)), stream.Int(int32(c)), stream.Big(region[c]), stream.Text(""), stream.Dbl(0)})
	}
	bl := &build{}
	emit := paymentsQuery(bl, bl.source("payments", &feed{schema: testSchema}), 30_000)
	r, err := operator.FindRegion(&bl.m, emit)
	if err != nil {
		b.Fatal(err)
	}
	pool := stream.NewPool(8)
	for b.Loop() {
		fn, err := operator.NewInstant(operator.Env{Pool: pool, BufferBytesMax: 1 << 30, Lanes: 1}, *r, nil)
		if err != nil {
			b.Fatal(err)
		}
		k, s, put := fn.(operator.Keyed), fn.NewScratch(), 0
		for from := 0; from < rows; from += taskRows {
			t := &operator.Task{Spans: []stream.Span{{Batch: all, From: from, To: from + taskRows}}, First: int64(from), Rows: taskRows, Watermark: int64(from)}
			p, _ := fn.Batch(t, s)
			v, _ := k.Lane(0, t, p)
			p.Value = []any{v}
			if err := fn.Assemble(t, p); err != nil {
				b.Fatal(err)
			}
			for {
				out, _ := fn.Next()
				if out == nil {
					break
				}
				put += out.Len
				out.Release()
			}
		}
		if put == 0 {
			b.Fatal("nothing was put out")
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// paymentsQuery is SELECT DISTINCT w.k FROM src [RANGE size] AS w, src [PARTITION BY k
// ROWS 1] AS l WHERE w.k = l.k AND w.v <> l.v.
func paymentsQuery(b *build, src *model.Operator, size int64) *model.Operator {
	w := b.add(b.instantWindow(src, model.Window{Kind: model.RangeInstant, Size: size}))
	l := b.add(b.instantWindow(src, model.Window{Kind: model.PartitionRows, Size: 1, PartitionBy: []int{1}}))
	top := b.pair(model.JoinOp, w, l, &model.Join{
		LeftKeys: []*model.Expr{col(1)}, RightKeys: []*model.Expr{col(1)},
		On: []*model.Expr{model.Call("ne", stream.Boolean, col(2), model.Col(testSchema.Len()+2, stream.BigInt))},
	})
	top.Relation.Time = -1
	top = b.project(top, col(1))
	top = b.grouped(top, []*model.Expr{model.Col(0, stream.Integer)})
	return b.emit(top, model.Istream, true)
}
