package operator

import (
	"fmt"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Limits of a job whose pairs may be found elsewhere. A window alone may be larger.
const (
	PairRowsMax  = 1 << 15 // rows of a side
	PairLeftMax  = 1 << 16 // Windows.Left
	pairTestsMax = 1 << 28 // left rows times right rows, summed over windows
)

var ownJobs = sync.Pool{New: func() any { return &PairJob{} }}

// Pairs implements Pairer.
func (j *laneJoin) Pairs() Pairs {
	lay := newLayout(j.inputs, j.need)
	_, on := lay.splitKeys(j.op.Join)
	out, from := Pairs{}, 0
	for i, in := range j.ins {
		out.Schemas[i], out.Keys[i], out.Sizes[i] = in.schema, in.keyCols, j.sides[i].size
		out.Roles = append(out.Roles, lay.roles[from:from+in.width]...)
		out.Roles = append(out.Roles, make([]stream.Role, in.schema.Len()-in.width)...)
		from = in.width
	}
	keys := j.ins[0].schema.Len() - lay.split // stored behind the left side's own columns
	for _, e := range on {
		out.On = append(out.On, e.Rewrite(func(x *model.Expr) *model.Expr {
			if x.Kind != model.ColumnExpr || x.Column < lay.split {
				return x
			}
			return model.Col(x.Column+keys, x.Type)
		}))
	}
	return out
}

// Jobs implements Pairer.
func (j *laneJoin) Jobs(lane any) []*PairJob { return lane.(*joinTask).jobs }

// Hold implements Pairer.
func (j *laneJoin) Hold(job *PairJob) *PairJob {
	own := ownJobs.Get().(*PairJob)
	own.windows, own.left, own.tests = append(own.windows[:0], job.windows...), job.left, job.tests
	for i, parts := range job.parts {
		own.parts[i] = append(own.parts[i][:0], parts...)
		for _, p := range parts {
			p.uses.Add(1)
		}
	}
	return own
}

// Pair implements Pairer.
func (j *laneJoin) Pair(own *PairJob, found *Paired) error {
	if found != nil {
		if err := own.keep(found); err != nil {
			return err
		}
		own.reserved = 8 * int64(len(found.Left))
		j.waiting.Add(own.reserved)
	}
	if j.Full() || !j.reserve(own) {
		return nil
	}
	return j.work(own)
}

// Finish implements Pairer.
func (*laneJoin) Finish(job, own *PairJob) {
	*job, *own = *own, *job
	job.finished = true
}

// LetGo implements Pairer.
func (j *laneJoin) LetGo(own *PairJob) {
	j.clear(own)
	ownJobs.Put(own)
}

// Waits implements Pairer.
func (j *laneJoin) Waits() bool { return j.task != nil && j.task.at < len(j.task.jobs) }

// JobsOut implements Pairer.
func (j *laneJoin) JobsOut() uint64 { return j.jobsOut }

// Full implements Pairer.
func (j *laneJoin) Full() bool { return j.waiting.Load() >= j.waitingMost }

// nextFinished is Next where others do the jobs: what is left of the one that it is at, and
// nil behind each.
func (j *laneJoin) nextFinished() (*stream.Batch, error) {
	if j.Waits() {
		job := j.task.jobs[j.task.at]
		if !job.finished {
			return nil, fmt.Errorf("internal error: a job of %d windows is put out before it is finished", len(job.windows))
		}
		if b, err := j.nextOf(job); b != nil || err != nil {
			return b, err
		}
		j.task.at++
		j.jobsOut++
	}
	if !j.Waits() {
		j.drop(j.task)
		j.task = nil
	}
	return nil, nil
}

// fits reports whether another window may join a job that others may do.
func (b *PairJob) fits(w jobWindow) bool {
	for i := range w.to {
		if w.to[i]-b.windows[0].from[i] > PairRowsMax {
			return false
		}
	}
	left, tests := w.load()
	return b.left+left <= PairLeftMax && b.tests+tests <= pairTestsMax
}

// load is how many left rows a window has, and how many pairs there are to look at.
func (w *jobWindow) load() (left, tests int64) {
	left = w.to[0] - w.from[0]
	return left, left * (w.to[1] - w.from[1])
}

// Rows is how many rows the job has on both sides.
func (b *PairJob) Rows() int64 {
	all := jobWindow{from: b.windows[0].from, to: b.windows[len(b.windows)-1].to}
	return all.rows()
}

// Describe makes w the job's windows, whose spans are valid while it is held.
func (b *PairJob) Describe(w *Windows) {
	first, last := &b.windows[0], &b.windows[len(b.windows)-1]
	for i, parts := range b.parts {
		from, to := first.from[i], last.to[i]
		w.Spans[i], w.Rows[i] = w.Spans[i][:0], 0
		for _, p := range parts {
			s := stream.Span{Batch: p.rows, From: int(max(from, p.first) - p.first), To: int(min(to, p.end()) - p.first)}
			w.Spans[i] = append(w.Spans[i], s)
			w.Rows[i] += s.To - s.From
		}
	}
	w.List, w.Left, w.Tests = w.List[:0], int(b.left), b.tests
	for i := range b.windows {
		at, rows := &b.windows[i], WindowRows{Number: b.windows[i].number}
		for side := range rows.From {
			rows.From[side], rows.To[side] = int32(at.from[side]-first.from[side]), int32(at.to[side]-first.from[side])
		}
		w.List = append(w.List, rows)
	}
}

// keep copies pairs that were found elsewhere, as positions behind the first row of each
// side.
func (b *PairJob) keep(found *Paired) error {
	n, at, before := len(found.Left), 0, int64(0)
	if len(found.Right) != n {
		return fmt.Errorf("%d left and %d right rows of a window's pairs", n, len(found.Right))
	}
	b.known, b.ends = true, b.ends[:0]
	for i := range b.found {
		b.found[i] = resize(b.found[i], n)
	}
	for i := range b.windows {
		w := &b.windows[i]
		count, skipped := w.to[0]-w.from[0], w.from[0]-b.windows[0].from[0]
		from, to := w.from[1]-b.windows[0].from[1], w.to[1]-b.windows[0].from[1]
		for ; at < n; at++ {
			failed := found.Left[at] >> 31 // all bits, or none
			left, right := int64(found.Left[at]^failed)-before, found.Right[at]
			if left >= count {
				break
			}
			if left < 0 || int64(right) < from || int64(right) >= to {
				return fmt.Errorf("pair %d, of rows %d and %d, is not of its window", at, found.Left[at], right)
			}
			b.found[0][at], b.found[1][at] = int32(left+skipped)^failed, right
		}
		b.ends = append(b.ends, at)
		before += count
	}
	if at < n {
		return fmt.Errorf("pair %d, of left row %d, is of no window", at, found.Left[at])
	}
	return nil
}

// foundPairs are an open window's pairs that are known, and how far they were put out.
type foundPairs struct {
	known bool
	rows  [2][]int32 // as PairJob.found
	first [2]int32   // positions of the rows that those are behind
	at    int
	bad   [2][]int32
}

// openFound begins a window whose pairs are known.
func (p *pairing) openFound(b *PairJob) {
	w, from := &b.windows[b.at], 0
	if b.at > 0 {
		from = b.ends[b.at-1]
	}
	p.rows, p.number = b.side, w.number
	f := &p.found
	f.known, f.at = true, 0
	if p.outer != nil {
		p.outer.begin(p.rows[0].from, nil)
	}
	for i := range f.rows {
		f.rows[i], f.first[i] = b.found[i][from:b.ends[b.at]], int32(b.windows[0].from[i]-b.first[i])
	}
}

// fillFound is fill where the pairs are known.
func (p *pairing) fillFound(out *outputs) (done bool, err error) {
	p.lay.setWindow(p.sides, p.number)
	stores := [2]*stream.Batch{p.rows[0].rows, p.rows[1].rows}
	for f := &p.found; f.at < len(f.rows[0]); {
		room := min(out.room(), ChunkRows, len(f.rows[0])-f.at)
		if room == 0 {
			return false, nil
		}
		p.takeFound(room)
		if err := p.failAgain(stores); err != nil {
			return false, err
		}
		p.lay.appendOutput(out.batch(), stores)
	}
	return true, nil
}

// takeFound makes the next n pairs those to be put out, without the ones that fail.
func (p *pairing) takeFound(n int) {
	f := &p.found
	p.lay.clearPairs()
	f.bad[0], f.bad[1] = f.bad[0][:0], f.bad[1][:0]
	right := f.rows[1][f.at : f.at+n]
	for i, left := range f.rows[0][f.at : f.at+n] {
		if left < 0 {
			f.bad[0], f.bad[1] = append(f.bad[0], f.first[0]+^left), append(f.bad[1], f.first[1]+right[i])
			if p.outer != nil {
				p.outer.fail(f.first[0] + ^left)
			}
			continue
		}
		p.lay.addPair(int(f.first[0]+left), int(f.first[1]+right[i]))
	}
	f.at += n
}

// failAgain finds out what is to be said of pairs that are known to fail.
func (p *pairing) failAgain(stores [2]*stream.Batch) error {
	f := &p.found
	if len(f.bad[0]) == 0 {
		return nil
	}
	before := len(p.errors)
	p.lay.pairs, f.bad = f.bad, p.lay.pairs
	n, first := len(p.lay.pairs[0]), p.lay.pairs[0][0]
	p.on.apply(&p.lay, stores, p.schema, func(_ int, e ErrorRow) { p.errors = append(p.errors, e) })
	p.lay.pairs, f.bad = f.bad, p.lay.pairs
	if failed := len(p.errors) - before; failed != n {
		return fmt.Errorf("%d pairs of left row %d and on failed elsewhere, %d do here", n, first, failed)
	}
	return nil
}
