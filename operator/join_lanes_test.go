package operator_test

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// wideJoin is a join of windows of size rows in which most pairs match, and its drive.
func wideJoin(t *testing.T, rng *rand.Rand, size int, env func(*operator.Env)) (d *drive, want, wantErrors []string) {
	t.Helper()
	b := &build{}
	feeds := map[string]*feed{"l": randomFeed(rng, 3*size+rng.Intn(9)), "r": randomFeed(rng, 3*size+rng.Intn(9))}
	var driven []*feed
	var sides []operator.Side
	var tops []*model.Operator
	for _, name := range []string{"l", "r"} {
		src := b.source(name, feeds[name])
		w := b.window(src, model.Window{Kind: model.Rows, Size: int64(size), Slide: int64(size)})
		driven, tops = append(driven, feeds[name]), append(tops, w)
		sides = append(sides, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}})
	}
	base := tops[0].Relation.Schema.Len()
	low := model.Call("sub", stream.BigInt, model.Col(base+2, stream.BigInt), model.Lit(stream.Big(2)))
	on := []*model.Expr{model.Call("ge", stream.Boolean, col(2), low)}
	if rng.Intn(2) == 0 {
		on = append(on, fallible(base))
	}
	op := b.pair(model.JoinOp, tops[0], tops[1], &model.Join{On: on})
	b.sink(b.reveal(op))
	want, wantErrors = oracle(t, &b.m, feeds)
	d = newDrive(t, rng, func(e operator.Env) operator.Function {
		env(&e)
		fn, err := operator.NewJoin(e, sides[0], sides[1], op, allNeeded(op.Relation.Schema))
		return must(t, fn, err)
	}, op.Relation.Time, driven...)
	return d, want, wantErrors
}

// TestJoinResultsBounded gives lanes, or who does their jobs, less room for results than a
// window has, so that they leave jobs alone or half done, which Next then does.
func TestJoinResultsBounded(t *testing.T) {
	found := 0
	for _, buffer := range []int64{1 << 19, 1 << 21, 1 << 23} {
		seeds(t, 4, func(t *testing.T, seed int64, rng *rand.Rand) {
			d, want, wantErrors := wideJoin(t, rng, 150, func(e *operator.Env) {
				e.Force = operator.Choices{Order: "lanes"}
				e.BufferBytesMax = buffer
			})
			d.restores = 1
			d.run()
			same(t, seed, "row", d.output, want)
			checkErrors(t, seed, d.errors, wantErrors, false)
			found += d.found
		})
	}
	if found == 0 {
		t.Error("no pairs were found elsewhere: this compares little")
	}
}

// TestJoinFoundWrong: pairs that cannot be of the windows end the job, with an error that says
// why.
func TestJoinFoundWrong(t *testing.T) {
	for _, c := range []struct {
		want        string
		left, right []int32
	}{
		{"2 left and 1 right rows", []int32{0, 1}, []int32{0}},
		{"is not of its window", []int32{0}, []int32{9}},
		{"is not of its window", []int32{0}, []int32{-1}},
		{"is not of its window", []int32{7, 0}, []int32{0, 0}},
		{"is of no window", []int32{1 << 20}, []int32{0}},
		{"1 pairs of left row 0 and on failed elsewhere, 0 do here", []int32{^0}, []int32{0}},
	} {
		seeds(t, 1, func(t *testing.T, _ int64, rng *rand.Rand) {
			d, _, _ := wideJoin(t, rng, 3, func(e *operator.Env) { e.Pairs = true })
			fn, err := d.fn.(operator.Pairer), error(nil)
			for input, f := range d.feeds {
				whole := stream.NewBatch(f.schema, nil)
				for _, row := range f.rows {
					whole.AppendRow(row)
				}
				task := &operator.Task{Input: input, Rows: whole.Len, Watermark: stream.MaxTime, End: true, Spans: []stream.Span{{Batch: whole, To: whole.Len}}}
				p, err2 := fn.Batch(task, fn.NewScratch())
				d.check(err2)
				lane, err2 := fn.Lane(0, task, p)
				d.check(err2)
				for _, job := range fn.Jobs(lane) {
					own := fn.Hold(job)
					err = fn.Pair(own, &operator.Paired{Left: c.left, Right: c.right})
					fn.LetGo(own)
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("pairs %d %d: %v, want %q", c.left, c.right, err, c.want)
			}
		})
	}
}

// TestJoinDiscard ends jobs with results in lanes, half done and in Next.
func TestJoinDiscard(t *testing.T) {
	seeds(t, 20, func(t *testing.T, _ int64, rng *rand.Rand) {
		d, _, _ := wideJoin(t, rng, 150, func(e *operator.Env) {
			e.Force = operator.Choices{Order: "lanes"}
			e.BufferBytesMax = []int64{1 << 19, 1 << 23}[rng.Intn(2)]
		})
		fn := d.fn.(operator.Keyed)
		for input, f := range d.feeds {
			whole := stream.NewBatch(f.schema, nil)
			for _, row := range f.rows {
				whole.AppendRow(row)
			}
			task := &operator.Task{Input: input, Rows: whole.Len, Watermark: stream.MaxTime, End: true,
				Spans: []stream.Span{{Batch: whole, To: whole.Len}}}
			p, err := fn.Batch(task, fn.NewScratch())
			d.check(err)
			lanes := make([]any, fn.Lanes())
			for i := range lanes {
				lanes[i], err = fn.Lane(i, task, p)
				d.check(err)
			}
			if d.env.Pairs {
				_, err := optest.DoJobs(rng, fn.(operator.Pairer), lanes[0], optest.FindOnCPU(fn.(operator.Pairer).Pairs()))
				d.check(err)
			}
			if input == 1 && rng.Intn(2) == 0 {
				fn.(operator.Releaser).Discard(p)
				break
			}
			d.check(fn.Assemble(task, operator.Partial{Value: lanes}))
			for range rng.Intn(3) {
				out, err := fn.Next()
				d.check(err)
				if out != nil {
					out.Release()
				}
			}
		}
		fn.(operator.Releaser).Close()
		if n := d.pool.Outstanding(); n != 0 {
			t.Fatalf("%d batches not given back", n)
		}
	})
}
