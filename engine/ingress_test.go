package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

var eventSchema = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.Timestamp},
	stream.Field{Name: "partition", Type: stream.BigInt},
	stream.Field{Name: "position", Type: stream.BigInt},
)

type event struct{ ts, partition, position int64 }

// ordered is the definition: rows on time by (time, partition, position), the others late.
func ordered(parts [][]int64, delay int64) (onTime, late []event) {
	for p, times := range parts {
		greatest := stream.MinTime
		for i, ts := range times {
			e := event{ts, int64(p), int64(i)}
			if greatest != stream.MinTime && ts < greatest-delay {
				late = append(late, e)
				continue
			}
			greatest = max(greatest, ts)
			onTime = append(onTime, e)
		}
	}
	sort.SliceStable(onTime, func(i, j int) bool {
		a, b := onTime[i], onTime[j]
		if a.ts != b.ts {
			return a.ts < b.ts
		}
		return a.partition < b.partition
	})
	return onTime, late
}

func randomParts(r *rand.Rand) [][]int64 {
	parts := make([][]int64, 1+r.IntN(3))
	for p := range parts {
		t := r.Int64N(20)
		for n := r.IntN(150); n > 0; n-- {
			t += r.Int64N(4)
			parts[p] = append(parts[p], t+r.Int64N(1+r.Int64N(20)))
		}
	}
	return parts
}

// TestIngress feeds partitions in random batches and interleavings, with a snapshot now
// and then, and compares with the definition.
func TestIngress(t *testing.T) {
	for seed := uint64(0); seed < 500; seed++ {
		r := rand.New(rand.NewPCG(seed, 2))
		parts, delay := randomParts(r), r.Int64N(15)
		wantOn, wantLate := ordered(parts, delay)
		pool := stream.NewPool(8)
		op := &model.Operator{Relation: model.Relation{Schema: eventSchema, Time: 0}, Source: &model.Source{WatermarkDelayMicros: delay}}
		in := newIngress(op, len(parts), nil, pool, 1<<30, nil)
		var gotOn, gotLate []event
		at := make([]int, len(parts))
		for open := len(parts); open > 0; {
			p := r.IntN(len(parts))
			if in.parts[p].ended {
				continue
			}
			n := min(1+r.IntN(40), len(parts[p])-at[p])
			if n == 0 {
				in.parts[p].ended = true
				open--
			} else {
				gotLate = append(gotLate, feed(t, in, p, at[p], parts[p][at[p]:at[p]+n])...)
				at[p] += n
			}
			if r.IntN(3) != 0 {
				gotOn = append(gotOn, taken(t, in, pool)...)
			} else if r.IntN(3) == 0 {
				gotOn = append(gotOn, taken(t, in, pool)...)
				in = restored(t, in, op, len(parts), pool)
			}
		}
		gotOn = append(gotOn, taken(t, in, pool)...)
		if fmt.Sprint(gotOn) != fmt.Sprint(wantOn) {
			t.Fatalf("seed %d: got %v, want %v", seed, gotOn, wantOn)
		}
		sort.Slice(gotLate, func(i, j int) bool {
			a, b := gotLate[i], gotLate[j]
			return a.partition < b.partition || a.partition == b.partition && a.position < b.position
		})
		if fmt.Sprint(gotLate) != fmt.Sprint(wantLate) {
			t.Fatalf("seed %d: late: got %v, want %v", seed, gotLate, wantLate)
		}
		if n := pool.Outstanding(); n != 0 || in.bytes != 0 {
			t.Fatalf("seed %d: %d batches, %d bytes still held", seed, n, in.bytes)
		}
	}
}

func feed(t *testing.T, in *ingress, p, first int, times []int64) (late []event) {
	b := in.pool.Get(eventSchema, nil)
	for i, ts := range times {
		b.AppendRow([]stream.Value{stream.Time(ts), stream.Big(int64(p)), stream.Big(int64(first + i))})
	}
	s := in.judge(p, b, slices.IsSorted(b.Cols[0].I64))
	for _, row := range s.late {
		late = append(late, event{times[row], int64(p), int64(first) + int64(row)})
	}
	if err := in.accept(p, b, s); err != nil {
		t.Fatal(err)
	}
	return late
}

// taken empties what may go out and checks it against the watermark.
func taken(t *testing.T, in *ingress, pool *stream.Pool) (out []event) {
	for {
		span, ok := in.next()
		if !ok {
			return out
		}
		for i := span.From; i < span.To; i++ {
			row := span.Batch.Row(i)
			if row[0].I > in.watermark() {
				t.Fatalf("row at %d went out at watermark %d", row[0].I, in.watermark())
			}
			out = append(out, event{row[0].I, row[1].I, row[2].I})
		}
		span.Batch.Release()
	}
}

func restored(t *testing.T, in *ingress, op *model.Operator, parts int, pool *stream.Pool) *ingress {
	var w state.Writer
	in.Snapshot(&w)
	in.close()
	out := newIngress(op, parts, nil, pool, 1<<30, nil)
	if err := out.Restore(state.NewReader(w.Bytes())); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestIngressWithoutTimeAlternates(t *testing.T) {
	pool := stream.NewPool(8)
	op := &model.Operator{Relation: model.Relation{Schema: eventSchema, Time: -1}, Source: &model.Source{}}
	in := newIngress(op, 2, nil, pool, 1<<30, nil)
	counts := []int{5, 2}
	for p, n := range counts {
		b := pool.Get(eventSchema, nil)
		for i := 0; i < n; i++ {
			b.AppendRow([]stream.Value{stream.Time(0), stream.Big(int64(p)), stream.Big(int64(i))})
		}
		if err := in.accept(p, b, split{inOrder: true}); err != nil {
			t.Fatal(err)
		}
	}
	in.parts[0].ended, in.parts[1].ended = true, true
	var got string
	for {
		span, ok := in.next()
		if !ok {
			break
		}
		for i := span.From; i < span.To; i++ {
			got += fmt.Sprint(span.Batch.Cols[1].I64[i], span.Batch.Cols[2].I64[i], " ")
		}
		span.Batch.Release()
	}
	if want := "0 0 1 0 0 1 1 1 0 2 0 3 0 4 "; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestIngressLimit(t *testing.T) {
	pool := stream.NewPool(8)
	op := &model.Operator{Relation: model.Relation{Schema: eventSchema, Time: 0}, Source: &model.Source{WatermarkDelayMicros: 1 << 40}}
	in := newIngress(op, 1, nil, pool, 1000, nil)
	b := pool.Get(eventSchema, nil)
	for i := 0; i < 100; i++ {
		b.AppendRow([]stream.Value{stream.Time(int64(i)), stream.Big(0), stream.Big(int64(i))})
	}
	if err := in.accept(0, b, in.judge(0, b, slices.IsSorted(b.Cols[0].I64))); err == nil {
		t.Fatal("2,400 bytes fit in a limit of 1,000")
	}
	if n := pool.Outstanding(); n != 0 {
		t.Fatalf("%d batches still held", n)
	}
}

// TestIdlePartition: a silent partition stops holding the stream back; what it brings
// afterwards from before the stream's watermark is late by the clock.
func TestIdlePartition(t *testing.T) {
	pool := stream.NewPool(8)
	op := &model.Operator{Relation: model.Relation{Schema: eventSchema, Time: 0}, Source: &model.Source{}}
	in := newIngress(op, 2, nil, pool, 1<<30, nil)
	feed(t, in, 0, 0, []int64{10, 20})
	feed(t, in, 1, 0, []int64{5})
	if got := fmt.Sprint(taken(t, in, pool)); got != "[]" && got != "[{5 1 0}]" {
		t.Fatalf("got %v while partition 1 stands at 5", got)
	}
	in.parts[1].idle = true
	if got := fmt.Sprint(taken(t, in, pool)); got != "[{5 1 0} {10 0 0}]" {
		t.Fatalf("got %v, want the rows below 20", got)
	}
	b := pool.Get(eventSchema, nil)
	for i, ts := range []int64{12, 25} {
		b.AppendRow([]stream.Value{stream.Time(ts), stream.Big(1), stream.Big(int64(i + 1))})
	}
	s := in.judge(1, b, slices.IsSorted(b.Cols[0].I64))
	if len(s.late) != 1 || s.byClock != 1 {
		t.Fatalf("%d late rows, %d by the clock; want the row at 12 to be both", len(s.late), s.byClock)
	}
	if err := in.accept(1, b, s); err != nil {
		t.Fatal(err)
	}
	feed(t, in, 0, 2, []int64{30})
	if got := fmt.Sprint(taken(t, in, pool)); got != "[{20 0 1}]" {
		t.Fatalf("got %v: partition 1 counts again", got)
	}
	in.parts[0].idle, in.parts[1].idle = true, true
	if got, want := in.watermark(), int64(25); got != want {
		t.Fatalf("with every partition idle the watermark is %d, want it to stay at %d", got, want)
	}
	in.close()
}
