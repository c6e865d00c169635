package operator

import (
	"fmt"
	"reflect"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// An accumulator is one aggregate's partial results in slots: a dense array with a
// kernel for every step, called once per run of slots and never per row. What a slot
// stands for is its owner's business: an entry of a task's pane, a resident group.
// An empty slot is the zero value.
//
// Partial results are combined in the order of their rows, older first; nothing is
// ever subtracted.
type accumulator interface {
	// fresh returns an empty accumulator of the same kind.
	fresh() accumulator
	// resize makes it n slots long; those that are new are empty.
	resize(n int)
	// add adds value i of c, unless NULL, to slot slots[i]. A nil c stands for values that
	// are not NULL and not looked at.
	add(slots []int32, c *stream.Column)
	// addRuns adds runs of values of c to slot, slot+1, ..: the first is [from, ends[0]),
	// each other one begins where the one before ends.
	addRuns(slot, from int, ends []int32, c *stream.Column)
	// merge adds slot from+i of src behind slot slots[i].
	merge(slots []int32, src accumulator, from int)
	// flip is a step of slider.flip for the pane entries from.. here: entry i becomes
	// front[groups[i]], which becomes entry i with it; back[groups[i]] is emptied.
	flip(groups []int32, from int, front, back accumulator)
	// undo sets front[groups[i]] to entry from+i.
	undo(groups []int32, from int, front accumulator)
	// join sets slots 0.. to front[groups[i]] and back[groups[i]] together.
	join(groups []int32, front, back accumulator)
	// slide takes the steps of a single group: this is the log, src the fragment's
	// entries; slots 0.. of out become the windows.
	slide(p *singlePass, src, front, back, out accumulator)
	// drop forgets the first n slots; the others move down.
	drop(n int)
	// result writes g of the slots from, from+1, .. to rows [at, at+n) of c, which has
	// room. It returns false, having written something, if a result is out of range.
	result(g *model.Agg, c *stream.Column, at, from, n int) bool
	// fits reports whether f of a slot is in range.
	fits(f model.AggFunc, slot int) bool
	write(w *state.Writer, slot int)
	read(r *state.Reader, slot int)
}

// newAccumulator returns the accumulator for an aggregate over values of type t, which
// is Invalid for COUNT(*).
func newAccumulator(g *model.Agg, t stream.Type) (accumulator, error) {
	if a := newFolds(g, t); a != nil {
		return a, nil
	}
	switch f := g.Func; f {
	case model.Count:
		return &counts{}, nil
	case model.BoolAnd, model.BoolOr:
		keep := least
		if f == model.BoolOr {
			keep = greatest
		}
		if t == stream.Boolean {
			return &boolExtremes{extremes[int32]{keep: keep}}, nil
		}
	case model.Sum, model.Avg:
		switch {
		case t.IsInteger() || t == stream.Interval:
			return &intSums{}, nil
		case t.IsFloat():
			return &floatSums{}, nil
		case t.IsDecimal():
			return &decimalSums{t: t}, nil
		}
	case model.Min, model.Max:
		keep := least
		if f == model.Max {
			keep = greatest
		}
		switch t.Storage() {
		case stream.Boolean:
			return &boolExtremes{extremes[int32]{keep: keep}}, nil
		case stream.Integer:
			return &extremes[int32]{keep: keep}, nil
		case stream.BigInt:
			return &extremes[int64]{keep: keep}, nil
		case stream.Real:
			return &extremes[float32]{keep: keep}, nil
		case stream.Double:
			return &extremes[float64]{keep: keep}, nil
		case stream.Varchar:
			return &textExtremes{greatest: f == model.Max}, nil
		}
	}
	return nil, fmt.Errorf("aggregate %s of %s is not supported", g.Func, t)
}

// resizeSlots makes s n long; new elements are zero.
func resizeSlots[T any](s []T, n int) []T {
	if n <= len(s) {
		return s[:n]
	}
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, max(n, 2*cap(s), 64))
	copy(out, s)
	return out
}

// dropSlots forgets the first n elements.
func dropSlots[T any](s []T, n int) []T {
	m := copy(s, s[n:])
	clear(s[m:])
	return s[:m]
}

// room makes column c n values long. The new ones, which the caller writes, are not
// NULL. A VARCHAR grows by appending instead.
func room(c *stream.Column, n int) {
	switch c.Type.Storage() {
	case stream.Boolean:
		c.Bits = resizeSlots(c.Bits, stream.WordsFor(n))
	case stream.Integer:
		c.I32 = resizeRaw(c.I32, n)
	case stream.Real:
		c.F32 = resizeRaw(c.F32, n)
	case stream.Double:
		c.F64 = resizeRaw(c.F64, n)
	case stream.Varchar, stream.Invalid:
	default:
		c.I64 = resizeRaw(c.I64, n)
	}
	if c.Valid != nil {
		for old := len(c.Valid); old < stream.WordsFor(n); old++ {
			c.Valid = append(c.Valid, ^uint64(0))
		}
	}
}

// resizeRaw is resizeSlots without clearing.
func resizeRaw[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	out := make([]T, n, max(n, 2*cap(s), 64))
	copy(out, s)
	return out
}

// setNull makes value i of a column NULL. Bits from the first NULL on are set for all
// values there may come to be, so that those after it need not care.
func setNull(c *stream.Column, i int) {
	if words := max(stream.WordsFor(i+1), stream.WordsFor(OutputRows)); len(c.Valid) < words {
		for old := len(c.Valid); old < words; old++ {
			c.Valid = append(c.Valid, ^uint64(0))
		}
	}
	c.Valid.Clear(i)
}

// counts is COUNT.
type counts struct{ n []int64 }

func (a *counts) fresh() accumulator { return &counts{} }
func (a *counts) resize(n int)       { a.n = resizeSlots(a.n, n) }
func (a *counts) drop(n int)         { a.n = dropSlots(a.n, n) }

func (a *counts) add(slots []int32, c *stream.Column) {
	n := a.n
	if c == nil || c.Valid == nil {
		for _, s := range slots {
			n[s]++
		}
		return
	}
	for i, s := range slots {
		n[s] += int64(c.Valid[i>>6] >> (uint(i) & 63) & 1)
	}
}

func (a *counts) merge(slots []int32, src accumulator, from int) {
	n, in := a.n, src.(*counts).n[from:]
	in = in[:len(slots)]
	for i, s := range slots {
		n[s] += in[i]
	}
}

func (a *counts) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*counts).n, back.(*counts).n, a.n[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = log[i] + was
		log[i], b[g] = was, 0
	}
}

func (a *counts) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*counts).n, a.n[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *counts) join(groups []int32, front, back accumulator) {
	f, b := front.(*counts).n, back.(*counts).n
	a.n = resizeRaw(a.n, len(groups))
	for i, g := range groups {
		a.n[i] = f[g] + b[g]
	}
}

func (a *counts) result(_ *model.Agg, c *stream.Column, at, from, n int) bool {
	copy(c.I64[at:at+n], a.n[from:from+n])
	return true
}

func (a *counts) fits(model.AggFunc, int) bool { return true }

func (a *counts) write(w *state.Writer, slot int) { w.Int(a.n[slot]) }
func (a *counts) read(r *state.Reader, slot int)  { a.n[slot] = r.Int() }

// sameKind reports whether two empty accumulators compute the same.
func sameKind(a, b accumulator) bool { return reflect.DeepEqual(a, b) }
