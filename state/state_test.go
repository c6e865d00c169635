package state

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var everyType = func() *stream.Schema {
	s := &stream.Schema{}
	for _, t := range stream.Types {
		s.Fields = append(s.Fields, stream.Field{Name: t.String(), Type: t})
	}
	return s
}()

func values(r *rand.Rand) []stream.Value {
	var out []stream.Value
	for _, t := range stream.Types {
		v := stream.Value{Type: t}
		if t.IsArray() {
			out = append(out, stream.Nested(t, stream.NullOf(t.Element())))
			continue
		}
		if t.IsRow() {
			out = append(out, stream.Nested(t, stream.Int(5), stream.Text("a\x00")))
			continue
		}
		switch low, high, _ := t.Range(); t.Storage() {
		case stream.Boolean:
			v = stream.Bool(r.IntN(2) == 0)
		case stream.Real:
			v.F = float64(float32(r.NormFloat64()))
		case stream.Double:
			v.F = r.NormFloat64()
		case stream.Varchar:
			v.S = strings.Repeat("ä\x00", r.IntN(4))
		default:
			v.I = []int64{low, high, low/2 + high/2, high - 1}[r.IntN(4)]
		}
		if r.IntN(3) == 0 {
			v = stream.NullOf(t)
		}
		out = append(out, v)
	}
	return out
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	need := make([]bool, len(everyType.Fields))
	for range 50 {
		for i := range need {
			need[i] = r.IntN(4) > 0
		}
		b := stream.NewBatch(everyType, need)
		for range r.IntN(100) {
			b.AppendRow(values(r))
		}
		from := r.IntN(b.Len + 1)
		to := from + r.IntN(b.Len-from+1)

		w := &Writer{}
		w.Int(math.MinInt64)
		w.Float(math.Inf(-1))
		w.Bool(true)
		w.Text("a\x00b")
		w.Batch(b, from, to)
		row := values(r)
		for _, v := range row {
			w.Value(v)
		}

		in := NewReader(w.Bytes())
		if in.Int() != math.MinInt64 || !math.IsInf(in.Float(), -1) || !in.Bool() || in.Text() != "a\x00b" {
			t.Fatal("plain values differ")
		}
		back := stream.NewBatch(everyType, nil)
		in.Batch(back)
		if back.Len != to-from {
			t.Fatalf("%d rows became %d", to-from, back.Len)
		}
		for i := range back.Len {
			if !slices.Equal(back.Row(i), b.Row(from+i)) {
				t.Fatalf("row %v became %v", b.Row(from+i), back.Row(i))
			}
		}
		for c := range need {
			if back.Column(c).Absent() != b.Column(c).Absent() {
				t.Fatalf("column %d: absent %v", c, back.Column(c).Absent())
			}
		}
		for _, v := range row {
			if got := in.Value(); got != v {
				t.Fatalf("%v became %v", v, got)
			}
		}
		if err := in.End(); err != nil {
			t.Fatal(err)
		}
	}
}

func example() *Snapshot {
	w := &Writer{}
	b := stream.NewBatch(everyType, nil)
	r := rand.New(rand.NewPCG(2, 2))
	for range 5 {
		b.AppendRow(values(r))
	}
	w.Batch(b, 0, 5)
	return &Snapshot{Elements: map[string][]byte{"vehicles/ingress": w.Bytes(), "vehicles/position": {1, 2, 3}, "": {}}}
}

func TestSnapshotsReadBack(t *testing.T) {
	s := example()
	encoded := s.Encode()
	if again := example().Encode(); !slices.Equal(encoded, again) {
		t.Error("the same snapshot has two encodings")
	}
	back, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.Names(), []string{"", "vehicles/ingress", "vehicles/position"}) {
		t.Errorf("elements %q", back.Names())
	}
	for n, b := range s.Elements {
		if !slices.Equal(back.Elements[n], b) {
			t.Errorf("element %q differs", n)
		}
	}
}

func TestDamagedSnapshotsAreRefused(t *testing.T) {
	encoded := example().Encode()
	for i := range encoded {
		if _, err := Decode(encoded[:i]); err == nil {
			t.Fatalf("%d of %d bytes are a snapshot", i, len(encoded))
		}
		damaged := slices.Clone(encoded)
		damaged[i] ^= 1 << (i % 8)
		if _, err := Decode(damaged); err == nil {
			t.Fatalf("a snapshot with a wrong bit in byte %d is taken", i)
		}
	}
	if _, err := Decode(append(slices.Clone(encoded), 0)); err == nil {
		t.Error("a snapshot with a byte behind it is taken")
	}
	if _, err := Decode([]byte("something else entirely")); err == nil || !strings.Contains(err.Error(), "not a snapshot") {
		t.Errorf("something else: %v", err)
	}
}

// FuzzReader: an element's bytes may be anything; reading them ends in an error or in
// values, without panic and without asking for more memory than there are bytes.
func FuzzReader(f *testing.F) {
	f.Add(example().Elements["vehicles/ingress"])
	f.Add([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(data)
		if n := r.Count(2); n > len(data) {
			t.Fatalf("%d things in %d bytes", n, len(data))
		}
		b := stream.NewBatch(everyType, nil)
		r = NewReader(data)
		r.Batch(b)
		if r.Err() != nil && b.Len != 0 {
			t.Fatalf("%d rows and %v", b.Len, r.Err())
		}
		r = NewReader(data)
		for r.Err() == nil && len(r.buf) > 0 {
			r.Value()
		}
		if _, err := Decode(data); err == nil && len(data) < len(magic)+checksumBytes {
			t.Fatal("too short for a snapshot, but taken")
		}
	})
}
