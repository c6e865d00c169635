package dispatch

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

var numbers = stream.NewSchema(stream.Field{Name: "n", Type: stream.BigInt})

func batchOf(p *stream.Pool, from, to int64) *stream.Batch {
	b := p.Get(numbers, nil)
	for n := from; n < to; n++ {
		b.AppendRow([]stream.Value{stream.Big(n)})
	}
	return b
}

// drained collects the rows of tasks and checks what every task must satisfy.
type drained struct {
	t         *testing.T
	next      int64
	watermark int64
	end       bool
}

func (d *drained) take(task *operator.Task) {
	if task.First != d.next {
		d.t.Fatalf("task begins at row %d, want %d", task.First, d.next)
	}
	rows := 0
	for _, s := range task.Spans {
		for i := s.From; i < s.To; i++ {
			if got := s.Batch.Cols[0].I64[i]; got != d.next {
				d.t.Fatalf("row %d where %d was due", got, d.next)
			}
			if d.next < d.watermark {
				d.t.Fatalf("row %d after watermark %d", d.next, d.watermark)
			}
			d.next++
			rows++
		}
	}
	if rows != task.Rows {
		d.t.Fatalf("task says %d rows and has %d", task.Rows, rows)
	}
	d.watermark = max(d.watermark, task.Watermark)
	d.end = d.end || task.End
	Release(task)
}

// TestCutter pushes consecutive numbers, whose value is their event time, in random
// batches with watermarks between, cuts at random sizes, and now and then goes on from
// a snapshot.
func TestCutter(t *testing.T) {
	for seed := uint64(0); seed < 300; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		pool := stream.NewPool(4)
		c, d := NewCutter(), &drained{t: t, watermark: stream.MinTime}
		var task operator.Task
		total := int64(0)
		for step := 0; step < 60; step++ {
			switch r.IntN(5) {
			case 0, 1:
				n := r.Int64N(20)
				b := batchOf(pool, total, total+n)
				c.Push(stream.Span{Batch: b, To: b.Len})
				b.Release()
				total += n
			case 2:
				c.Advance(total - r.Int64N(3))
			case 3:
				for size := 1 + r.IntN(12); c.Cut(&task, size, r.IntN(2) == 0); {
					d.take(&task)
				}
			default:
				if r.IntN(4) == 0 {
					c = again(t, c)
				}
			}
		}
		c.End()
		for c.Cut(&task, 7, false) {
			d.take(&task)
		}
		if d.next != total || !d.end || d.watermark != stream.MaxTime {
			t.Fatalf("seed %d: %d of %d rows, end %t, watermark %d", seed, d.next, total, d.end, d.watermark)
		}
		if n := pool.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d batches still held", seed, n)
		}
	}
}

func again(t *testing.T, c *Cutter) *Cutter {
	var w state.Writer
	c.Snapshot(&w)
	c.Discard()
	out, r := NewCutter(), state.NewReader(w.Bytes())
	out.RestoreRows(r, numbers)
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNothingToCut(t *testing.T) {
	c := NewCutter()
	var task operator.Task
	if c.Cut(&task, 1, true) {
		t.Fatal("cut a task out of nothing")
	}
	c.Advance(5)
	if c.Cut(&task, 10, false) {
		t.Fatal("a watermark alone makes a task only when forced")
	}
	if !c.Cut(&task, 10, true) || task.Watermark != 5 || task.Rows != 0 {
		t.Fatalf("want a task with watermark 5 and no rows, got %+v", task)
	}
	if c.Cut(&task, 10, true) {
		t.Fatal("the same watermark twice")
	}
}
