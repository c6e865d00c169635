package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// schemaDepthMax is how deep the groups of a file's schema may be nested; beyond it the
// file is refused.
const schemaDepthMax = 256

// node is an element of the file's schema with those below it.
type node struct {
	element  *format.SchemaElement
	children []*node
	chunk    int // of its first leaf, among those of the whole file
	// def and rep are the greatest levels of the node: how many of it and those above it may
	// be missing, and how many may be several.
	def, rep int
}

// treeOf makes trees of the file's elements, one for each column, and lists the leaves.
func treeOf(elements []format.SchemaElement) (columns, leaves []*node, err error) {
	if len(elements) == 0 {
		return nil, nil, fmt.Errorf("%w: it has no schema", errDamaged)
	}
	t := tree{rest: elements[1:]}
	for range elements[0].NumChildren.V {
		n, err := t.node(node{}, 0)
		if err != nil {
			return nil, nil, err
		}
		columns = append(columns, n)
	}
	return columns, t.leaves, nil
}

type tree struct {
	rest   []format.SchemaElement
	leaves []*node
}

func (t *tree) node(above node, depth int) (*node, error) {
	if len(t.rest) == 0 {
		return nil, fmt.Errorf("%w: its schema is cut off", errDamaged)
	}
	if depth > schemaDepthMax {
		return nil, fmt.Errorf("its columns are nested more than %d deep", schemaDepthMax)
	}
	n := &node{element: &t.rest[0], chunk: len(t.leaves), def: above.def, rep: above.rep}
	t.rest = t.rest[1:]
	switch n.element.RepetitionType.V {
	case format.Optional:
		n.def++
	case format.Repeated:
		n.def, n.rep = n.def+1, n.rep+1
	}
	if n.element.NumChildren.V <= 0 {
		t.leaves = append(t.leaves, n)
		return n, nil
	}
	for range n.element.NumChildren.V {
		child, err := t.node(*n, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	return n, nil
}

// flat: a column of values, not of lists or groups.
func (n *node) flat() bool {
	return len(n.children) == 0 && n.element.RepetitionType.V != format.Repeated && n.element.Type.Valid
}

func (n *node) repeated() bool { return n.element.RepetitionType.V == format.Repeated }

// item is the element of a group that is a LIST, and whether it is the repeated node
// itself, as old writers have it, and not the child of that; nil: the group is none. The
// rules are those of "Backward-compatibility rules" in parquet-format's LogicalTypes.md.
func (n *node) item() (item *node, itself bool) {
	if logical(n.element) != "LIST" || len(n.children) != 1 || !n.children[0].repeated() {
		return nil, false
	}
	r := n.children[0]
	switch {
	case len(r.children) != 1, r.children[0].repeated(), r.element.Name == "array", r.element.Name == n.element.Name+"_tuple":
		return r, true
	}
	return r.children[0], false
}

// isRow: the node is a group of members, without regard to its repetition.
func (n *node) isRow() bool { return len(n.children) > 0 && logical(n.element) == "" }

// natural is the type that a nested column, or a part of one, has by itself; Invalid if
// there is none.
func (n *node) natural() stream.Type {
	t := n.value()
	if n.repeated() && t != stream.Invalid {
		t = stream.Array(t)
	}
	return t
}

// value is natural without regard to the node's repetition.
func (n *node) value() stream.Type {
	item, itself := n.item()
	switch {
	case item != nil:
		t := item.natural()
		if itself {
			t = item.value()
		}
		if t != stream.Invalid {
			t = stream.Array(t)
		}
		return t
	case n.isRow():
		return n.row()
	case len(n.children) > 0 || !n.element.Type.Valid:
		return stream.Invalid
	}
	t := natural(n.element)
	if t == stream.JSON {
		t = stream.Varchar // JSON is not compared, so it is no part of what is
	}
	return t
}

// row is the ROW of a group.
func (n *node) row() stream.Type {
	members := make([]stream.Member, len(n.children))
	for i, c := range n.children {
		members[i] = stream.Member{Name: c.element.Name, Type: c.natural()}
		if members[i].Type == stream.Invalid {
			return stream.Invalid
		}
	}
	return stream.FoldedRow(members)
}

// described is what a column or a part of one is, for messages.
func (n *node) described() string {
	if n.flat() {
		return typeName(n.element)
	}
	if t := n.natural(); t != stream.Invalid {
		return t.String()
	}
	return n.unfit()
}

// unfit names what has no type in a nested column that has none.
func (n *node) unfit() string {
	if n.repeated() {
		return "ARRAY of " + n.unfitValue()
	}
	return n.unfitValue()
}

func (n *node) unfitValue() string {
	item, itself := n.item()
	switch {
	case item != nil && itself:
		return "ARRAY of " + item.unfitValue()
	case item != nil:
		return "ARRAY of " + item.unfit()
	case n.isRow():
		for _, c := range n.children {
			if c.natural() == stream.Invalid {
				return fmt.Sprintf("ROW with %q %s", c.element.Name, c.unfit())
			}
		}
		return "ROW with too many members or two of one name, or nested too deep"
	case len(n.children) > 0 && logical(n.element) == "LIST":
		return "LIST of an unknown form"
	case len(n.children) > 0:
		return logical(n.element)
	case !n.element.Type.Valid:
		return "ROW without members"
	}
	return typeName(n.element)
}
