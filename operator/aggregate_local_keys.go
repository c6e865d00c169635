package operator

import (
	"math"
	"math/bits"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/stream"
)

// localKeys gives keys of whole numbers ids, 0.. in order of first appearance.
//
// A key is packed into one word: every column takes as many bits as the range of the
// values seen so far needs. A value outside widens the range, and all words are packed
// anew. Small words index a table; others go to open addressing.
type localKeys struct {
	columns []localKey
	width   int      // bits of a word
	word    []uint64 // by id
	dense   []int32  // by word: id+1; in use if width <= denseBits
	slots   []groupSlot
	shift   uint8 // of slots: 64 - log2(len)

	codes []uint64   // scratch: the chunk's words
	next  []localKey // scratch of cover
}

// localKey is a column's place in the word: value - base in bits from shift on, and if
// there was a NULL one more bit above that says so.
type localKey struct {
	wide      bool // 64 bits
	base, top int64
	nulls     int // 1 once there was a NULL
	bits      int // 0: no value seen
	shift     uint
}

// denseBits is the size of words that index a table directly.
const denseBits = 14

func (k *localKeys) init(wide []bool) {
	for _, w := range wide {
		k.columns = append(k.columns, localKey{wide: w})
	}
	k.reset()
}

// reset forgets all keys and ranges.
func (k *localKeys) reset() {
	for j := range k.columns {
		k.columns[j] = localKey{wide: k.columns[j].wide}
	}
	k.width = 0
	k.word = k.word[:0]
	k.layOut()
}

// layOut makes an empty index for words of the width.
func (k *localKeys) layOut() {
	if k.width <= denseBits {
		k.dense = resizeRaw(k.dense, 1<<k.width)
		clear(k.dense)
		return
	}
	if k.slots == nil {
		k.slots = make([]groupSlot, 1<<12)
	}
	clear(k.slots)
	k.shift = uint8(64 - bits.Len(uint(len(k.slots)-1)))
}

// ids writes the ids of n rows; false if keys do not fit a word.
func (k *localKeys) ids(cols []stream.Column, n int, out []int32) bool {
	k.codes = resizeRaw(k.codes, n)
	if !k.code(k.codes, cols) && !(k.cover(cols, n) && k.code(k.codes, cols)) {
		return false
	}
	if k.width <= denseBits {
		k.denseIDs(k.codes, out)
	} else {
		k.hashIDs(k.codes, out)
	}
	return true
}

// cover widens the columns' ranges to the rows' values.
func (k *localKeys) cover(cols []stream.Column, n int) bool {
	k.next = append(k.next[:0], k.columns...)
	widened := false
	for j := range k.next {
		c := &k.next[j]
		lo, hi := rangeOf(&cols[j], n, c.wide)
		nulls := cols[j].Valid != nil && c.nulls == 0
		if c.bits > 0 && lo >= c.base && hi <= c.top && !nulls {
			continue
		}
		widened = true
		if nulls {
			c.nulls = 1
		}
		c.widen(lo, hi)
	}
	return !widened || k.repack()
}

// rangeOf returns the least and greatest value, those under NULLs included.
func rangeOf(c *stream.Column, n int, wide bool) (lo, hi int64) {
	if wide {
		return vec.MinMax(c.I64[:n])
	}
	l, h := vec.MinMax(c.I32[:n])
	return int64(l), int64(h)
}

// widen makes the range hold lo to hi. A range that was too small once goes on in the
// direction in which it was left.
func (c *localKey) widen(lo, hi int64) {
	again := c.bits > 0
	down := again && lo < c.base
	if again {
		lo, hi = min(lo, c.base), max(hi, c.top)
	}
	c.bits = max(1, bits.Len64(uint64(hi)-uint64(lo)))
	if again && c.bits < 64 {
		c.bits++
	}
	reach := ^uint64(0) >> (64 - c.bits) // top - base, if both are in int64
	if down {
		c.top, c.base = hi, math.MinInt64
		if reach < uint64(hi)-1<<63 {
			c.base = int64(uint64(hi) - reach)
		}
		return
	}
	c.base, c.top = lo, math.MaxInt64
	if reach < math.MaxInt64-uint64(lo) {
		c.top = int64(uint64(lo) + reach)
	}
}

// repack gives the columns their new places and the words their new form; false if
// keys are wider than a word.
func (k *localKeys) repack() bool {
	width := 0
	for j := range k.next {
		k.next[j].shift = uint(width)
		width += k.next[j].bits + k.next[j].nulls
	}
	if width > 64 {
		return false
	}
	for i, w := range k.word {
		var packed uint64
		for j := range k.next {
			v, null := k.columns[j].value(w)
			packed |= k.next[j].pack(v, null)
		}
		k.word[i] = packed
	}
	copy(k.columns, k.next)
	k.width = width
	k.layOut()
	for id, w := range k.word {
		k.put(w, int32(id))
	}
	return true
}

// value returns the column's value in a word.
func (c *localKey) value(word uint64) (v int64, null bool) {
	if c.bits == 0 {
		return 0, true
	}
	if c.nulls != 0 && word>>((c.shift+uint(c.bits))&63)&1 != 0 {
		return 0, true
	}
	return int64(uint64(c.base) + word>>(c.shift&63)&(^uint64(0)>>(64-c.bits))), false
}

func (c *localKey) pack(v int64, null bool) uint64 {
	if null {
		return 1 << ((c.shift + uint(c.bits)) & 63)
	}
	return (uint64(v) - uint64(c.base)) << (c.shift & 63)
}

// code packs the keys of a chunk; false if a value is outside its column's range.
func (k *localKeys) code(words []uint64, cols []stream.Column) bool {
	clear(words)
	for j := range k.columns {
		c, col := &k.columns[j], &cols[j]
		if c.bits == 0 || col.Valid != nil && c.nulls == 0 {
			return false
		}
		var over uint64
		if c.wide {
			over = vec.Pack(words, col.I64[:len(words)], uint64(c.base), c.shift)
		} else {
			over = vec.Pack(words, col.I32[:len(words)], uint64(c.base), c.shift)
		}
		if over>>(c.bits-1)>>1 != 0 {
			return false
		}
		c.clearNulls(words, col)
	}
	return true
}

// clearNulls gives NULLs their code.
func (c *localKey) clearNulls(words []uint64, col *stream.Column) {
	if col.Valid == nil {
		return
	}
	mask, null := ^(^uint64(0) >> (64 - c.bits) << (c.shift & 63)), c.pack(0, true)
	for i := range words {
		if !col.Valid.Get(i) {
			words[i] = words[i]&mask | null
		}
	}
}

func (k *localKeys) denseIDs(codes []uint64, out []int32) {
	table, mask := k.dense, uint64(len(k.dense)-1)
	out = out[:len(codes)]
	for i, w := range codes {
		tag := table[w&mask]
		if tag == 0 {
			k.word = append(k.word, w)
			tag = int32(len(k.word))
			table[w&mask] = tag
		}
		out[i] = tag - 1
	}
}

func (k *localKeys) hashIDs(codes []uint64, out []int32) {
	k.reserve(len(codes))
	slots, shift := k.slots, k.shift&63
	mask := uint64(len(slots) - 1)
	out = out[:len(codes)]
	for i, w := range codes {
		p := w * indexFactor >> shift
		for {
			s := &slots[p&mask]
			if s.word == w && s.tag != 0 {
				out[i] = s.tag - 1
				break
			}
			if s.tag == 0 {
				k.word = append(k.word, w)
				*s = groupSlot{w, int32(len(k.word))}
				out[i] = s.tag - 1
				break
			}
			p++
		}
	}
}

// reserve makes room for n more keys in the slots: they are at most half full.
func (k *localKeys) reserve(n int) {
	size := len(k.slots)
	for 2*(len(k.word)+n) > size {
		size *= 2
	}
	if size == len(k.slots) {
		return
	}
	k.slots = make([]groupSlot, size)
	k.layOut()
	for id, w := range k.word {
		k.put(w, int32(id))
	}
}

// put enters a key that is not here yet.
func (k *localKeys) put(word uint64, id int32) {
	if k.width <= denseBits {
		k.dense[word] = id + 1
		return
	}
	if 2*int(id+1) > len(k.slots) {
		k.reserve(1)
		return // which entered it
	}
	mask := len(k.slots) - 1
	p := int(word * indexFactor >> (k.shift & 63))
	for k.slots[p&mask].tag != 0 {
		p++
	}
	k.slots[p&mask] = groupSlot{word, id + 1}
}
