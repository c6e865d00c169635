package operator_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// wideColumns are 8 columns of each of four types with values from 0 to 999, behind a
// time.
const wideColumns = 8

var wideTypes = []stream.Type{stream.Integer, stream.Real, stream.BigInt, stream.Double}

func wideSchema() *stream.Schema {
	s := &stream.Schema{Fields: []stream.Field{{Name: "ts", Type: stream.Timestamp}}}
	for _, t := range wideTypes {
		for i := range wideColumns {
			s.Fields = append(s.Fields, stream.Field{Name: fmt.Sprintf("c%d_%d", t, i), Type: t})
		}
	}
	return s
}

// wide is a column of wideSchema.
func wide(s *stream.Schema, t stream.Type, i int) *model.Expr {
	for c, f := range s.Fields[1:] {
		if f.Type == t {
			return model.Col(1+c+i%wideColumns, t)
		}
	}
	panic("no such type")
}

func wideBatch(s *stream.Schema, n int) *stream.Batch {
	b, r := stream.NewBatch(s, nil), rand.New(rand.NewPCG(1, 2))
	row := make([]stream.Value, s.Len())
	for i := range n {
		row[0] = stream.Time(int64(i) * 1000)
		for c, f := range s.Fields[1:] {
			x := r.IntN(1000)
			row[1+c] = stream.Value{Type: f.Type, I: int64(x), F: float64(x)}
			if f.Type.IsFloat() {
				row[1+c].I = 0
			} else {
				row[1+c].F = 0
			}
		}
		b.AppendRow(row)
	}
	return b
}

// constant is x as a literal of the type.
func constant(t stream.Type, x int) *model.Expr {
	v := stream.Value{Type: t}
	if t.IsFloat() {
		v.F = float64(x)
	} else {
		v.I = int64(x)
	}
	return model.Lit(v)
}

// benchChain runs steps over tasks of the given number of rows, with and without vector
// instructions.
func benchChain(b *testing.B, name string, rows int, schema *stream.Schema, steps []*model.Operator) {
	batch := wideBatch(schema, operator.OutputRows)
	task := &operator.Task{Rows: rows}
	for n := 0; n < rows; n += batch.Len {
		task.Spans = append(task.Spans, stream.Span{Batch: batch, To: batch.Len})
	}
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("%s/%s", name, map[bool]string{false: "plain", true: "vector"}[on]), func(b *testing.B) {
			was := vector.Enable(on)
			defer vector.Enable(was)
			chain, err := operator.NewChain(operator.Side{Relation: model.Relation{Schema: schema, Time: 0}, Steps: steps})
			if err != nil {
				b.Fatal(err)
			}
			s, emit := chain.NewScratch(), func(*operator.Chunk) error { return nil }
			for b.Loop() {
				if _, err := chain.Run(task, s, emit); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Grows/s")
		})
	}
}

// narrowed is a projection of the time and two columns.
func narrowed(s *stream.Schema) *model.Operator {
	exprs := []*model.Expr{model.Col(0, stream.Timestamp), wide(s, stream.Integer, 1), wide(s, stream.Real, 1)}
	out := &stream.Schema{}
	for i, e := range exprs {
		out.Fields = append(out.Fields, stream.Field{Name: fmt.Sprintf("o%d", i), Type: e.Type})
	}
	return &model.Operator{Kind: model.ProjectOp, Relation: model.Relation{Schema: out, Time: 0}, Project: exprs}
}

// Predicates that all rows pass but of the last one a share.
func BenchmarkSelection(b *testing.B) {
	schema := wideSchema()
	rel := model.Relation{Schema: schema, Time: 0}
	filter := func(typ stream.Type, count, permille int) []*model.Operator {
		op := &model.Operator{Kind: model.FilterOp, Relation: rel}
		for i := range count {
			limit := 1000
			if i == count-1 {
				limit = permille
			}
			op.Filter = append(op.Filter, less(wide(schema, typ, i), constant(typ, limit).Literal))
		}
		return []*model.Operator{op, narrowed(schema)}
	}
	for _, typ := range []stream.Type{stream.Integer, stream.Real, stream.BigInt} {
		for _, count := range []int{1, 2, 4, 16, 64} {
			benchChain(b, fmt.Sprintf("%s/%d", typ, count), operator.OutputRows, schema, filter(typ, count, 100))
		}
	}
	for _, permille := range []int{1, 10, 100, 500, 900, 1000} {
		benchChain(b, fmt.Sprintf("pass%v%%", float64(permille)/10), operator.OutputRows, schema, filter(stream.Integer, 2, permille))
	}
}

// Expressions c0 * 3 + c1, all of different columns.
func BenchmarkProjection(b *testing.B) {
	schema := wideSchema()
	for _, typ := range wideTypes {
		for _, count := range []int{1, 4, 10} {
			out := &stream.Schema{}
			op := &model.Operator{Kind: model.ProjectOp}
			for i := range count {
				e := model.Call("add", typ, model.Call("mul", typ, wide(schema, typ, i), constant(typ, 3+i)), wide(schema, typ, i+1))
				op.Project = append(op.Project, e)
				out.Fields = append(out.Fields, stream.Field{Name: fmt.Sprintf("o%d", i), Type: typ})
			}
			op.Relation = model.Relation{Schema: out, Time: -1}
			benchChain(b, fmt.Sprintf("%s/%d", typ, count), operator.OutputRows, schema, []*model.Operator{op})
		}
	}
}
