package operator

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// sortKey compares the rows of batches of one schema by a column.
type sortKey struct {
	model.SortKey
	values func(a, b *stream.Column, i, j int) int // neither is NULL
}

func newSortKey(k model.SortKey, t stream.Type) sortKey {
	s := sortKey{SortKey: k}
	switch t.Storage() {
	case stream.Boolean:
		s.values = func(a, b *stream.Column, i, j int) int { return cmp.Compare(bit(a.Bits.Get(i)), bit(b.Bits.Get(j))) }
	case stream.Integer:
		s.values = func(a, b *stream.Column, i, j int) int { return cmp.Compare(a.I32[i], b.I32[j]) }
	case stream.Real:
		s.values = func(a, b *stream.Column, i, j int) int { return compareFloat(a.F32[i], b.F32[j]) }
	case stream.Double:
		s.values = func(a, b *stream.Column, i, j int) int { return compareFloat(a.F64[i], b.F64[j]) }
	case stream.Varchar:
		s.values = func(a, b *stream.Column, i, j int) int { return bytes.Compare(a.Text(i), b.Text(j)) }
	default:
		s.values = func(a, b *stream.Column, i, j int) int { return cmp.Compare(a.I64[i], b.I64[j]) }
	}
	return s
}

// compareFloat has NaN as the greatest number.
func compareFloat[T float32 | float64](a, b T) int {
	if a != a || b != b { //nolint:staticcheck // NaN
		return cmp.Compare(bit(a != a), bit(b != b)) //nolint:staticcheck // NaN
	}
	return cmp.Compare(a, b)
}

// compare orders row i of a and row j of b.
func (k *sortKey) compare(a, b *stream.Batch, i, j int) int {
	x, y := &a.Cols[k.Column], &b.Cols[k.Column]
	if x.Valid != nil || y.Valid != nil {
		if xn, yn := x.IsNull(i), y.IsNull(j); xn || yn {
			c := cmp.Compare(bit(xn), bit(yn))
			if k.NullsFirst {
				c = -c
			}
			return c
		}
	}
	c := k.values(x, y, i, j)
	if k.Descending {
		c = -c
	}
	return c
}

func (s *sorter) compare(a, b *stream.Batch, i, j int) int {
	for n := range s.keys {
		if c := s.keys[n].compare(a, b, i, j); c != 0 {
			return c
		}
	}
	return 0
}

// sortOrder are the rows of a task that matter, window after window, each window's in
// its order.
type sortOrder struct {
	rows  []int32
	moved bool // they are not all rows of the task in their places
}

func (o *sortOrder) reset() { o.rows, o.moved = o.rows[:0], false }

// add takes rows [from, to), which are of one window.
func (o *sortOrder) add(s *sorter, b *stream.Batch, from, to int) {
	at := len(o.rows)
	for i := from; i < to; i++ {
		o.rows = append(o.rows, int32(i))
	}
	own := o.rows[at:]
	byKeys := func(i, j int32) int { return s.compare(b, b, int(i), int(j)) }
	if len(s.keys) > 0 && !slices.IsSortedFunc(own, byKeys) {
		slices.SortStableFunc(own, byKeys)
		o.moved = true
	}
	if kept := s.cut(b, own); kept < len(own) {
		o.rows = o.rows[:at+kept]
		o.moved = true
	}
}

// cut keeps, at the front of rows of b in their order, which are of one window, those that
// can be put out, and returns how many they are.
func (s *sorter) cut(b *stream.Batch, rows []int32) int {
	if s.keep < 0 || int64(len(rows)) <= s.keep {
		return len(rows)
	}
	if s.groups == 0 {
		return int(s.keep)
	}
	kept, count := 0, int64(0)
	for i, r := range rows {
		if count++; i > 0 && !s.sameGroup(b, int(rows[i-1]), int(r)) {
			count = 1
		}
		if count <= s.keep {
			rows[kept] = r
			kept++
		}
	}
	return kept
}

// sortedRows are rows in runs, each sorted: run i ends at row ends[i].
type sortedRows struct {
	rows  *stream.Batch
	ends  []int
	order [2][]int32 // scratch: rows as they are merged
	// settled is how many rows were left when the runs were merged last.
	settled int
}

func (r *sortedRows) clear() {
	clearBatch(r.rows)
	r.ends, r.settled = r.ends[:0], 0
}

// add appends a run, or goes on with the last one where its rows do not belong before it.
func (r *sortedRows) add(s *sorter, b *stream.Batch, from, to int) {
	if from == to {
		return
	}
	follows := r.rows.Len > 0 && s.compare(r.rows, b, r.rows.Len-1, from) <= 0
	r.rows.AppendRange(b, from, to)
	if follows {
		r.ends[len(r.ends)-1] = r.rows.Len
	} else {
		r.ends = append(r.ends, r.rows.Len)
	}
}

// settle merges the runs to one and drops the rows that do not matter.
func (r *sortedRows) settle(s *sorter, spare *sortedRows) {
	if len(r.ends) <= 1 && (s.keep < 0 || int64(r.rows.Len) <= s.keep || r.settled == r.rows.Len) {
		return
	}
	order := r.merged(s)
	order = order[:s.cut(r.rows, order)]
	n := len(order)
	r.settled = n
	clearBatch(spare.rows)
	spare.rows.AppendSelected(r.rows, order)
	r.rows, spare.rows = spare.rows, r.rows
	if r.ends = r.ends[:0]; n > 0 {
		r.ends = append(r.ends, n)
	}
}

// merged is the order of all rows: runs are merged in pairs of neighbours until one is
// left.
func (r *sortedRows) merged(s *sorter) []int32 {
	from, to := &r.order[0], &r.order[1]
	*from = resizeRaw(*from, r.rows.Len)
	for i := range *from {
		(*from)[i] = int32(i)
	}
	ends := r.ends
	for len(ends) > 1 {
		*to = (*to)[:0]
		kept, start := 0, 0
		for i := 0; i < len(ends); i += 2 {
			mid, end := ends[i], ends[i]
			if i+1 < len(ends) {
				end = ends[i+1]
			}
			*to = r.mergeTwo(s, *to, (*from)[start:mid], (*from)[mid:end])
			ends[kept] = end
			start = end
			kept++
		}
		ends = ends[:kept]
		from, to = to, from
	}
	return *from
}

func (r *sortedRows) mergeTwo(s *sorter, out, a, b []int32) []int32 {
	for len(a) > 0 && len(b) > 0 {
		if s.compare(r.rows, r.rows, int(a[0]), int(b[0])) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}
