package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// result computes the row a group shows; reason says that one of its values, the first, is
// out of range.
func (g *instantGroups) result(x *instantGroup) (row []stream.Value, reason string) {
	keys := x.keys
	if len(x.entries) > 0 {
		keys = x.entries[0].values[:g.keys]
	}
	row = append(make([]stream.Value, 0, g.keys+len(g.aggs)), keys...)
	for k := range g.aggs {
		a := &g.aggs[k]
		var v stream.Value
		fits := true
		switch {
		case a.column < 0 && !a.Distinct:
			v = stream.Value{Type: a.Type, I: x.rows}
		case a.exact():
			v, fits = a.number(&x.sums[k])
		default:
			v, fits = a.over(x.entries)
		}
		row = append(row, v)
		if !fits && reason == "" {
			reason = a.BoundReason()
		}
	}
	return row, reason
}

// number is the result of a count or an integer sum.
func (a *instantAgg) number(s *intSum) (stream.Value, bool) {
	v := stream.Value{Type: a.Type}
	switch {
	case a.Func == model.Count:
		v.I = s.n
	case s.n == 0:
		return stream.NullOf(a.Type), true
	case a.Func == model.Sum:
		v.I = int64(s.lo)
		return v, s.fits()
	case a.Type == stream.Interval:
		v.I = s.quotient()
	default:
		v.F = s.float() / float64(s.n)
	}
	return v, true
}

// over computes the aggregate from a group's rows in order.
func (a *instantAgg) over(entries []groupEntry) (stream.Value, bool) {
	if !a.Func.Basic() {
		return a.folded(entries)
	}
	var ints intSum
	var floats floatSum
	var decimals decimalSum
	best := stream.NullOf(a.Type)
	seen := map[stream.Value]bool{}
	for i := range entries {
		v := entries[i].values[a.column]
		if v.Null || a.Distinct && seen[canonical(v)] {
			continue
		}
		if a.Distinct {
			seen[canonical(v)] = true
		}
		switch {
		case v.Type.IsFloat():
			floats.add(v.F)
		case v.Type.IsDecimal():
			decimals.add(v.Decimal())
		default:
			ints.add(v.I)
		}
		if best.Null || a.Func == model.Max && compareValues(v, best) > 0 || a.Func == model.Min && compareValues(v, best) < 0 {
			best = v
		}
	}
	switch {
	case a.Func == model.Min || a.Func == model.Max:
		return best, true
	case a.argType.IsDecimal() && a.Func == model.Count:
		return stream.Value{Type: a.Type, I: decimals.n}, true
	case a.argType.IsDecimal():
		return decimals.result(a.Func, a.argType)
	case !a.argType.IsFloat():
		return a.number(&ints)
	case a.Func == model.Count:
		return stream.Value{Type: a.Type, I: floats.n}, true
	case floats.n == 0:
		return stream.NullOf(a.Type), true
	case a.Func == model.Avg:
		return stream.Dbl(floats.value() / float64(floats.n)), true
	}
	return stream.Dbl(floats.value()), true
}

// folded computes an aggregate that has only an accumulator.
func (a *instantAgg) folded(entries []groupEntry) (stream.Value, bool) {
	var values, by, out stream.Column
	values.Reset(a.argType)
	if a.By != nil {
		by.Reset(arguments(&a.Agg)[1].Type)
	}
	seen, n := map[stream.Value]bool{}, 0
	for i := range entries {
		v := entries[i].values[a.column]
		if a.Distinct && !v.Null {
			if seen[canonical(v)] {
				continue
			}
			seen[canonical(v)] = true
		}
		values.AppendValue(v, n)
		if a.By != nil {
			by.AppendValue(entries[i].values[a.column+1], n)
		}
		n++
	}
	acc, err := newAccumulator(&a.Agg, a.argType)
	if err != nil {
		return stream.NullOf(a.Type), true // not of a verified model
	}
	acc.resize(1)
	if a.By != nil {
		acc.(interface{ second(*stream.Column) }).second(&by)
	}
	acc.addRuns(0, 0, []int32{int32(n)}, &values)
	if !acc.fits(a.Func, 0) {
		return stream.NullOf(a.Type), false
	}
	out.Reset(a.Type)
	room(&out, 1)
	acc.result(&a.Agg, &out, 0, 0, 1)
	return out.Value(0), true
}

// canonical returns a value that is the same for equal ones, fit for a map's key.
func canonical(v stream.Value) stream.Value {
	switch {
	case !v.Type.IsFloat():
	case v.F != v.F:
		v.F, v.S = 0, "NaN"
	case v.F == 0:
		v.F = 0
	}
	return v
}

// compareValues orders two values that are not NULL.
func compareValues(a, b stream.Value) int {
	switch {
	case a.Type.IsFloat():
		return compareFloats(a.F, b.F)
	case a.Type.Storage() != stream.Varchar:
		return compareInts(a.I, b.I)
	case a.S < b.S:
		return -1
	case a.S > b.S:
		return 1
	}
	return 0
}
