package operator

import "github.com/millrace/millrace/stream"

// packedGroups finds the groups of a task where keys are whole numbers: by words of as
// many bits as the keys' ranges need (localKeys), which index a table where they are
// few. Keys too wide for a word go to the general index.
type packedGroups struct {
	able bool // the keys are whole numbers, and no other way is there or forced
	on   bool // in this task, so far
	keys localKeys
	// age counts tasks: ranges are kept from one to the next, but not for ever, because
	// they only grow.
	age   int
	fresh []int32 // rows of the chunk whose keys are new
	cols  []stream.Column
}

// packedAgeMax is for how many tasks ranges are kept.
const packedAgeMax = 256

func (p *packedGroups) init(a *aggregate) {
	if p.able = a.wholeKeys(); !p.able {
		return
	}
	var wide []bool
	for _, t := range a.layout.types {
		wide = append(wide, t.Storage() != stream.Integer)
	}
	p.keys.init(wide)
	p.cols = make([]stream.Column, a.keys)
}

// wholeKeys reports whether groups are looked for by packed words.
func (a *aggregate) wholeKeys() bool {
	for _, t := range a.layout.types {
		if !integerType(t) {
			return false
		}
	}
	return a.keys > 0 && a.tables == nil && a.env.Force.Group != "hash"
}

// begin forgets the keys of the task before.
func (p *packedGroups) begin() {
	if p.on = p.able; !p.on {
		return
	}
	if p.age++; p.age < packedAgeMax {
		p.keys.forget()
	} else {
		p.keys.reset()
		p.age = 0
	}
}

// ids is groupIndex.ids; false if keys do not fit, of which then none has been entered.
func (p *packedGroups) ids(k *keySet, coder *keyCoder, cols []stream.Column, n int, out []int32) bool {
	if !p.keys.ids(cols, n, out) {
		p.able, p.on = false, false
		return false
	}
	if len(p.keys.word) == k.n {
		return true
	}
	p.fresh = p.fresh[:0]
	for i, id := range out[:n] {
		if int(id) == k.n+len(p.fresh) {
			p.fresh = append(p.fresh, int32(i))
		}
	}
	for j := range p.cols {
		selectColumn(&p.cols[j], &cols[j], p.fresh)
	}
	coder.code(k.layout, p.cols, len(p.fresh))
	coder.fresh = coder.fresh[:0]
	for i := range p.fresh {
		coder.fresh = append(coder.fresh, int32(i))
	}
	switch k.layout.form {
	case twoWords:
		k.pair = append(k.pair[:k.n], coder.pair...)
		k.addRows(coder, p.cols)
	case oneWord:
		k.addRows(coder, p.cols)
	default:
		for i := range p.fresh {
			c := coder.at(k.layout, i)
			k.add(&c, p.cols, i)
		}
	}
	return true
}

// enter puts all keys of a set, none of which was removed, into an empty index.
func (x *groupIndex) enter(k *keySet) {
	x.reserve(k.n)
	for id, word := range k.word[:k.n] {
		x.put(word, int32(id))
	}
}

// keyIDs finds the groups of a chunk's rows by their keys.
func (s *aggregateScratch) keyIDs(c *Chunk) {
	keys, cols := s.f.keys, c.Cols[:s.a.keys]
	if s.packed.on {
		if s.packed.ids(keys, &s.coder, cols, c.Len, s.ids[:c.Len]) {
			return
		}
		s.index.enter(keys)
	}
	s.index.ids(keys, &s.coder, cols, c.Len, s.ids)
}

// forget forgets all keys, but not their ranges.
func (k *localKeys) forget() {
	switch {
	case k.width > denseBits:
		if n := len(k.slots); n > 1<<12 && n > 64*len(k.word) {
			k.slots = make([]groupSlot, n/8)
		}
		k.layOut()
	case 8*len(k.word) > len(k.dense):
		clear(k.dense)
	default:
		for _, w := range k.word {
			k.dense[w] = 0
		}
	}
	k.word = k.word[:0]
}
