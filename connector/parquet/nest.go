package parquet

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// nest says how an ARRAY, a ROW or a part of one is made of entries of the file's leaves.
//
// A leaf has an entry for each value, and one for each place where there is none: a NULL
// or an empty array, anywhere above. An entry's definition level tells how much of the
// path to the leaf is there; its repetition level, at which array of the path a further
// element begins, 0 being a new row:
//
//	ARRAY<ROW<a, b>>       definition           entries of a      entries of b
//	NULL                   0                    0 0               0 0
//	[]                     1                    0 1               0 1
//	[NULL, (7, NULL)]      2, and 3 for NULL b  0 2, 1 4 (7)      0 2, 1 3
//
// (repetition, definition; all parts optional). Several leaves below one part have the
// same entries down to that part, which is checked.
type nest struct {
	def   int    // definition level from which on it is not NULL
	rep   int    // of an ARRAY: repetition level of its elements but the first
	full  int    // of an ARRAY: definition level from which on it has an element
	parts []nest // element, or members
	first int    // of the leaves below it, which are those to `end`
	end   int
}

// nesting is how a nested column is read.
type nesting struct {
	root   nest
	leaves []nestedLeaf
}

// nestedLeaf is a leaf that is read.
type nestedLeaf struct {
	place    int // of its chunk in a group
	read     form
	def, rep int // greatest levels
}

// nestingOf finds the leaves of a column that are needed for type t. The error says of
// what part of the column nothing of the type can be made.
func nestingOf(n *node, t stream.Type, unit int64) (*nesting, error) {
	out := &nesting{}
	var err error
	out.root, err = out.part(n, t, unit)
	return out, err
}

// part binds a node with its repetition.
func (b *nesting) part(n *node, t stream.Type, unit int64) (nest, error) {
	if !n.repeated() {
		return b.value(n, t, unit)
	}
	if !t.IsArray() {
		return nest{}, unreadable(n, t)
	}
	return b.list(n, true, t, n.def-1, unit)
}

// list binds an ARRAY that is there from a definition level on.
func (b *nesting) list(item *node, itself bool, t stream.Type, def int, unit int64) (out nest, err error) {
	out.first, out.def, out.full, out.rep = len(b.leaves), def, def+1, item.rep
	bind := b.part
	if itself {
		bind = b.value
	}
	part, err := bind(item, t.Element(), unit)
	out.parts, out.end = []nest{part}, len(b.leaves)
	return out, err
}

// value binds a node without regard to its repetition.
func (b *nesting) value(n *node, t stream.Type, unit int64) (nest, error) {
	item, itself := n.item()
	switch {
	case item != nil && t.IsArray():
		return b.list(item, itself, t, n.def, unit)
	case item == nil && n.isRow() && t.IsRow():
		return b.row(n, t, unit)
	case len(n.children) > 0 || t.IsNested() || !n.element.Type.Valid:
		return nest{}, unreadable(n, t)
	}
	read, ok := formOf(n.element, t, unit)
	if !ok {
		return nest{}, unreadable(n, t)
	}
	b.leaves = append(b.leaves, nestedLeaf{n.chunk, read, n.def, n.rep})
	return nest{def: n.def, first: len(b.leaves) - 1, end: len(b.leaves)}, nil
}

// row binds members by name: the same, or else the same in another case. Others that the
// file has are not read.
func (b *nesting) row(n *node, t stream.Type, unit int64) (nest, error) {
	out, taken := nest{def: n.def, first: len(b.leaves)}, map[*node]bool{}
	for _, m := range t.Members() {
		var found *node
		for _, c := range n.children {
			if c.element.Name == m.Name || found == nil && strings.EqualFold(c.element.Name, m.Name) {
				found = c
			}
		}
		if found == nil {
			return out, fmt.Errorf("the file has no member %q", m.Name)
		}
		if taken[found] {
			return out, fmt.Errorf("member %q: the file has one member for two", m.Name)
		}
		taken[found] = true
		part, err := b.part(found, m.Type, unit)
		if err != nil {
			return out, fmt.Errorf("member %q: %w", m.Name, err)
		}
		out.parts = append(out.parts, part)
	}
	out.end = len(b.leaves)
	return out, nil
}

func unreadable(n *node, t stream.Type) error {
	if !n.flat() && n.natural() == stream.Invalid {
		return fmt.Errorf("it is %s, which cannot be read yet; leave it out", n.unfit())
	}
	return fmt.Errorf("it is %s, which cannot be read as %s", n.described(), t)
}

// elementBytes is what an entry of a leaf takes in a nested value beside its text, about.
const elementBytes = 8

// nestedBytes is what the values of a nested column of a group take in memory, about.
func (b *nesting) nestedBytes(g *group) (total int64) {
	for _, l := range b.leaves {
		m := &g.chunks[l.place].meta.MetaData
		total += elementBytes * m.NumValues
		if l.read.physical == format.ByteArray || l.read.physical == format.FixedLenByteArray {
			total += m.TotalUncompressedSize
		}
	}
	return total
}
