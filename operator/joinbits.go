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
// words that are not zero yet, and the ones that are left are the pairs.
//
//	right:  b | 3  9  4  7 ..        left row with a = 5:   0 1 0 1 ..
//
// A conjunct that is no such test is evaluated for the pairs that are left. In a window
// where a half fails for some row every pair is a candidate, because which pairs fail
// depends on all conjuncts.
type pairBits struct {
	tests [2]*Program // by side: the halves of the tests
	kinds []vec.Test
	all   bool // nothing else is to be tested

	values  [2][]stream.Column // of the open window
	scratch [2]*ProgramScratch
	slices  [2]sliced
	usable  bool
	n       int           // right rows
	valid   stream.Bitmap // right rows in which no half is NULL
	masked  bool          // some are
	words   stream.Bitmap
	base    int32   // position of the first right row
	hits    []int32 // positions of the right rows that pair with the left one
	at      int     // next of hits
}

// newPairBits returns nil if no conjunct is a test between the sides.
func newPairBits(on []*model.Expr, lay *layout, schemas [2]*stream.Schema) (*pairBits, error) {
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
	for i := range halves {
		var err error
		if b.tests[i], err = Compile(halves[i], schemas[i]); err != nil {
			return nil, err
		}
		b.scratch[i], b.slices[i] = b.tests[i].NewScratch(), newSliced(schemas[i].Len())
	}
	return b, nil
}

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
func (b *pairBits) open(sides [2]*windowSide, from, to [2]int) {
	b.usable = true
	b.hits, b.at = b.hits[:0], 0
	for i, p := range b.tests {
		rows := sides[i].store.rows
		for c := range rows.Cols {
			if !rows.Cols[c].Absent() {
				b.slices[i].slice(c, &rows.Cols[c], from[i], to[i])
			}
		}
		var bad *Failures
		b.values[i], bad = p.Eval(b.scratch[i], b.slices[i].cols, to[i]-from[i])
		b.usable = b.usable && bad == nil
	}
	b.n, b.base = to[1]-from[1], int32(from[1])
	b.words = resize(b.words, stream.WordsFor(b.n))
	b.masked = false
	for i := range b.values[1] {
		v := b.values[1][i].Valid
		switch {
		case v == nil:
		case b.masked:
			vec.And(b.valid, v[:len(b.words)])
		default:
			b.valid, b.masked = append(b.valid[:0], v[:len(b.words)]...), true
		}
	}
}

// find makes hits the right rows that pair with row of the left window.
func (b *pairBits) find(row int) {
	b.hits, b.at = b.hits[:0], 0
	for i := range b.kinds {
		l, r := &b.values[0][i], &b.values[1][i]
		if l.IsNull(row) {
			return
		}
		switch l.Type {
		case stream.Integer:
			testPairs(b.words, r.I32[:b.n], b.kinds[i], l.I32[row], i)
		case stream.Real:
			testPairs(b.words, r.F32[:b.n], b.kinds[i], l.F32[row], i)
		case stream.Double:
			testPairs(b.words, r.F64[:b.n], b.kinds[i], l.F64[row], i)
		default:
			testPairs(b.words, r.I64[:b.n], b.kinds[i], l.I64[row], i)
		}
	}
	if b.masked {
		vec.And(b.words, b.valid)
	}
	b.gather()
}

// gather makes hits the positions of the ones in words. There are about one or two in a
// word, at random: two are always written, and a branch is taken only for more.
func (b *pairBits) gather() {
	if cap(b.hits) < b.n+2 {
		b.hits = make([]int32, 0, b.n+2)
	}
	out, n := b.hits[:b.n+2], 0
	for w, m := range b.words {
		base := b.base + int32(w<<6)
		two, count := out[n:n+2:len(out)], bits.OnesCount64(m)
		two[0] = base + int32(bits.TrailingZeros64(m))
		m &= m - 1
		two[1] = base + int32(bits.TrailingZeros64(m))
		if count > 2 {
			for at := n + 2; at < n+count; at++ {
				m &= m - 1
				out[at] = base + int32(bits.TrailingZeros64(m))
			}
		}
		n += count
	}
	b.hits = out[:n]
}

func testPairs[T vec.Number](words []uint64, v []T, test vec.Test, k T, number int) {
	if number == 0 {
		vec.Compare(words, v, test, k)
	} else {
		vec.Narrow(words, v, test, k)
	}
}

// collectBits adds the pairs that pass the tests, at most limit.
func (j *join) collectBits(limit int) {
	b := j.bits
	left, right := j.lay.pairs[0], j.lay.pairs[1]
	for {
		n := min(len(b.hits)-b.at, limit-len(left))
		right = append(right, b.hits[b.at:b.at+n]...)
		left = slices.Grow(left, n)[:len(right)]
		for i := len(left) - n; i < len(left); i++ {
			left[i] = int32(j.left)
		}
		b.at += n
		if len(left) == limit || j.left+1 >= j.to[0] {
			break
		}
		j.left++
		b.find(j.left - j.from[0])
	}
	j.lay.pairs = [2][]int32{left, right}
}
