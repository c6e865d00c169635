package stream

import (
	"math"
	"sync/atomic"
)

// Event times and watermarks are int64 microseconds since 1970-01-01 UTC.
const (
	MinTime int64 = math.MinInt64 // before every row: the watermark of a stream that has not begun
	MaxTime int64 = math.MaxInt64 // after every row: the watermark of a stream that has ended
)

// RowKind is the kind of a changelog's row.
type RowKind uint8

// The kinds. A batch without kinds holds inserts only.
const (
	Insert RowKind = iota
	UpdateBefore
	UpdateAfter
	Delete
)

// Batch is an immutable run of consecutive rows of one stream. Once handed on it may
// be read by any number of goroutines and written by none.
//
// A batch taken from a Pool is counted: whoever keeps it beyond the call that handed
// it over calls Retain, and every holder calls Release once; the last one gives its
// buffers back. For a batch without a pool both are no-ops.
type Batch struct {
	Schema *Schema
	Len    int
	Cols   []Column
	Kinds  []RowKind // nil: append-only
	First  int64     // index in the stream of row 0

	// Base is to be added to every value of column Based, the event time. A source that
	// gives the same rows again need not write their times anew; what reads a batch goes
	// through something that adds it. It is never below 0.
	Base  int64
	Based int

	own  []Column // by column, while it is borrowed: the batch's own buffers
	lent []bool

	pool     *Pool
	capacity int // bytes of its buffers, while it is idle
	refs     atomic.Int32
}

// Borrow makes column i an alias of c, whose buffers live at least as long as anybody
// holds the batch and are not changed. They are not taken into the pool.
func (b *Batch) Borrow(i int, c Column) {
	if b.lent == nil {
		b.own, b.lent = make([]Column, len(b.Cols)), make([]bool, len(b.Cols))
	}
	if !b.lent[i] {
		b.own[i], b.lent[i] = b.Cols[i], true
	}
	b.Cols[i] = c
}

// giveBack ends all borrowing.
func (b *Batch) giveBack() {
	for i, lent := range b.lent {
		if lent {
			b.Cols[i], b.own[i], b.lent[i] = b.own[i], Column{}, false
		}
	}
}

// Column returns column i.
func (b *Batch) Column(i int) *Column { return &b.Cols[i] }

// Row returns the values of row i; for borders and tests.
func (b *Batch) Row(i int) []Value {
	out := make([]Value, len(b.Cols))
	for c := range b.Cols {
		if b.Cols[c].Absent() {
			out[c] = NullOf(b.Schema.Fields[c].Type)
			continue
		}
		out[c] = b.Cols[c].Value(i)
		if c == b.Based && b.Base != 0 && !out[c].Null {
			out[c].I += b.Base
		}
	}
	return out
}

// AppendRow appends one value per column; for borders and tests.
func (b *Batch) AppendRow(row []Value) {
	for c := range b.Cols {
		if !b.Cols[c].Absent() {
			b.Cols[c].AppendValue(row[c], b.Len)
		}
	}
	b.Len++
}

// AppendRange appends rows [from, to) of src, which has the same columns.
func (b *Batch) AppendRange(src *Batch, from, to int) {
	for c := range b.Cols {
		if !b.Cols[c].Absent() {
			b.Cols[c].AppendRange(&src.Cols[c], from, to, b.Len)
		}
	}
	b.Len += to - from
	b.addBase(src, to-from)
}

// addBase adds the base of src to the last n rows, which were copied from it.
func (b *Batch) addBase(src *Batch, n int) {
	if src.Base == 0 || b.Cols[src.Based].Absent() {
		return
	}
	times := b.Cols[src.Based].I64[b.Len-n : b.Len]
	for i := range times {
		times[i] += src.Base
	}
}

// Settle adds the base to the values. Only who made the batch may, before handing it on.
func (b *Batch) Settle() {
	if b.Base == 0 {
		return
	}
	from := b.Cols[b.Based].I64
	if b.lent != nil && b.lent[b.Based] {
		b.Cols[b.Based], b.own[b.Based], b.lent[b.Based] = b.own[b.Based], Column{}, false
		b.Cols[b.Based].I64 = extend(b.Cols[b.Based].I64[:0], len(from))
	}
	for i, t := range from {
		b.Cols[b.Based].I64[i] = t + b.Base
	}
	b.Base = 0
}

// Settled returns rows [from, to) with the base added: the batch itself, if it has none,
// else a copy outside any pool.
func (s Span) Settled() Span {
	if s.Batch.Base == 0 {
		return s
	}
	need := make([]bool, len(s.Batch.Cols))
	for i := range need {
		need[i] = !s.Batch.Cols[i].Absent()
	}
	out := NewBatch(s.Batch.Schema, need)
	out.First = s.Batch.First + int64(s.From)
	out.AppendRange(s.Batch, s.From, s.To)
	return Span{Batch: out, To: out.Len}
}

// SizeBytes is the memory the values occupy.
func (b *Batch) SizeBytes() int {
	size := 0
	for c := range b.Cols {
		size += b.Cols[c].SizeBytes()
	}
	return size
}

// NewBatch returns an empty batch outside any pool. Columns for which need is false
// are absent; a nil need means all.
func NewBatch(s *Schema, need []bool) *Batch {
	b := &Batch{}
	b.reset(s, need)
	return b
}

func (b *Batch) reset(s *Schema, need []bool) {
	b.giveBack()
	b.Schema, b.Len, b.Kinds, b.First, b.Base, b.Based = s, 0, nil, 0, 0, 0
	if cap(b.Cols) < len(s.Fields) {
		b.Cols = make([]Column, len(s.Fields))
	}
	b.Cols = b.Cols[:len(s.Fields)]
	for i, f := range s.Fields {
		t := f.Type
		if need != nil && !need[i] {
			t = Invalid
		}
		b.Cols[i].Reset(t)
	}
}

// Retain adds a holder.
func (b *Batch) Retain() {
	if b.pool != nil {
		b.refs.Add(1)
	}
}

// Release ends a holder's use; after it the holder must not touch the batch.
func (b *Batch) Release() {
	if b.pool == nil {
		return
	}
	switch n := b.refs.Add(-1); {
	case n == 0:
		b.pool.put(b)
	case n < 0:
		panic("stream: batch released more often than retained")
	}
}

// Span is rows [From, To) of a batch: how tasks refer to rows without copying.
type Span struct {
	Batch    *Batch
	From, To int
}

// Len is the number of rows.
func (s Span) Len() int { return s.To - s.From }
