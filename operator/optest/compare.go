package optest

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Case is a model whose operators, sources and the one sink excepted, are computed by
// one function.
type Case struct {
	Model *model.Model
	// Rows of each source, in event-time order if it has event time. Sources have no
	// computed columns and a watermark delay that makes no row late.
	Rows map[model.OpID][]reference.Row
	// Inputs are the sources that the function's inputs read, in order.
	Inputs []model.OpID
	Make   func(env operator.Env) (operator.Function, error)
	// Away computes what Batch offers of every task it can; nil: OnCPU does of some.
	Away *Away
}

// Result is what came out: rows of the sink, in order, and the errors of each operator
// as "reason record", in order.
type Result struct {
	Rows   []reference.Row
	Errors map[model.OpID][]string
}

// Want runs the reference.
func (c *Case) Want(t testing.TB) *Result {
	t.Helper()
	w := &wanted{Result{Errors: map[model.OpID][]string{}}}
	if _, err := reference.Run(context.Background(), c.Model, c.records, w); err != nil {
		t.Fatalf("reference: %v", err)
	}
	return &w.Result
}

func (c *Case) records(_ context.Context, src *model.Operator) iter.Seq2[reference.Record, error] {
	return func(yield func(reference.Record, error) bool) {
		for _, r := range c.Rows[src.ID] {
			if !yield(reference.Record{Row: r}, nil) {
				return
			}
		}
	}
}

// wanted collects what the reference puts out.
type wanted struct{ Result }

func (w *wanted) Row(op *model.Operator, port model.Port, row reference.Row) error {
	switch {
	case port == model.Errors:
		w.Errors[op.ID] = append(w.Errors[op.ID], row[1].String()+" "+row[2].String())
	case op.Kind == model.SinkOp:
		w.Rows = append(w.Rows, row)
	}
	return nil
}

// Compare runs the function with inputs cut in `rounds` random ways and fails the test
// when rows, their order or errors differ from the reference. It also checks the
// contract of operator.Function: sizes and numbering of batches, watermarks that never
// fall, batches given back, snapshots that can be taken at any task border.
func Compare(t testing.TB, c *Case, seed uint64, rounds int) {
	t.Helper()
	want := c.Want(t)
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		force := RandomChoices(rng)
		got := c.run(t, rng, cutSizes[round%len(cutSizes)], force)
		if msg := want.differs(got); msg != "" {
			t.Fatalf("seed %d round %d, forced %q: %s", seed, round, force, msg)
		}
	}
}

func (r *Result) differs(got *Result) string {
	for i := range min(len(r.Rows), len(got.Rows)) {
		if !slices.EqualFunc(r.Rows[i], got.Rows[i], Same) {
			return fmt.Sprintf("row %d is %v, want %v", i, got.Rows[i], r.Rows[i])
		}
	}
	if len(r.Rows) != len(got.Rows) {
		return fmt.Sprintf("%d rows, want %d", len(got.Rows), len(r.Rows))
	}
	for op, want := range r.Errors {
		if !slices.Equal(want, got.Errors[op]) {
			return fmt.Sprintf("operator %d: errors %q, want %q", op, got.Errors[op], want)
		}
	}
	for op, rows := range got.Errors {
		if len(rows) > 0 && len(r.Errors[op]) == 0 {
			return fmt.Sprintf("operator %d: errors %q, want none", op, rows)
		}
	}
	return ""
}

// tasksAway bounds about how many tasks a case's input is cut into, where all are computed
// elsewhere.
const tasksAway = 100

// cuts bounds the rows of a batch and of a task.
type cuts struct{ batchMax, taskMax int }

var cutSizes = []cuts{{1, 1}, {3, 7}, {1 << 20, 1 << 20}, {1 << 20, 100}, {500, 3000}, {2, 5000}}

// runner drives one function through one way of cutting.
type runner struct {
	t      testing.TB
	c      *Case
	rng    *rand.Rand
	env    operator.Env
	fn     operator.Function
	feeds  []*feed
	idle   []operator.Scratch
	result *Result
	late   []operator.ErrorRow // of results: the reference tells them behind those of rows
	mark   int64
	away   *Away
	pairer operator.Pairer // whose pairs find finds
	find   Finder
	share  int // out of 4 tasks that can be computed elsewhere, how many are
	// waiting are tasks that were previewed only.
	waiting []*operator.Task
}

// feed is one input: its batches and how far they have been cut into tasks.
type feed struct {
	src     *model.Operator
	rows    []reference.Row
	batches []*stream.Batch
	batch   int // the current one
	row     int // rows taken of it
	taken   int64
	ended   bool
}

func (c *Case) run(t testing.TB, rng *rand.Rand, size cuts, force operator.Choices) *Result {
	t.Helper()
	r := &runner{t: t, c: c, rng: rng, mark: stream.MinTime, result: &Result{Errors: map[model.OpID][]string{}}}
	r.env = operator.Env{Pool: stream.NewPool(32), BufferBytesMax: 1 << 30, Lanes: 1 + rng.IntN(4), Force: force}
	if r.away, r.share = c.Away, 4; c.Away == nil {
		r.away, r.share = &Away{Make: OnCPU}, rng.IntN(3)
	}
	r.env.Devices, r.env.Pairs = r.share > 0, r.share > 0
	r.fresh()
	for _, id := range c.Inputs {
		f := &feed{src: c.Model.Ops[id], rows: c.Rows[id]}
		f.cut(rng, size.batchMax)
		r.feeds = append(r.feeds, f)
	}
	if c.Away != nil {
		for _, f := range r.feeds { // each task costs what a device's does
			size.taskMax = max(size.taskMax, len(f.rows)/tasksAway)
		}
	}
	for r.step(size) {
	}
	if w := r.fn.Watermark(); w != stream.MaxTime {
		t.Fatalf("watermark %d at the end", w)
	}
	if n := r.env.Pool.Outstanding(); n != 0 {
		t.Fatalf("%d batches were not given back", n)
	}
	r.fail(r.late)
	return r.result
}

func (r *runner) fresh() {
	fn, err := r.c.Make(r.env)
	r.check(err)
	r.fn, r.idle = fn, []operator.Scratch{fn.NewScratch(), fn.NewScratch()}
}

func (r *runner) check(err error) {
	if err != nil {
		r.t.Helper()
		r.t.Fatal(err)
	}
}

// cut puts the rows into batches.
func (f *feed) cut(rng *rand.Rand, batchMax int) {
	for at := 0; at < len(f.rows); {
		n := min(len(f.rows)-at, 1+rng.IntN(batchMax))
		b := stream.NewBatch(f.src.Relation.Schema, nil)
		for _, row := range f.rows[at : at+n] {
			b.AppendRow(row)
		}
		b.First = int64(at)
		if time := f.src.Relation.Time; time >= 0 && rng.IntN(3) == 0 {
			takeBase(b, time)
		}
		f.batches = append(f.batches, b)
		at += n
	}
}

// takeBase leaves the first event time out of all.
func takeBase(b *stream.Batch, time int) {
	times := b.Cols[time].I64
	b.Based, b.Base = time, times[0]
	for i := range times {
		times[i] -= b.Base
	}
}

// step submits one task of an input that is wanted; false when all have ended.
func (r *runner) step(size cuts) bool {
	var ready []int
	open := false
	for i, f := range r.feeds {
		open = open || !f.ended
		if !f.ended && r.fn.Wants(i) {
			ready = append(ready, i)
		}
	}
	if !open {
		return false
	}
	if len(ready) == 0 {
		r.t.Fatal("inputs are left and none is wanted")
	}
	i := ready[r.rng.IntN(len(ready))]
	r.submit(r.feeds[i].task(r.rng, i, size.taskMax))
	if r.rng.IntN(8) == 0 {
		r.restore()
	}
	return true
}

// task cuts the next rows; sometimes none.
func (f *feed) task(rng *rand.Rand, input, taskMax int) *operator.Task {
	t := &operator.Task{Input: input, First: f.taken, Watermark: stream.MinTime}
	for n := rng.IntN(taskMax + 1); n > 0 && f.batch < len(f.batches); {
		b := f.batches[f.batch]
		take := min(n, b.Len-f.row)
		t.Spans = append(t.Spans, stream.Span{Batch: b, From: f.row, To: f.row + take})
		t.Rows += take
		n, f.row = n-take, f.row+take
		if f.row == b.Len {
			f.batch, f.row = f.batch+1, 0
		}
	}
	f.taken += int64(t.Rows)
	rest := f.rows[f.taken:]
	t.End = len(rest) == 0 && rng.IntN(2) == 0
	f.ended = t.End
	if time := f.src.Relation.Time; time >= 0 && f.taken > 0 {
		t.Watermark = f.rows[f.taken-1][time].I
		if len(rest) > 0 && rng.IntN(2) == 0 {
			t.Watermark = rest[0][time].I
		}
	}
	if t.End {
		t.Watermark = stream.MaxTime
	}
	return t
}

// submit runs a task. Those of a function that sees them ahead may wait for one another
// and run in any order.
func (r *runner) submit(t *operator.Task) {
	r.waiting = append(r.waiting, t)
	if p, ok := r.fn.(operator.Previewer); ok {
		p.Preview(t)
		if !t.End && r.rng.IntN(3) > 0 {
			return
		}
	}
	r.flush()
}

// flush computes the tasks that wait in any order, and assembles them in theirs.
func (r *runner) flush() {
	partials, rows := make([]operator.Partial, len(r.waiting)), make([][]*stream.Batch, len(r.waiting))
	for _, i := range r.rng.Perm(len(r.waiting)) {
		var err error
		t, s := r.waiting[i], r.idle[r.rng.IntN(len(r.idle))]
		if f, ok := r.fn.(operator.Streamer); ok && f.Streams() {
			partials[i], err = f.BatchTo(t, s, func(b *stream.Batch) error {
				rows[i] = append(rows[i], b)
				return nil
			})
		} else {
			partials[i], err = r.batch(t, s)
		}
		r.check(err)
	}
	for i, t := range r.waiting {
		for _, b := range rows[i] {
			r.take(b)
		}
		r.assemble(t, partials[i])
	}
	r.waiting = r.waiting[:0]
}

func (r *runner) batch(t *operator.Task, s operator.Scratch) (operator.Partial, error) {
	if r.rng.IntN(4) < r.share {
		return r.away.Batch(r.fn, t, s)
	}
	return r.fn.Batch(t, s)
}

func (r *runner) assemble(t *operator.Task, p operator.Partial) {
	r.fail(p.Errors)
	var err error
	if k, ok := r.fn.(operator.Keyed); ok {
		lanes := make([]any, k.Lanes())
		for _, lane := range r.rng.Perm(len(lanes)) {
			lanes[lane], err = k.Lane(lane, t, p)
			r.check(err)
		}
		p.Value = lanes
	}
	pairer, _ := r.fn.(operator.Pairer)
	if r.env.Pairs && pairer != nil {
		r.findPairs(pairer, p.Value.([]any)[0])
	}
	r.check(r.fn.Assemble(t, p))
	for {
		b, err := r.fn.Next()
		r.check(err)
		if b != nil {
			r.take(b)
		} else if pairer == nil || !pairer.Waits() {
			break
		}
	}
	r.late = append(r.late, r.fn.TakeErrors()...)
	w := r.fn.Watermark()
	if w < r.mark {
		r.t.Fatalf("watermark fell from %d to %d", r.mark, w)
	}
	r.mark = w
}

// findPairs does a join's jobs, for the same function by the same finder.
func (r *runner) findPairs(fn operator.Pairer, lane any) {
	if r.pairer != fn {
		r.pairer, r.find = fn, r.away.finder(fn)
	}
	n, err := DoJobs(r.rng, fn, lane, r.find)
	r.check(err)
	r.away.Jobs += n
}

func (r *runner) take(b *stream.Batch) {
	if b.Len == 0 || b.Len > operator.OutputRows {
		r.t.Fatalf("batch of %d rows", b.Len)
	}
	visible := b.Schema.Visible()
	for i := range b.Len {
		row := make(reference.Row, len(visible))
		for k, c := range visible {
			row[k] = b.Cols[c].Value(i)
		}
		r.result.Rows = append(r.result.Rows, row)
	}
	b.Release()
}

func (r *runner) fail(rows []operator.ErrorRow) {
	for _, e := range rows {
		r.result.Errors[e.Op] = append(r.result.Errors[e.Op], e.Reason+" "+e.Record)
	}
}

// restore goes on with a fresh function that has the old one's state.
func (r *runner) restore() {
	r.flush()
	var w state.Writer
	r.fn.Snapshot(&w)
	r.fresh()
	r.check(r.fn.Restore(state.NewReader(w.Bytes())))
}
