package stream

import "testing"

// TestBase: rows of a batch whose event times lack a base are the same as those of one
// that has them whole, however they are read or copied.
func TestBase(t *testing.T) {
	schema := NewSchema(Field{Name: "v", Type: Integer}, Field{Name: "at", Type: Timestamp})
	fill := func(b *Batch, base int64) {
		for i := range int64(100) {
			b.AppendRow([]Value{Int(int32(i)), Time(1_000 + i - base)})
		}
		b.Based, b.Base = 1, base
	}
	whole, based, pool := NewBatch(schema, nil), NewBatch(schema, nil), NewPool(1)
	fill(whole, 0)
	fill(based, 700)
	selected, ranged := NewBatch(schema, nil), NewBatch(schema, nil)
	selected.AppendSelected(based, []int32{3, 99})
	ranged.AppendRange(based, 90, 100)
	ranged.AppendRange(whole, 5, 10)
	borrowed := pool.Get(schema, nil)
	borrowed.AppendRange(whole, 0, 100)
	borrowed.Borrow(1, based.Cols[1])
	borrowed.Based, borrowed.Base = 1, 700
	borrowed.Settle()
	settled := Span{Batch: based, From: 50, To: 60}.Settled()
	for _, c := range []struct {
		name      string
		got       *Batch
		row, want int
	}{
		{"read", based, 42, 42}, {"selected", selected, 1, 99}, {"copied", ranged, 9, 99}, {"copied behind", ranged, 12, 7},
		{"settled", borrowed, 77, 77}, {"a settled span", settled.Batch, 4, 54},
	} {
		if got, want := c.got.Row(c.row), whole.Row(c.want); got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
	if based.Cols[1].I64[0] != 300 {
		t.Error("settling a batch that borrows wrote to the lender")
	}
	if borrowed.Base != 0 || settled.Batch.Base != 0 || settled.Len() != 10 {
		t.Error("a settled batch has a base")
	}
	borrowed.Release()
	if again := pool.Get(schema, nil); again.Base != 0 || again.Based != 0 {
		t.Error("a batch from the pool has a base")
	}
}
