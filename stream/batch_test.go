package stream

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

var twoColumns = NewSchema(Field{Name: "a", Type: BigInt}, Field{Name: "b", Type: Varchar})

func TestBatchRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	fields := make([]Field, len(Types))
	for i, typ := range Types {
		fields[i] = Field{Name: typ.String(), Type: typ}
	}
	s := NewSchema(fields...)
	b, all := NewBatch(s, nil), [][]Value{}
	for range 200 {
		row := make([]Value, len(Types))
		for i, typ := range Types {
			row[i] = randomValue(r, typ)
		}
		b.AppendRow(row)
		all = append(all, row)
	}
	part := NewBatch(s, nil)
	part.AppendRange(b, 10, 20)
	part.AppendRange(b, 150, 200)
	want := append(slices.Clone(all[10:20]), all[150:]...)
	if part.Len != len(want) {
		t.Fatalf("%d rows of %d", part.Len, len(want))
	}
	for i, row := range want {
		if got := part.Row(i); !slices.Equal(got, row) {
			t.Fatalf("row %d is %v, not %v", i, got, row)
		}
	}
}

func TestAbsentColumnsStayAbsent(t *testing.T) {
	b := NewBatch(twoColumns, []bool{true, false})
	b.AppendRow([]Value{Big(7), Text("lost")})
	if !b.Column(1).Absent() || b.Column(0).Absent() {
		t.Fatal("the wrong column is absent")
	}
	if row := b.Row(0); row[0] != Big(7) || row[1] != NullOf(Varchar) {
		t.Fatalf("row %v", row)
	}
	if got := b.SizeBytes(); got != 8 {
		t.Errorf("%d bytes", got)
	}
	more := NewBatch(twoColumns, []bool{true, false})
	more.AppendRange(b, 0, 1)
	if more.Len != 1 || more.Row(0)[0] != Big(7) {
		t.Errorf("row %v", more.Row(0))
	}
}

func TestPoolTakesBackWhatTheLastHolderReleases(t *testing.T) {
	p := NewPool(1)
	b := p.Get(twoColumns, nil)
	b.AppendRow([]Value{Big(1), Text("x")})
	b.Retain()
	b.Release()
	if other := p.Get(twoColumns, nil); other == b {
		t.Fatal("a batch somebody holds was given out")
	} else {
		b.Release()
		other.Release() // over the limit of one idle batch: for the garbage collector
	}
	again := p.Get(twoColumns, []bool{false, true})
	if again != b {
		t.Fatal("the idle batch was not given out again")
	}
	if again.Len != 0 || !again.Column(0).Absent() || again.Column(1).Absent() {
		t.Fatal("a batch from the pool is not empty")
	}
	if p.Outstanding() != 1 {
		t.Errorf("%d outstanding", p.Outstanding())
	}
	again.Release()
	defer func() {
		if recover() == nil {
			t.Error("releasing once too often went unnoticed")
		}
	}()
	again.Release()
}

func TestPoolIsSafe(t *testing.T) {
	p := NewPool(4)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				b := p.Get(twoColumns, nil)
				b.AppendRow([]Value{Big(int64(i)), Text("x")})
				b.Retain()
				done := make(chan struct{})
				go func() { b.Release(); close(done) }()
				if b.Row(0)[0] != Big(int64(i)) {
					t.Error("somebody else wrote to the batch")
				}
				<-done
				b.Release()
			}
		})
	}
	wg.Wait()
	if p.Outstanding() != 0 {
		t.Errorf("%d batches outstanding", p.Outstanding())
	}
	loose := NewBatch(twoColumns, nil)
	loose.Release() // outside any pool: nothing happens
	loose.Release()
}

func TestSchemas(t *testing.T) {
	s := NewSchema(
		Field{Name: "a", Type: BigInt, Hidden: true},
		Field{Name: "a", Type: BigInt},
		Field{Name: "w", Type: Timestamp, Role: WindowEnd},
	)
	if s.Index("a") != 1 || s.Index("x") != -1 || s.RoleIndex(WindowEnd) != 2 || s.RoleIndex(WindowIndex) != -1 {
		t.Error("fields are not found")
	}
	if !slices.Equal(s.Visible(), []int{1, 2}) {
		t.Errorf("visible: %v", s.Visible())
	}
	for _, typ := range Types {
		if back, ok := ParseType(typ.String()); !ok || back != typ {
			t.Errorf("%s reads back as %s", typ, back)
		}
	}
	if _, ok := ParseType("INVALID"); ok {
		t.Error("INVALID is a type")
	}
	for role := NoRole; role <= WindowIndex; role++ {
		if back, ok := ParseRole(role.String()); !ok || back != role {
			t.Errorf("%s reads back as %s", role, back)
		}
	}
	if (Span{From: 3, To: 8}).Len() != 5 {
		t.Error("length of a span")
	}
}
