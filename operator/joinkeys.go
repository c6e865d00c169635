package operator

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/millrace/millrace/stream"
)

// Hashing and comparing key columns by value, the way equality of SQL sees them: -0
// equals 0, NaN equals NaN. The hash is the same in every process, because it decides
// the key bucket a row's state is kept in.

const (
	hashSeed  = 0x9e3779b97f4a7c15
	hashMul   = 0xd6e8feb86659fd93
	hashNull  = 0xa0761d6478bd642f
	canonNaN  = 0x7ff8000000000001
	hashWords = 8
)

func hashMix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^hashSeed, hashMul^(h<<1|1))
	return hi ^ lo
}

func floatBits(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return canonNaN
	}
	return math.Float64bits(f)
}

func hashText(h uint64, b []byte) uint64 {
	h = hashMix(h, uint64(len(b)))
	for len(b) >= hashWords {
		h = hashMix(h, binary.LittleEndian.Uint64(b))
		b = b[hashWords:]
	}
	var tail [hashWords]byte
	copy(tail[:], b)
	return hashMix(h, binary.LittleEndian.Uint64(tail[:]))
}

// hashColumn folds the first n values of c into h; a NULL folds like a value.
func hashColumn(h []uint64, c *stream.Column, n int) {
	h = h[:n]
	if c.Valid != nil {
		for i := range h {
			if c.Valid.Get(i) {
				h[i] = hashMix(h[i], hashValue(c, i))
			} else {
				h[i] = hashMix(h[i], hashNull)
			}
		}
		return
	}
	switch c.Type.Storage() {
	case stream.Integer:
		for i, v := range c.I32[:n] {
			h[i] = hashMix(h[i], uint64(v))
		}
	case stream.BigInt:
		for i, v := range c.I64[:n] {
			h[i] = hashMix(h[i], uint64(v))
		}
	default:
		for i := range h {
			h[i] = hashMix(h[i], hashValue(c, i))
		}
	}
}

// hashValue returns bits that are the same for equal values.
func hashValue(c *stream.Column, i int) uint64 {
	switch c.Type.Storage() {
	case stream.Boolean:
		return c.Bits[i>>6] >> (uint(i) & 63) & 1
	case stream.Integer:
		return uint64(c.I32[i])
	case stream.Real:
		return floatBits(float64(c.F32[i]))
	case stream.Double:
		return floatBits(c.F64[i])
	case stream.Varchar:
		return hashText(0, c.Text(i))
	default:
		return uint64(c.I64[i])
	}
}

// equalAt reports whether value i of a equals value j of b; neither is NULL.
func equalAt(a *stream.Column, i int, b *stream.Column, j int) bool {
	switch a.Type.Storage() {
	case stream.Boolean:
		return a.Bits.Get(i) == b.Bits.Get(j)
	case stream.Integer:
		return a.I32[i] == b.I32[j]
	case stream.Real:
		x, y := a.F32[i], b.F32[j]
		return x == y || x != x && y != y
	case stream.Double:
		x, y := a.F64[i], b.F64[j]
		return x == y || x != x && y != y
	case stream.Varchar:
		return bytes.Equal(a.Text(i), b.Text(j))
	default:
		return a.I64[i] == b.I64[j]
	}
}

// rowIndex finds the rows of one run of a store with given keys: a hash table whose
// chains list rows ascending.
type rowIndex struct {
	first []int32 // by slot: position+1-from of the first row, 0: none
	next  []int32 // by row: the next one of the same slot, as in first
	from  int
	mask  uint64
}

// build indexes rows [from, to) whose hashes are h[from:to].
func (x *rowIndex) build(h []uint64, from, to int) {
	x.buildSlots(h, from, to, 1<<bits.Len(uint(max(2*(to-from)-1, 1))))
}

// buildSlots is build with a number of slots, a power of two.
func (x *rowIndex) buildSlots(h []uint64, from, to, slots int) {
	n := to - from
	if cap(x.first) < slots {
		x.first = make([]int32, slots)
	}
	x.first = x.first[:slots]
	clear(x.first)
	if cap(x.next) < n {
		x.next = make([]int32, n)
	}
	x.next = x.next[:n]
	x.from, x.mask = from, uint64(slots-1)
	for i := n - 1; i >= 0; i-- {
		slot := &x.first[h[from+i]&x.mask]
		x.next[i] = *slot
		*slot = int32(i + 1)
	}
}

// lookup returns the first row of the slot of hash h, after the following one; -1 ends
// a chain. The caller compares hashes and keys.
func (x *rowIndex) lookup(h uint64) int { return x.at(x.first[h&x.mask]) }

func (x *rowIndex) after(row int) int { return x.at(x.next[row-x.from]) }

func (x *rowIndex) at(v int32) int {
	if v == 0 {
		return -1
	}
	return x.from + int(v) - 1
}
