package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// A decimalSum is an exact sum of DECIMALs of one type and its count.
type decimalSum struct {
	sum decimal.Sum
	n   int64
}

func (s *decimalSum) add(x decimal.Int) { s.sum, s.n = s.sum.Add(x), s.n+1 }

func (s decimalSum) plus(b decimalSum) decimalSum { return decimalSum{s.sum.Plus(b.sum), s.n + b.n} }

// minus is exact too; only sets of distinct values use it.
func (s decimalSum) minus(b decimalSum) decimalSum { return decimalSum{s.sum.Minus(b.sum), s.n - b.n} }

// result is SUM or AVG of values of type t, false if it has too many digits. It is NULL
// without values.
func (s *decimalSum) result(f model.AggFunc, t stream.Type) (stream.Value, bool) {
	out, n := function.DecimalSum(t), int64(1)
	if f == model.Avg {
		out, n = function.DecimalAverage(t), s.n
	}
	if s.n == 0 {
		return stream.NullOf(out), true
	}
	x, ok := s.sum.Average(n, out.Scale()-t.Scale())
	if !ok || !x.Fits(out.Precision()) {
		return stream.NullOf(out), false
	}
	return stream.DecimalOf(out, x), true
}

// decimalSums is SUM and AVG of DECIMALs of type t.
type decimalSums struct {
	t stream.Type
	s []decimalSum
}

func (a *decimalSums) fresh() accumulator { return &decimalSums{t: a.t} }
func (a *decimalSums) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *decimalSums) drop(n int)         { a.s = dropSlots(a.s, n) }

func (a *decimalSums) add(slots []int32, c *stream.Column) {
	for i, s := range slots {
		if !c.IsNull(i) {
			a.s[s].add(c.Decimal(i))
		}
	}
}

func (a *decimalSums) addRuns(slot, from int, ends []int32, c *stream.Column) {
	for i, end := range ends {
		for ; from < int(end); from++ {
			if !c.IsNull(from) {
				a.s[slot+i].add(c.Decimal(from))
			}
		}
	}
}

func (a *decimalSums) merge(slots []int32, src accumulator, from int) {
	in := src.(*decimalSums).s[from:]
	for i, s := range slots {
		a.s[s] = a.s[s].plus(in[i])
	}
}

func (a *decimalSums) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*decimalSums).s, back.(*decimalSums).s, a.s[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = log[i].plus(was)
		log[i], b[g] = was, decimalSum{}
	}
}

func (a *decimalSums) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*decimalSums).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *decimalSums) join(groups []int32, front, back accumulator) {
	f, b := front.(*decimalSums).s, back.(*decimalSums).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = f[g].plus(b[g])
	}
}

func (a *decimalSums) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*decimalSums).s, &front.(*decimalSums).s[0], &back.(*decimalSums).s[0], out.(*decimalSums).s, decimalSum.plus)
}

func (a *decimalSums) result(g *model.Agg, c *stream.Column, at, from, n int) bool {
	ok := true
	for i := range a.s[from : from+n] {
		s := &a.s[from+i]
		if g.Func == model.Count {
			c.I64[at+i] = s.n
			continue
		}
		v, fits := s.result(g.Func, a.t)
		if ok = ok && fits; v.Null {
			setNull(c, at+i)
		}
		c.Bytes = append(c.Bytes, v.S...)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	}
	return ok
}

func (a *decimalSums) fits(f model.AggFunc, slot int) bool {
	if f == model.Count {
		return true
	}
	_, ok := a.s[slot].result(f, a.t)
	return ok
}

func (a *decimalSums) write(w *state.Writer, slot int) {
	s := &a.s[slot]
	for _, word := range s.sum {
		w.Int(int64(word))
	}
	w.Int(s.n)
}

func (a *decimalSums) read(r *state.Reader, slot int) {
	s := &a.s[slot]
	for i := range s.sum {
		s.sum[i] = uint64(r.Int())
	}
	s.n = r.Int()
}
