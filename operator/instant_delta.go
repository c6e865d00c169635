package operator

import (
	"bytes"
	"cmp"

	"github.com/millrace/millrace/stream"
)

// changes are rows of a per-instant relation that appear, or rows that vanish, by
// ascending instant. A row is known by its order: the indexes of the input rows it is
// made of, or for a group the values of its keys.
type changes struct {
	rows    *stream.Batch
	instant []int32 // number of the instant in the lane's result
	a, b    []int64
	keys    *stream.Batch // of groups; nil otherwise
	hash    []uint64      // of the whole row
}

func newChanges(s *stream.Schema, need []bool, keys *stream.Schema) *changes {
	c := &changes{rows: stream.NewBatch(s, need)}
	if keys != nil {
		c.keys = stream.NewBatch(keys, nil)
	}
	return c
}

// hashAll hashes the rows by value, for cancelling.
func (c *changes) hashAll() {
	c.hash = resize(c.hash, c.rows.Len)
	clear(c.hash)
	for i := range c.rows.Cols {
		if col := &c.rows.Cols[i]; !col.Absent() {
			hashColumn(c.hash, col, c.rows.Len)
		}
	}
}

// change is one row of changes.
type change struct {
	in  *changes
	row int
}

// compare orders rows of one instant.
func (x change) compare(y change) int {
	if x.in.keys != nil {
		return compareKeys(x.in.keys, x.row, y.in.keys, y.row)
	}
	if c := cmp.Compare(x.in.a[x.row], y.in.a[y.row]); c != 0 {
		return c
	}
	return cmp.Compare(x.in.b[x.row], y.in.b[y.row])
}

// sameValues reports whether two rows have equal values, NULL equal to NULL.
func (x change) sameValues(y change) bool {
	if x.in.hash[x.row] != y.in.hash[y.row] {
		return false
	}
	for c := range x.in.rows.Cols {
		p, q := &x.in.rows.Cols[c], &y.in.rows.Cols[c]
		if p.Absent() {
			continue
		}
		pn, qn := p.IsNull(x.row), q.IsNull(y.row)
		if pn != qn || !pn && !equalAt(p, x.row, q, y.row) {
			return false
		}
	}
	return true
}

// compareKeys orders by value, column by column: NULLs last, FALSE before TRUE, text
// by bytes, NaN greatest.
func compareKeys(a *stream.Batch, i int, b *stream.Batch, j int) int {
	for c := range a.Cols {
		if r := compareAt(&a.Cols[c], i, &b.Cols[c], j); r != 0 {
			return r
		}
	}
	return 0
}

func compareAt(a *stream.Column, i int, b *stream.Column, j int) int {
	an, bn := a.IsNull(i), b.IsNull(j)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	switch a.Type.Storage() {
	case stream.Boolean:
		return cmp.Compare(hashValue(a, i), hashValue(b, j))
	case stream.Integer:
		return cmp.Compare(a.I32[i], b.I32[j])
	case stream.Real:
		return compareFloats(float64(a.F32[i]), float64(b.F32[j]))
	case stream.Double:
		return compareFloats(a.F64[i], b.F64[j])
	case stream.Varchar:
		return bytes.Compare(a.Text(i), b.Text(j))
	default:
		return cmp.Compare(a.I64[i], b.I64[j])
	}
}

// compareFloats has NaN as the greatest; cmp.Compare would have it least.
func compareFloats(x, y float64) int { return -cmp.Compare(-x, -y) }
