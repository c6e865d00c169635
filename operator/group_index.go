package operator

import (
	"math/bits"

	"github.com/millrace/millrace/stream"
)

// groupIndex finds the id of a key in a keySet: open addressing with linear probing, at
// most half full, removal by moving followers back (no tombstones).
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

// indexSlotsMin is the size of an empty index.
const indexSlotsMin = 64

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
	if n := len(x.slots); n > indexSlotsMin && n > 64*x.used {
		x.allocate(n / 8)
		return
	}
	clear(x.slots)
	x.used = 0
}

func (x *groupIndex) home(word uint64) int {
	return int(word * 0x9E3779B97F4A7C15 >> (x.shift & 63))
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

// put enters a key that is not here yet.
func (x *groupIndex) put(word uint64, id int32) {
	if 2*(x.used+1) > len(x.slots) {
		old := x.slots
		x.allocate(2 * len(old))
		for _, s := range old {
			if s.tag != 0 {
				x.put(s.word, s.tag-1)
			}
		}
	}
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
	if k.layout.form == oneWord {
		x.wordIDs(k, coder, cols, out[:n])
		return
	}
	for i := 0; i < n; i++ {
		word := coder.word[i]
		slots := x.slots
		mask := len(slots) - 1
		p := x.home(word)
		for {
			s := &slots[p&mask]
			if s.tag == 0 {
				out[i] = x.enter(k, coder, cols, i)
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
	if k.layout.form == twoWords {
		return k.pair[id] == coder.pair[i]
	}
	return string(k.bytes(id)) == string(coder.buf[coder.off[i]:coder.off[i+1]])
}

func (x *groupIndex) wordIDs(k *keySet, coder *keyCoder, cols []stream.Column, out []int32) {
	words := coder.word[:len(out)]
	slots, shift := x.slots, x.shift&63
	for i, word := range words {
		mask := uint64(len(slots) - 1)
		p := word * 0x9E3779B97F4A7C15 >> shift
		for {
			s := &slots[p&mask]
			if s.word == word && s.tag != 0 {
				out[i] = s.tag - 1
				break
			}
			if s.tag == 0 {
				out[i] = x.enter(k, coder, cols, i)
				slots, shift = x.slots, x.shift&63
				break
			}
			p++
		}
	}
}

// enter adds row i as a new key.
func (x *groupIndex) enter(k *keySet, coder *keyCoder, cols []stream.Column, i int) int32 {
	c := coder.at(k.layout, i)
	id := k.add(&c, cols, i)
	x.put(c.word, id)
	return id
}
