package operator

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// TestPeaksOverBatches: windows that begin and end anywhere in batches, with NULLs, NaNs
// and values that are equal, give the rows that a search for the peak gives.
func TestPeaksOverBatches(t *testing.T) {
	schema := stream.NewSchema(
		stream.Field{Name: "v", Type: stream.Double}, stream.Field{Name: "n", Type: stream.BigInt},
		stream.Field{Name: "w", Type: stream.BigInt, NotNull: true, Role: stream.WindowIndex})
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		peak := &model.Peak{Func: []model.AggFunc{model.Max, model.Min}[r.IntN(2)]}
		var rows [][]stream.Value
		for w, n := int64(0), int64(0); w < 6; w++ {
			for range r.IntN(40) {
				v := stream.Dbl([]float64{1, 2, 3, math.NaN(), -1}[r.IntN(2+r.IntN(4))])
				if r.IntN(4) == 0 {
					v = stream.NullOf(stream.Double)
				}
				n++
				rows = append(rows, []stream.Value{v, stream.Big(n), stream.Big(w)})
			}
		}
		pool, got := stream.NewPool(4), []int64(nil)
		p, err := newPeaker(peak, schema, func() *stream.Batch { return pool.Get(schema, nil) }, func(b *stream.Batch) error {
			got = append(got, b.Cols[1].I64...)
			b.Release()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for rest := rows; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(30))
			b := stream.NewBatch(schema, nil)
			for _, row := range rest[:n] {
				b.AppendRow(row)
			}
			if err := p.push(b); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if want := peakRows(rows, peak.Func == model.Min); !slices.Equal(got, want) {
			t.Fatalf("seed %d: rows %v, want %v", seed, got, want)
		}
		if n := pool.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d batches were not given back", seed, n)
		}
	}
}

func peakRows(rows [][]stream.Value, least bool) (out []int64) {
	above := func(a, b float64) bool {
		if least {
			a, b = b, a
		}
		return a > b || math.IsNaN(a) && !math.IsNaN(b)
	}
	for i, row := range rows {
		beaten := row[0].Null
		for j := range rows {
			beaten = beaten || j != i && rows[j][2].I == row[2].I && !rows[j][0].Null && above(rows[j][0].F, row[0].F)
		}
		if !beaten {
			out = append(out, row[1].I)
		}
	}
	return out
}
