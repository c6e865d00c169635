package operator

import (
	"math"
	"slices"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// bufferSoftBytes is how much of one input an operator buffers before it stops
// wanting more of it while it waits for another input.
const bufferSoftBytes = 4 << 20

// storeCompactRows is how many forgotten rows a store keeps in front before it
// considers moving the others down; half the rows must be forgotten too, so that
// every row is moved at most once on average.
const storeCompactRows = 4096

// storeTextBytesMax bounds the text of one column of a store, whose offsets have 32
// bits; half of what they reach, because rows are added by whole tasks.
const storeTextBytesMax = math.MaxInt32 / 2

// rowStore keeps rows in arrival order in one set of columns and forgets them from the
// front. Beside the columns every row has an order number (its event time, its index in
// the input or its window, as the owner says; it never decreases) and, for keyed
// owners, the hash of its keys.
//
// Rows are addressed by position: head is the oldest row kept, rows.Len the end.
// Positions change when rows are added, not when they are forgotten.
type rowStore struct {
	rows, spare *stream.Batch
	order       []int64
	hash        []uint64
	head        int
	extraBytes  int // per row beside the columns
}

func newRowStore(s *stream.Schema, need []bool, keyed bool) *rowStore {
	st := &rowStore{rows: stream.NewBatch(s, need), spare: stream.NewBatch(s, need), extraBytes: 8}
	if keyed {
		st.extraBytes = 16
	}
	return st
}

// add copies a part's rows behind those kept.
func (s *rowStore) add(p *rowPart) {
	s.compact()
	s.rows.AppendRange(p.rows, 0, p.rows.Len)
	s.order = append(s.order, p.order...)
	s.hash = append(s.hash, p.hash...)
}

func (s *rowStore) compact() {
	switch {
	case s.head == s.rows.Len:
		clearBatch(s.rows)
	case s.head >= storeCompactRows && s.head >= s.rows.Len-s.head:
		s.spare.AppendRange(s.rows, s.head, s.rows.Len)
		s.rows, s.spare = s.spare, s.rows
		clearBatch(s.spare)
	default:
		return
	}
	s.order = append(s.order[:0], s.order[s.head:]...)
	if len(s.hash) > 0 {
		s.hash = append(s.hash[:0], s.hash[s.head:]...)
	}
	s.head = 0
}

// clearBatch empties a batch, keeping its buffers and which columns are absent.
func clearBatch(b *stream.Batch) {
	for c := range b.Cols {
		b.Cols[c].Reset(b.Cols[c].Type)
	}
	b.Len = 0
}

func (s *rowStore) len() int { return s.rows.Len - s.head }

// sizeBytes is what the kept rows occupy; forgotten rows not yet moved away are
// counted by share.
func (s *rowStore) sizeBytes() int64 {
	if s.len() == 0 {
		return 0
	}
	all := int64(s.rows.SizeBytes() + s.extraBytes*s.rows.Len)
	return int64(float64(all) * float64(s.len()) / float64(s.rows.Len))
}

// search returns the first position in [from, rows.Len) whose order is at least v. It
// gallops from the front: windows are mostly small against the rest.
func (s *rowStore) search(from int, v int64) int {
	return gallop(s.order, from, v)
}

// gallop returns the first index in [from, len(a)) of an ascending a with a[i] >= v.
func gallop(a []int64, from int, v int64) int {
	if from >= len(a) || a[from] >= v {
		return from
	}
	lo, step := from, 1
	for lo+step < len(a) && a[lo+step] < v {
		lo += step
		step *= 2
	}
	hi := min(lo+step, len(a))
	for lo+1 < hi {
		if mid := int(uint(lo+hi) >> 1); a[mid] < v {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// checkText reports an error if a text column has outgrown its offsets.
func (s *rowStore) checkText(name string) error {
	for c := range s.rows.Cols {
		if n := len(s.rows.Cols[c].Bytes); n > storeTextBytesMax {
			return textError(name, int64(n))
		}
	}
	return nil
}

func (s *rowStore) snapshot(w *state.Writer) {
	w.Batch(s.rows, s.head, len(s.order))
	for _, v := range s.order[s.head:] {
		w.Int(v)
	}
	w.Bool(len(s.hash) > 0)
	if len(s.hash) > 0 {
		for _, h := range s.hash[s.head:] {
			w.Int(int64(h))
		}
	}
}

func (s *rowStore) restore(r *state.Reader) error {
	r.Batch(s.rows)
	n := s.rows.Len
	if r.Err() != nil {
		return r.Err()
	}
	s.order = s.order[:0]
	for i := 0; i < n && r.Err() == nil; i++ {
		s.order = append(s.order, r.Int())
	}
	if r.Bool() {
		for i := 0; i < n && r.Err() == nil; i++ {
			s.hash = append(s.hash, uint64(r.Int()))
		}
	}
	return r.Err()
}

// appendConstant appends n times the same number to a BIGINT or TIMESTAMP column that
// holds at values.
func appendConstant(c *stream.Column, v int64, at, n int) {
	from := len(c.I64)
	c.I64 = slices.Grow(c.I64, n)[:from+n]
	for i := range c.I64[from:] {
		c.I64[from+i] = v
	}
	if c.Valid == nil {
		return
	}
	for len(c.Valid) < stream.WordsFor(at+n) {
		c.Valid = append(c.Valid, 0)
	}
	for i := at; i < at+n; i++ {
		c.Valid.Set(i)
	}
}
