package operator

import (
	"math/bits"

	"github.com/millrace/millrace/stream"
)

// groupIndex finds the id of a key in a keySet: open addressing with linear probing, at
// most three quarters full, removal by moving followers back (no tombstones).
type groupIndex struct {
	slots []groupSlot
	used  int
	shift uint8 // 64 - log2(len(slots))
}

// groupSlot holds the key's word beside its id, so that a probe that fails touches no
// other memory. tag is id+1; 0 is an empty slot.
type groupSlot struct {
	word uint64
	tag  int32
}

// indexSlotsMin is the size of an empty index; indexFactor spreads words over it.
// An index is made smaller only above indexShrinkMin, since a chunk makes room for its rows.
const (
	indexSlotsMin         = 64
	indexShrinkMin        = 16 * ChunkRows
	indexFactor    uint64 = 0x9E3779B97F4A7C15
)

func newGroupIndex() *groupIndex {
	x := &groupIndex{}
	x.allocate(indexSlotsMin)
	return x
}

func (x *groupIndex) allocate(n int) {
	x.slots, x.used = make([]groupSlot, n), 0
	x.shift = uint8(64 - bits.Len(uint(n-1)))
}

// reset empties the index; one that was much too large shrinks.
func (x *groupIndex) reset() {
	if n := len(x.slots); n > indexShrinkMin && n > 64*x.used {
		x.allocate(n / 8)
		return
	}
	clear(x.slots)
	x.used = 0
}

func (x *groupIndex) home(word uint64) int {
	return int(word * indexFactor >> (x.shift & 63))
}

// find returns the id of c in k, or -1.
func (x *groupIndex) find(k *keySet, c *keyCode) int32 {
	mask := len(x.slots) - 1
	for p := x.home(c.word); ; p++ {
		s := &x.slots[p&mask]
		if s.tag == 0 {
			return -1
		}
		if s.word == c.word && k.same(s.tag-1, c) {
			return s.tag - 1
		}
	}
}

// reserve makes room for n more keys.
func (x *groupIndex) reserve(n int) {
	if 4*(x.used+n) <= 3*len(x.slots) {
		return
	}
	size := 2 * len(x.slots)
	for 4*(x.used+n) > 3*size {
		size *= 2
	}
	old := x.slots
	x.allocate(size)
	for _, s := range old {
		if s.tag != 0 {
			x.put(s.word, s.tag-1)
		}
	}
}

// probe loads the slots where keys would be found first: their tags, or 0 where the
// word differs. The loads do not wait for one another, which a search after another
// would.
func (x *groupIndex) probe(words []uint64, keys []int32, tags []int32) {
	slots, shift := x.slots, x.shift&63
	mask := uint64(len(slots) - 1)
	for i, key := range keys {
		word := words[key]
		s := &slots[word*indexFactor>>shift&mask]
		tag := s.tag
		if s.word != word {
			tag = 0
		}
		tags[i] = tag
	}
}

// put enters a key that is not here yet.
func (x *groupIndex) put(word uint64, id int32) {
	x.reserve(1)
	mask := len(x.slots) - 1
	p := x.home(word)
	for x.slots[p&mask].tag != 0 {
		p++
	}
	x.slots[p&mask] = groupSlot{word, id + 1}
	x.used++
}

// remove takes out the id, whose key has the word.
func (x *groupIndex) remove(word uint64, id int32) {
	mask := len(x.slots) - 1
	p := x.home(word) & mask
	for x.slots[p].tag != id+1 {
		p = (p + 1) & mask
	}
	for hole := p; ; {
		p = (p + 1) & mask
		s := x.slots[p]
		if s.tag == 0 {
			x.slots[hole] = groupSlot{}
			break
		}
		// s may move into the hole unless its home lies behind the hole.
		if (p-x.home(s.word))&mask >= (p-hole)&mask {
			x.slots[hole] = s
			hole = p
		}
	}
	x.used--
}

// ids looks up the first n rows of the key columns, adding those that are new, and
// writes their ids to out.
func (x *groupIndex) ids(k *keySet, coder *keyCoder, cols []stream.Column, n int, out []int32) {
	coder.code(k.layout, cols, n)
	switch {
	case k.layout.form == byteKey || len(k.free) > 0:
		x.anyIDs(k, coder, cols, out[:n])
	case k.layout.form == oneWord:
		x.reserve(n)
		x.wordIDs(k, coder, out[:n])
		k.addRows(coder, cols)
	default:
		x.reserve(n)
		x.pairIDs(k, coder, out[:n])
		k.addRows(coder, cols)
	}
}

// anyIDs does it for every form, entering new keys one by one.
func (x *groupIndex) anyIDs(k *keySet, coder *keyCoder, cols []stream.Column, out []int32) {
	for i := range out {
		word := coder.word[i]
		slots := x.slots
		mask := len(slots) - 1
		p := x.home(word)
		for {
			s := &slots[p&mask]
			if s.tag == 0 {
				c := coder.at(k.layout, i)
				out[i] = k.add(&c, cols, i)
				x.put(word, out[i])
				break
			}
			if s.word == word && x.sameRow(k, s.tag-1, coder, i) {
				out[i] = s.tag - 1
				break
			}
			p++
		}
	}
}

func (x *groupIndex) sameRow(k *keySet, id int32, coder *keyCoder, i int) bool {
	switch k.layout.form {
	case oneWord:
		return true
	case twoWords:
		return k.pair[id] == coder.pair[i]
	default:
		return string(k.bytes(id)) == string(coder.buf[coder.off[i]:coder.off[i+1]])
	}
}

// wordIDs does it for keys of one word, without storing new keys: their rows are left
// in coder.fresh.
func (x *groupIndex) wordIDs(k *keySet, coder *keyCoder, out []int32) {
	words := coder.word[:len(out)]
	fresh, next := coder.fresh[:0], int32(k.n)
	slots, shift := x.slots, x.shift&63
	mask := uint64(len(slots) - 1)
	for i, word := range words {
		p := word * indexFactor >> shift
		for {
			s := &slots[p&mask]
			if s.word == word && s.tag != 0 {
				out[i] = s.tag - 1
				break
			}
			if s.tag == 0 {
				out[i] = next
				next++
				*s = groupSlot{word, next}
				fresh = append(fresh, int32(i))
				break
			}
			p++
		}
	}
	x.used += len(fresh)
	coder.fresh = fresh
}

// pairIDs is wordIDs for keys of two words.
func (x *groupIndex) pairIDs(k *keySet, coder *keyCoder, out []int32) {
	words, pairs := coder.word[:len(out)], coder.pair[:len(out)]
	fresh, next := coder.fresh[:0], int32(k.n)
	slots, shift := x.slots, x.shift&63
	mask := uint64(len(slots) - 1)
	// A key that is new in this chunk is compared where it came from.
	k.pair = k.pair[:k.n]
	for i, word := range words {
		p := word * indexFactor >> shift
		for {
			s := &slots[p&mask]
			if s.tag == 0 {
				out[i] = next
				next++
				*s = groupSlot{word, next}
				fresh = append(fresh, int32(i))
				k.pair = append(k.pair, pairs[i])
				break
			}
			if s.word == word && k.pair[s.tag-1] == pairs[i] {
				out[i] = s.tag - 1
				break
			}
			p++
		}
	}
	x.used += len(fresh)
	coder.fresh = fresh
}
