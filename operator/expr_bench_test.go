package operator_test

import (
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// benchSchema is ts, key, x (0..99), price, name.
var benchSchema = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.Timestamp}, stream.Field{Name: "key", Type: stream.Integer},
	stream.Field{Name: "x", Type: stream.Integer}, stream.Field{Name: "price", Type: stream.Double},
	stream.Field{Name: "name", Type: stream.Varchar})

var (
	benchTime  = model.Col(0, stream.Timestamp)
	benchKey   = model.Col(1, stream.Integer)
	benchX     = model.Col(2, stream.Integer)
	benchPrice = model.Col(3, stream.Double)
	benchName  = model.Col(4, stream.Varchar)
)

func benchBatch(n int) *stream.Batch {
	b := stream.NewBatch(benchSchema, nil)
	names := []string{"click", "view", "purchase", "a longer event name"}
	x := uint32(1)
	for i := range n {
		x = x*1664525 + 1013904223
		b.AppendRow([]stream.Value{stream.Time(int64(i) * 1000), stream.Int(int32(x >> 20)),
			stream.Int(int32(x >> 8 % 100)), stream.Dbl(float64(x>>16) / 8), stream.Text(names[x>>30])})
	}
	return b
}

func less(e *model.Expr, v stream.Value) *model.Expr {
	return model.Call("lt", stream.Boolean, e, model.Lit(v))
}

// One vector of 1024 rows per operation.
func BenchmarkExpr(b *testing.B) {
	f8, i4 := stream.Double, stream.Integer
	for _, c := range []struct {
		name string
		expr *model.Expr
	}{
		{"x<40", less(benchX, stream.Int(40))},
		{"price<key", model.Call("lt", stream.Boolean, benchPrice, model.Call("cast", f8, benchKey))},
		{"name='view'", model.Call("eq", stream.Boolean, benchName, model.Lit(stream.Text("view")))},
		{"name LIKE '%event%'", model.Call("like", stream.Boolean, benchName, model.Lit(stream.Text("%event%")))},
		{"key+x", model.Call("add", i4, benchKey, benchX)},
		{"key*x", model.Call("mul", i4, benchKey, benchX)},
		{"key/60", model.Call("div", i4, benchKey, model.Lit(stream.Int(60)))},
		{"price*0.908", model.Call("mul", f8, benchPrice, model.Lit(stream.Dbl(0.908)))},
		{"case", model.Call("case", f8, less(benchX, stream.Int(40)), benchPrice, model.Lit(stream.Dbl(0)))},
		{"date_trunc", model.Call("date_trunc", stream.Timestamp, model.Lit(stream.Text("hour")), benchTime)},
		{"extract_hour", model.Call("extract_hour", stream.BigInt, benchTime)},
		{"upper", model.Call("upper", stream.Varchar, benchName)},
	} {
		b.Run(c.name, func(b *testing.B) {
			batch := benchBatch(operator.ChunkRows)
			p, err := operator.Compile([]*model.Expr{c.expr}, benchSchema)
			if err != nil {
				b.Fatal(err)
			}
			s := p.NewScratch()
			for b.Loop() {
				p.Eval(s, batch.Cols, batch.Len)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/operator.ChunkRows, "ns/row")
		})
	}
}

// A filter that keeps the given share of the rows, then a projection of three columns.
func BenchmarkChain(b *testing.B) {
	for _, c := range []struct {
		name  string
		limit int32
	}{{"1%", 1}, {"10%", 10}, {"50%", 50}, {"100%", 100}} {
		b.Run(c.name, func(b *testing.B) {
			rel := model.Relation{Schema: benchSchema, Time: 0}
			out := stream.NewSchema(benchSchema.Fields[0], benchSchema.Fields[1], benchSchema.Fields[3])
			chain, err := operator.NewChain(operator.Side{Relation: rel, Steps: []*model.Operator{
				{Kind: model.FilterOp, Relation: rel, Filter: []*model.Expr{less(benchX, stream.Int(c.limit)), less(benchKey, stream.Int(1<<30))}},
				{Kind: model.ProjectOp, Relation: model.Relation{Schema: out, Time: 0},
					Project: []*model.Expr{benchTime, benchKey, model.Call("mul", stream.Double, benchPrice, model.Lit(stream.Dbl(0.908)))}},
			}})
			if err != nil {
				b.Fatal(err)
			}
			batch := benchBatch(operator.OutputRows)
			s, task := chain.NewScratch(), &operator.Task{Rows: batch.Len, Spans: []stream.Span{{Batch: batch, To: batch.Len}}}
			for b.Loop() {
				if _, err := chain.Run(task, s, func(*operator.Chunk) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Len), "ns/row")
		})
	}
}
