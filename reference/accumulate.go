package reference

import (
	"math/big"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// accumulator computes one aggregate over one group. add takes the arguments of a row that
// counts, the second one's value is of no type if there is none; result reports false if the result is out of its type's range.
type accumulator interface {
	add(v, by stream.Value)
	result() (v stream.Value, ok bool)
}

func newAccumulator(a *model.Agg) accumulator {
	acc := ordinary(a)
	if a.Distinct {
		acc = &distinctValues{of: acc, seen: map[string]bool{}}
	}
	return acc
}

func ordinary(a *model.Agg) accumulator {
	switch a.Func {
	case model.Count:
		return &counter{}
	case model.Min:
		return &extreme{best: stream.NullOf(a.Type), sign: -1}
	case model.Max:
		return &extreme{best: stream.NullOf(a.Type), sign: 1}
	case model.BoolAnd:
		return &extreme{best: stream.NullOf(a.Type), sign: -1}
	case model.BoolOr:
		return &extreme{best: stream.NullOf(a.Type), sign: 1}
	case model.FirstValue, model.LastValue:
		return &endOf{kept: stream.NullOf(a.Type), last: a.Func == model.LastValue}
	case model.ApproxCountDistinct:
		return &sketch{}
	case model.VarPop, model.VarSamp, model.StddevPop, model.StddevSamp:
		return &moment{f: a.Func}
	case model.StringAgg, model.ArrayAgg, model.PercentileCont, model.PercentileDisc:
		return &collection{of: a}
	case model.MinBy, model.MaxBy:
		return &extremeBy{kept: stream.NullOf(a.Type), greatest: a.Func == model.MaxBy}
	case model.ApproxPercentile:
		return &quantiles{p: a.Params[0].F}
	case model.CovarPop, model.CovarSamp, model.Corr:
		return &comoment{f: a.Func}
	}
	if a.Arg.Type.IsDecimal() {
		return &decimalSum{average: a.Func == model.Avg, t: a.Type}
	}
	if a.Arg.Type.IsFloat() {
		return &floatSum{average: a.Func == model.Avg}
	}
	return &wholeSum{average: a.Func == model.Avg, t: a.Type}
}

// distinctValues passes on the first of equal values.
type distinctValues struct {
	of   accumulator
	seen map[string]bool
}

func (d *distinctValues) add(v, by stream.Value) {
	key := groupKey(Row{v})
	if !d.seen[key] {
		d.seen[key] = true
		d.of.add(v, by)
	}
}

func (d *distinctValues) result() (stream.Value, bool) { return d.of.result() }

type counter struct{ n int64 }

func (c *counter) add(_, _ stream.Value) { c.n++ }

func (c *counter) result() (stream.Value, bool) { return stream.Big(c.n), true }

// extreme keeps the first of equal values.
type extreme struct {
	best stream.Value
	sign int // 1: greatest, -1: least
}

func (x *extreme) add(v, _ stream.Value) {
	if x.best.Null || compare(v, x.best)*x.sign > 0 {
		x.best = v
	}
}

func (x *extreme) result() (stream.Value, bool) { return x.best, true }

// wholeSum is SUM or AVG of whole numbers or intervals: exact, whatever the order.
type wholeSum struct {
	average bool
	t       stream.Type
	n       int64
	sum     big.Int
	term    big.Int
}

func (s *wholeSum) add(v, _ stream.Value) {
	s.n++
	s.sum.Add(&s.sum, s.term.SetInt64(v.I))
}

func (s *wholeSum) result() (stream.Value, bool) {
	switch {
	case s.n == 0:
		return stream.NullOf(s.t), true
	case s.average && s.t == stream.Double:
		sum, _ := new(big.Float).SetInt(&s.sum).Float64()
		return stream.Dbl(sum / float64(s.n)), true
	case s.average:
		v, reason := whole(new(big.Int).Quo(&s.sum, big.NewInt(s.n)), s.t)
		return v, reason == ""
	}
	v, reason := whole(&s.sum, s.t)
	return v, reason == ""
}

// floatSum is SUM or AVG of floats: the exact sum rounded once. Where a float64 sum
// meets an infinity or NaN the result is that of adding plainly in order.
//
// parts holds the exact sum as floats that do not overlap, as Shewchuk describes it:
// adding x to a part y gives the rounded sum and, exactly, what rounding lost.
type floatSum struct {
	average bool
	n       int64
	parts   []float64
	plain   float64
	special bool
}

func (s *floatSum) add(v, _ stream.Value) {
	s.n++
	s.plain += v.F
	if s.special {
		return
	}
	x, kept := v.F, s.parts[:0]
	for _, y := range s.parts {
		sum := x + y
		back := sum - x
		lost := (x - (sum - back)) + (y - back)
		if lost != 0 {
			kept = append(kept, lost)
		}
		x = sum
	}
	s.parts = append(kept, x)
	s.special = !isFinite(x)
}

// sumBits is more than the distance from the greatest float64's first bit to the
// least one's, with room for carries: sums are exact.
const sumBits = 2200

func (s *floatSum) result() (stream.Value, bool) {
	if s.n == 0 {
		return stream.NullOf(stream.Double), true
	}
	sum := s.plain
	if !s.special {
		exact := new(big.Float).SetPrec(sumBits)
		for _, p := range s.parts {
			exact.Add(exact, new(big.Float).SetFloat64(p))
		}
		sum, _ = exact.Float64()
	}
	if s.average {
		sum /= float64(s.n)
	}
	return stream.Dbl(sum), true
}
