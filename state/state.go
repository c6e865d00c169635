// Package state holds what survives a task. Every such thing - a source's position,
// the ingress buffer, open windows, a join's sides, rows waiting between pipelines -
// is an Element with one snapshot protocol: when a job stops at a task boundary each
// element writes itself; a job restored from those bytes, with any number of workers
// and any task size, goes on as if it had not stopped.
package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sort"

	"github.com/millrace/millrace/stream"
)

// Element is one piece of state. Snapshot and Restore are called while nothing else
// uses the element. Restore is called on a fresh element of the same operator; it
// returns an error if the bytes are not what Snapshot wrote.
type Element interface {
	Snapshot(w *Writer)
	Restore(r *Reader) error
}

// Snapshot is the state of a job: each element's bytes by a name that is stable for
// the same model (operator name and element).
type Snapshot struct {
	Elements map[string][]byte
}

// Names returns the elements' names, sorted.
func (s *Snapshot) Names() []string {
	out := make([]string, 0, len(s.Elements))
	for n := range s.Elements {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

const magic = "MILLRACE-SNAPSHOT-1\n"

// A snapshot ends in a checksum (CRC-32C) of everything before it, so that damage on
// its way is found before any element reads it.
const checksumBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode returns the snapshot as one byte string.
func (s *Snapshot) Encode() []byte {
	w := &Writer{buf: []byte(magic)}
	w.Int(int64(len(s.Elements)))
	for _, n := range s.Names() {
		w.Text(n)
		w.Text(string(s.Elements[n]))
	}
	return binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf, castagnoli))
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Snapshot, error) {
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return nil, errors.New("state: not a snapshot, or one of another version")
	}
	body := len(b) - checksumBytes
	if body < len(magic) || crc32.Checksum(b[:body], castagnoli) != binary.LittleEndian.Uint32(b[body:]) {
		return nil, errShort
	}
	r := NewReader(b[len(magic):body])
	s := &Snapshot{Elements: map[string][]byte{}}
	for n := r.Count(2); n > 0; n-- {
		name := r.Text()
		s.Elements[name] = []byte(r.Text())
	}
	return s, r.End()
}

// Writer collects one element's bytes.
type Writer struct{ buf []byte }

// Bytes returns what was written.
func (w *Writer) Bytes() []byte { return w.buf }

// Int writes a signed number.
func (w *Writer) Int(v int64) { w.buf = binary.AppendVarint(w.buf, v) }

// Float writes a float's bits.
func (w *Writer) Float(v float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

// Bool writes a flag.
func (w *Writer) Bool(v bool) {
	var b byte
	if v {
		b = 1
	}
	w.buf = append(w.buf, b)
}

// Text writes a string.
func (w *Writer) Text(s string) {
	w.Int(int64(len(s)))
	w.buf = append(w.buf, s...)
}

// nestedType stands for a type that is named by its text, for its number is the process's.
const nestedType = -1

func (w *Writer) typ(t stream.Type) {
	if !t.IsNested() {
		w.Int(int64(t))
		return
	}
	w.Int(nestedType)
	w.Text(t.String())
}

// Value writes a value.
func (w *Writer) Value(v stream.Value) {
	w.typ(v.Type)
	w.Bool(v.Null)
	switch {
	case v.Null:
	case v.Type.Storage() == stream.Varchar:
		w.Text(v.S)
	case v.Type.IsFloat():
		w.Float(v.F)
	default:
		w.Int(v.I)
	}
}

// Batch writes rows [from, to) of b, event times with their base; absent columns stay
// absent.
func (w *Writer) Batch(b *stream.Batch, from, to int) {
	w.Int(int64(to - from))
	w.Int(int64(len(b.Cols)))
	for c := range b.Cols {
		col := &b.Cols[c]
		w.typ(col.Type)
		if col.Absent() {
			continue
		}
		var base int64
		if c == b.Based {
			base = b.Base
		}
		for i := from; i < to; i++ {
			v := col.Value(i)
			if base != 0 && !v.Null {
				v.I += base
			}
			w.Value(v)
		}
	}
}

// Reader reads what a Writer wrote. The first mismatch is kept and every later read
// returns zero values; callers check End (or Err) once.
type Reader struct {
	buf []byte
	err error
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{buf: b} }

var errShort = errors.New("state: snapshot is cut short or damaged")

func (r *Reader) fail() {
	if r.err == nil {
		r.err = errShort
	}
	r.buf = nil
}

// Err is the first failure.
func (r *Reader) Err() error { return r.err }

// End returns the first failure, or an error if bytes are left over.
func (r *Reader) End() error {
	if r.err == nil && len(r.buf) > 0 {
		r.err = fmt.Errorf("state: %d bytes left over in snapshot", len(r.buf))
	}
	return r.err
}

// Int reads a signed number.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Count reads a number of things that take at least unitBytes each, so that damaged
// bytes cannot ask for more memory than they are long.
func (r *Reader) Count(unitBytes int) int {
	v := r.Int()
	if v < 0 || v > int64(len(r.buf)/max(unitBytes, 1)) {
		r.fail()
		return 0
	}
	return int(v)
}

// Float reads a float.
func (r *Reader) Float() float64 {
	if len(r.buf) < 8 {
		r.fail()
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.buf))
	r.buf = r.buf[8:]
	return v
}

// Bool reads a flag.
func (r *Reader) Bool() bool {
	if len(r.buf) < 1 {
		r.fail()
		return false
	}
	v := r.buf[0]
	r.buf = r.buf[1:]
	return v != 0
}

// Text reads a string.
func (r *Reader) Text() string {
	n := r.Int()
	if n < 0 || n > int64(len(r.buf)) {
		r.fail()
		return ""
	}
	s := string(r.buf[:n])
	r.buf = r.buf[n:]
	return s
}

// typ reads a type, or the Invalid of an absent column.
func (r *Reader) typ() stream.Type {
	n := r.Int()
	if n == nestedType {
		t, ok := stream.ParseType(r.Text())
		if !ok {
			r.fail()
		}
		return t
	}
	t := stream.Type(n)
	if n < 0 || t.IsNested() || int64(t) != n || t != stream.Invalid && !t.Valid() {
		r.fail()
		return stream.Invalid
	}
	return t
}

// Value reads a value.
func (r *Reader) Value() stream.Value {
	v := stream.Value{Type: r.typ(), Null: r.Bool()}
	switch {
	case r.err != nil || v.Null:
	case v.Type.Storage() == stream.Varchar:
		if v.S = r.Text(); v.Type.IsNested() && !stream.ValidNested(v.Type, []byte(v.S)) {
			r.fail()
		}
	case v.Type.IsFloat():
		v.F = r.Float()
	default:
		v.I = r.Int()
	}
	return v
}

// Batch reads rows into b, which is empty, has the same columns, and takes its absent
// ones from what was written.
func (r *Reader) Batch(b *stream.Batch) {
	rows, cols := int(r.Int()), int(r.Int())
	if r.err != nil || rows < 0 || cols != len(b.Cols) {
		r.fail()
		return
	}
	for c := range b.Cols {
		t := r.typ()
		if r.err != nil {
			return
		}
		b.Cols[c].Reset(t)
		if t == stream.Invalid {
			continue
		}
		for i := 0; i < rows && r.err == nil; i++ {
			b.Cols[c].AppendValue(r.Value(), i)
		}
	}
	if r.err == nil {
		b.Len = rows
	}
}
