package operator

// Estimates of what a group takes beside its key's bytes: its place in the index, its
// coded key, its birth; and of one accumulator.
const (
	residentBytes    = 64
	accumulatorBytes = 24
)

// sizeBytes estimates what the groups of the open windows occupy. Texts that MIN and
// MAX hold are left out.
func (a *aggregate) sizeBytes() int64 {
	w := &a.windowState
	size := w.keys.sizeBytes() + a.slotBytes()*int64(w.groupCount(a))
	if s := w.slide; s != nil {
		size += int64(len(s.groups)*4 + len(s.last)*16)
		size += int64(len(s.groups)+len(s.last)) * a.slotBytes()
	}
	size += a.heldBytes()
	for i := range w.sets {
		d := &w.sets[i]
		size += d.keys.sizeBytes() + int64(len(d.log)*4+len(d.last)*12)
	}
	return size
}

// heldBytes estimates what the accumulators refer to: of the live panes, those that are
// flipped are together in front, the others in back.
func (a *aggregate) heldBytes() (size int64) {
	for i, c := range a.cells {
		if _, ok := c.empty.(interface{ heldBytes() int64 }); !ok {
			continue
		}
		size += a.back[i].(interface{ heldBytes() int64 }).heldBytes()
		if a.slide != nil {
			size += a.slide.front[i].(interface{ heldBytes() int64 }).heldBytes()
		}
	}
	return size
}

// slotBytes estimates what the accumulators of one group occupy.
func (a *aggregate) slotBytes() (size int64) {
	for _, c := range a.cells {
		size += accumulatorBytes
		if f, ok := c.empty.(interface{ slotBytes() int }); ok {
			size += int64(f.slotBytes())
		}
	}
	return size
}

func (k *keySet) sizeBytes() int64 {
	size := len(k.arena) + k.n*residentBytes
	for _, t := range k.layout.types {
		size += k.n * t.Width()
	}
	return int64(size)
}

// checkSize fails when the open windows hold more than they may.
func (a *aggregate) checkSize() error {
	return a.env.bounded(limitGroups, a.sizeBytes())
}
