package operator

import (
	"math/bits"
	"slices"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Pairs by bitmaps.
//
// A condition between columns of the two sides - l.a < r.b, l.a + 150 > r.b - is tested
// for one left row against the right side's whole window at a time: both of its halves
// are computed once per window, as columns; then the left row's value is a constant, and
// comparing a column with a constant gives 64 pairs a word. Further tests narrow the
// words that are not zero yet, and the ones that are left are the pairs. Two tests that
// bound the same expression of the right side from below and above are one: a range, of
// which both ends are constants, costs little more than one comparison.
//
//	right:  b | 3  9  4  7 ..        left row with a = 5:   0 1 0 1 ..
//
// A window with one right row - the average of all, say - is turned around: the left
// column is compared with that row's values, and the ones are the left rows that pair.
//
// A conjunct that is no such test is evaluated for the pairs that are left. In a window
// where a half fails for some row every pair is a candidate, because which pairs fail
// depends on all conjuncts.
type pairBits struct {
	halves [2]*Program // by side: of the conjuncts that are tests
	kinds  []vec.Test  // of those, right half on the left
	tests  []pairTest
	all    bool // nothing else is to be tested

	values  [2][]stream.Column // of the open window
	scratch [2]*ProgramScratch
	slices  [2]sliced
	usable  bool
	n       int           // right rows
	valid   stream.Bitmap // right rows in which no half is NULL
	masked  bool          // some are
	words   stream.Bitmap
	base    int32   // position of the first right row
	hits    []int32 // right rows that pair with the left one and did not fit any more
	single  bool    // there is one right row, and hits are the left rows that pair with it
	at      int     // of those, the next one
}

// pairTest is one or two conjuncts over the same right half. Conjunct i compares value i
// of the halves.
type pairTest struct {
	at, upper int      // conjuncts; upper < 0: there is one
	kind      vec.Test // of at, right half on the left: the lower end if there are two
	below     vec.Test // of upper
}

// newPairBits returns nil if no conjunct is a test between the sides. Without ranges each
// is a test of its own.
func newPairBits(on []*model.Expr, lay *layout, schemas [2]*stream.Schema, ranges bool) (*pairBits, error) {
	b := &pairBits{all: true}
	var halves [2][]*model.Expr
	for _, e := range on {
		l, r, test, ok := lay.splitTest(e)
		if !ok {
			b.all = false
			continue
		}
		halves[0], halves[1] = append(halves[0], l), append(halves[1], shiftColumns(r, -lay.split))
		b.kinds = append(b.kinds, swapped[test])
	}
	if len(b.kinds) == 0 {
		return nil, nil
	}
	b.tests = pairTests(halves[1], b.kinds, ranges)
	for i := range halves {
		var err error
		if b.halves[i], err = Compile(halves[i], schemas[i]); err != nil {
			return nil, err
		}
		b.scratch[i], b.slices[i] = b.halves[i].NewScratch(), newSliced(schemas[i].Len())
	}
	return b, nil
}

// pairTests joins conjuncts to ranges, if it may.
func pairTests(right []*model.Expr, kinds []vec.Test, ranges bool) (out []pairTest) {
	used := make([]bool, len(kinds))
	for i, kind := range kinds {
		if used[i] {
			continue
		}
		t := pairTest{at: i, upper: -1, kind: kind}
		for k := i + 1; k < len(kinds) && ranges && t.upper < 0; k++ {
			if used[k] || !right[k].Equal(right[i]) {
				continue
			}
			switch {
			case isLower(kind) && isUpper(kinds[k]):
				t.upper, t.below, used[k] = k, kinds[k], true
			case isUpper(kind) && isLower(kinds[k]):
				t, used[k] = pairTest{at: k, upper: i, kind: kinds[k], below: kind}, true
			}
		}
		out = append(out, t)
	}
	return out
}

// ranged reports whether a test has two ends.
func (b *pairBits) ranged() bool {
	return slices.ContainsFunc(b.tests, func(t pairTest) bool { return t.upper >= 0 })
}

func isLower(t vec.Test) bool { return t == vec.Greater || t == vec.GreaterEqual }
func isUpper(t vec.Test) bool { return t == vec.Less || t == vec.LessEqual }

// splitTest takes a comparison of numbers between the sides apart.
func (l *layout) splitTest(e *model.Expr) (left, right *model.Expr, test vec.Test, ok bool) {
	if e.Kind != model.CallExpr || len(e.Args) != 2 {
		return nil, nil, 0, false
	}
	test, ok = conditionTests[e.Func]
	left, right = e.Args[0], e.Args[1]
	if !ok || left.Type != right.Type || !integerType(left.Type) && !left.Type.IsFloat() {
		return nil, nil, 0, false
	}
	switch a, b := l.sideOf(left), l.sideOf(right); {
	case a == 0 && b == 1:
		return left, right, test, true
	case a == 1 && b == 0:
		return right, left, swapped[test], true
	}
	return nil, nil, 0, false
}

// sideOf returns the side that all columns of e are of, or -1: both, none, or a window
// column that is not stored.
func (l *layout) sideOf(e *model.Expr) int {
	side := -2
	e.Columns(func(c int) {
		s, _ := l.side(c)
		if side != -2 && side != s || l.roles[c] != stream.NoRole {
			s = -1
		}
		side = s
	})
	return max(side, -1)
}

// open computes the halves for a window's rows. Without success every pair of the window
// is a candidate.
func (b *pairBits) open(sides *[2]pairRows) {
	b.usable = true
	b.hits, b.at = b.hits[:0], 0
	for i, p := range b.halves {
		side := &sides[i]
		for c := range side.rows.Cols {
			if col := &side.rows.Cols[c]; !col.Absent() {
				b.slices[i].slice(c, col, side.from, side.to)
			}
		}
		var bad *Failures
		b.values[i], bad = p.Eval(b.scratch[i], b.slices[i].cols, side.to-side.from)
		b.usable = b.usable && bad == nil
	}
	b.single = sides[1].to-sides[1].from == 1
	constant, column := 0, 1
	if b.single {
		constant, column = 1, 0
	}
	b.n, b.base = sides[column].to-sides[column].from, int32(sides[column].from)
	b.words = resize(b.words, stream.WordsFor(b.n))
	b.masked = false
	for i := range b.values[column] {
		v := b.values[column][i].Valid
		switch {
		case v == nil:
		case b.masked:
			vec.And(b.valid, v[:len(b.words)])
		default:
			b.valid, b.masked = append(b.valid[:0], v[:len(b.words)]...), true
		}
	}
	if b.single && b.usable {
		b.findLeft(b.values[constant], b.values[column])
	}
}

// findLeft makes hits the left rows that pair with the only right one.
func (b *pairBits) findLeft(right, left []stream.Column) {
	for i, kind := range b.kinds {
		t := &pairTest{upper: -1, kind: swapped[kind]}
		if right[i].IsNull(0) {
			return
		}
		b.test(&left[i], t, &right[i], &right[i], 0, i)
	}
	if b.masked {
		vec.And(b.words, b.valid)
	}
	b.hits = slices.Grow(b.hits, b.n+pairsPerWord)
	b.hits = b.hits[:b.positions(b.hits[:b.n+pairsPerWord])]
}

// find sets the bits of the right rows that pair with row of the left window; false if
// there is none because a half is NULL.
func (b *pairBits) find(row int) bool {
	for i := range b.tests {
		t := &b.tests[i]
		l, r := &b.values[0][t.at], &b.values[1][t.at]
		u := l
		if t.upper >= 0 {
			u = &b.values[0][t.upper]
		}
		if l.IsNull(row) || u.IsNull(row) {
			return false
		}
		b.test(r, t, l, u, row, i)
	}
	if b.masked {
		vec.And(b.words, b.valid)
	}
	return true
}

// test compares column v with row of k, or with those of k and upper. It is the number'th
// test of the words.
func (b *pairBits) test(v *stream.Column, t *pairTest, k, upper *stream.Column, row, number int) {
	switch v.Type.Storage() {
	case stream.Integer:
		testPairs(b.words, v.I32[:b.n], t, k.I32[row], upper.I32[row], number)
	case stream.Real:
		testPairs(b.words, v.F32[:b.n], t, k.F32[row], upper.F32[row], number)
	case stream.Double:
		testPairs(b.words, v.F64[:b.n], t, k.F64[row], upper.F64[row], number)
	default:
		testPairs(b.words, v.I64[:b.n], t, k.I64[row], upper.I64[row], number)
	}
}

func testPairs[T vec.Number](words []uint64, v []T, t *pairTest, k, upper T, number int) {
	switch {
	case t.upper >= 0 && number == 0:
		vec.Between(words, v, t.kind, k, t.below, upper)
	case t.upper >= 0:
		vec.NarrowBetween(words, v, t.kind, k, t.below, upper)
	case number == 0:
		vec.Compare(words, v, t.kind, k)
	default:
		vec.Narrow(words, v, t.kind, k)
	}
}

// pairsPerWord is how many positions of a word are written without looking how many
// there are.
const pairsPerWord = 3

// positions writes the positions of the ones in words to out, which has room for all rows
// and pairsPerWord more, and returns how many there are. There are about one or two in a
// word, at random, where a branch would be mispredicted.
func (b *pairBits) positions(out []int32) int {
	n := 0
	for w, m := range b.words {
		base := b.base + int32(w<<6)
		some, count := (*[pairsPerWord]int32)(out[n:]), bits.OnesCount64(m)
		some[0] = base + int32(bits.TrailingZeros64(m))
		m &= m - 1
		some[1] = base + int32(bits.TrailingZeros64(m))
		m &= m - 1
		some[2] = base + int32(bits.TrailingZeros64(m))
		if count > pairsPerWord {
			for at := n + pairsPerWord; at < n+count; at++ {
				m &= m - 1
				out[at] = base + int32(bits.TrailingZeros64(m))
			}
		}
		n += count
	}
	return n
}

// collectBits adds the pairs that pass the tests, at most limit. Those of a left row that
// do not fit any more wait in hits.
func (p *pairing) collectBits(limit int) {
	b := p.bits
	if b.single {
		n := min(len(b.hits)-b.at, limit)
		p.lay.pairs[0] = append(p.lay.pairs[0], b.hits[b.at:b.at+n]...)
		p.lay.pairs[1] = fillFrom(slices.Grow(p.lay.pairs[1], n+fillRows), n, int32(p.rows[1].from))
		b.at += n
		return
	}
	n := min(len(b.hits), limit)
	left := slices.Grow(p.lay.pairs[0], limit+b.n+fillRows)
	right := append(slices.Grow(p.lay.pairs[1], limit+b.n+pairsPerWord), b.hits[:n]...)
	b.hits = append(b.hits[:0], b.hits[n:]...)
	left = fillFrom(left, len(right), int32(p.left))
	for len(right) < limit && p.left+1 < p.rows[0].to {
		p.left++
		if !b.find(p.left - p.rows[0].from) {
			continue
		}
		at := len(right)
		n := b.positions(right[at : at+b.n+pairsPerWord])
		right = right[:at+n]
		left = fillFrom(left, len(right), int32(p.left))
	}
	if len(right) > limit {
		b.hits = append(b.hits, right[limit:]...)
		left, right = left[:limit], right[:limit]
	}
	p.lay.pairs = [2][]int32{left, right}
}

// fillRows is how many places fillFrom writes at a time.
const fillRows = 32

// fillFrom lengthens s to n values by k; s has room for fillRows more.
func fillFrom(s []int32, n int, k int32) []int32 {
	for at := len(s); at < n; at += fillRows {
		block := (*[fillRows]int32)(s[at : at+fillRows])
		for i := range block {
			block[i] = k
		}
	}
	return s[:n]
}
