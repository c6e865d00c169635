package operator

import (
	"fmt"
	"slices"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// sorter orders the rows of each window of a relation that carries its window, or of a
// whole bounded input.
//
//	task ──Batch──▶ runs: the rows of each window that ──Assemble, Next──▶ held: runs of the
//	  (workers)     the task touches, sorted, cut to the                   open window, merged
//	                rows that can be put out                               when it closes
//
// A run that Batch has sorted is never sorted again: the open window's runs are merged
// in pairs of neighbours, which keeps rows of equal keys in the order they came in.
//
// With a limit only so many rows of a window can matter, offset and limit together
// (keep). Batch cuts every run to them; held is merged and cut when it has twice as many
// and sortTrimRows. So an open window with a limit holds no more than that and one task.
//
// Groups of a window are rows that are equal by the first keys, so in the window's order
// they stand together, and walking along it counts the rows of each: what a limit leaves
// (cutGroups) and what is put out (emitNumbered) need no table. An open window then holds
// at most twice what its groups may keep, sortTrimRows more, and a task.
//
// Invariants:
//
//  1. held has the rows of one window, in runs; runs follow the order of tasks.
//  2. part is the task that is being taken in, from row at; when Next returns nil there
//     is none.
//  3. Of each group held has its first rows, all of them up to keep: settle drops none
//     whose number is keep or less, so counting along held numbers the rows put out.
type sorter struct {
	env     Env
	op      *model.Operator
	sort    *model.Sort
	in      *intake
	keys    []sortKey
	windows []int // columns that tell windows apart; none: the input is one window
	end     int   // column of window_end; -1: windows have no time
	keep    int64 // rows of a window, or of each group in it, that matter; -1: all
	groups  int   // keys that divide a window into groups
	number  int   // column of the number of a row in its group; -1: none is wanted

	mark  int64
	ended bool
	part  *sortedPart
	at    int
	held  sortedRows
	spare sortedRows
	open  bool
	out   outputs
	put   int   // of the window that is put out: its next row; -1: none is
	to    int   // and the end of its rows
	count int64 // number of the row before put in its group
	parts sync.Pool
}

// sortTrimRows is how many rows more than twice those that matter an open window gathers
// before the others are dropped.
const sortTrimRows = 1024

// sortKeepMax is the offset or limit from which on an open window keeps all rows.
const sortKeepMax = 1 << 40

// NewSort returns the function of a Sort operator; need tells which columns of its
// relation are read.
func NewSort(env Env, side Side, op *model.Operator, need []bool) (Function, error) {
	rel, schema := side.Output(), op.Relation.Schema
	s := &sorter{env: env, op: op, sort: op.Sort, end: -1, keep: -1, put: -1, number: -1, groups: op.Sort.Groups, mark: stream.MinTime, out: newOutputs(env, schema, need)}
	if s.sort.Limited() && s.sort.Limit < sortKeepMax && s.sort.Offset < sortKeepMax {
		s.keep = s.sort.Offset + s.sort.Limit
	}
	width := rel.Schema.Len()
	reads := allOf(width)
	if need != nil {
		reads = slices.Clone(need[:width])
	}
	if s.sort.Number && (need == nil || need[width]) {
		s.number = width
	}
	if rel.Windowed() {
		for _, role := range []stream.Role{stream.WindowEnd, stream.WindowStart, stream.WindowIndex} {
			if c := schema.RoleIndex(role); c >= 0 {
				s.windows, reads[c] = append(s.windows, c), true
			}
		}
		if s.end = schema.RoleIndex(stream.WindowEnd); len(s.windows) == 0 {
			return nil, fmt.Errorf("%s: windowed input without window columns", op.Name)
		}
	}
	for _, k := range s.sort.Keys {
		reads[k.Column] = true
		s.keys = append(s.keys, newSortKey(k, schema.Fields[k.Column].Type))
	}
	var err error
	if s.in, err = newIntake(op.ID, side, reads, nil, nil, orderNone, -1); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	s.held.rows, s.spare.rows = stream.NewBatch(s.in.schema, s.in.stored), stream.NewBatch(s.in.schema, s.in.stored)
	return s, nil
}

// sortScratch is a worker's.
type sortScratch struct {
	in    *intakeScratch
	order sortOrder
}

func (s *sorter) NewScratch() Scratch { return &sortScratch{in: s.in.newScratch()} }

// sortedPart is what a task has of every window, in the order of windows: those of
// window i are the rows up to ends[i]. next is the first window not taken in.
type sortedPart struct {
	rows *rowPart
	ends []int
	next int
}

func (s *sorter) newPart(rows *rowPart) *sortedPart {
	p, ok := s.parts.Get().(*sortedPart)
	if !ok {
		p = &sortedPart{}
	}
	p.rows, p.ends, p.next = rows, p.ends[:0], 0
	return p
}

func (s *sorter) Batch(t *Task, scratch Scratch) (Partial, error) {
	sc := scratch.(*sortScratch)
	part, failed, err := s.in.run(t, sc.in)
	if err != nil {
		return Partial{}, err
	}
	p := s.newPart(part)
	sc.order.reset()
	for from := 0; from < part.rows.Len; {
		to := s.windowEnd(part.rows, from)
		sc.order.add(s, part.rows, from, to)
		p.ends = append(p.ends, len(sc.order.rows))
		from = to
	}
	if sc.order.moved {
		p.rows = s.in.getPart()
		p.rows.rows.AppendSelected(part.rows, sc.order.rows)
		s.in.put(part)
	}
	return Partial{Value: p, Errors: failed}, nil
}

// windowEnd is the first row behind from that is of another window.
func (s *sorter) windowEnd(rows *stream.Batch, from int) int {
	to := rows.Len
	for _, c := range s.windows {
		to = from + sameRun(rows.Cols[c].I64[from:to])
	}
	return to
}

// sameWindow reports whether row i is of the window that held has rows of.
func (s *sorter) sameWindow(rows *stream.Batch, i int) bool {
	for _, c := range s.windows {
		if rows.Cols[c].I64[i] != s.held.rows.Cols[c].I64[0] {
			return false
		}
	}
	return true
}

func (s *sorter) Assemble(t *Task, p Partial) error {
	s.part, s.at = p.Value.(*sortedPart), 0
	if s.mark = max(s.mark, t.Watermark); t.End {
		s.ended, s.mark = true, stream.MaxTime
	}
	if err := s.env.bounded(limitSort, int64(s.held.rows.SizeBytes()+s.part.rows.rows.SizeBytes())); err != nil {
		return err
	}
	for c := range s.held.rows.Cols {
		if n := len(s.held.rows.Cols[c].Bytes); n > storeTextBytesMax {
			return textError(limitSort, int64(n))
		}
	}
	return nil
}

func (s *sorter) Next() (*stream.Batch, error) {
	for {
		switch {
		case s.put >= 0:
			if s.emit(); s.put >= 0 {
				return s.out.take(), nil
			}
		case s.part != nil && s.part.next < len(s.part.ends):
			if s.open && !s.sameWindow(s.part.rows.rows, s.at) {
				s.close()
				continue
			}
			s.take()
		case s.part != nil:
			s.in.put(s.part.rows)
			s.part.rows = nil
			s.parts.Put(s.part)
			s.part = nil
		case s.open && s.due():
			s.close()
		default:
			return s.out.take(), nil
		}
	}
}

// due reports whether no further row of the open window can come.
func (s *sorter) due() bool {
	if s.ended || s.end < 0 {
		return s.ended
	}
	end := s.held.rows.Cols[s.end].I64[0]
	return s.mark >= end && end < stream.MaxTime
}

// take adds the part's next run to the open window.
func (s *sorter) take() {
	to := s.part.ends[s.part.next]
	s.part.next++
	s.held.add(s, s.part.rows.rows, s.at, to)
	s.open = s.held.rows.Len > 0
	s.at = to
	if s.keep >= 0 && int64(s.held.rows.Len) > 2*max(int64(s.held.settled), s.keep)+sortTrimRows {
		s.held.settle(s, &s.spare)
	}
}

// close begins to put out the open window.
func (s *sorter) close() {
	s.held.settle(s, &s.spare)
	n := int64(s.held.rows.Len)
	if s.counts() {
		s.put, s.to, s.count = 0, int(n), 0
		return
	}
	s.put, s.to = int(min(s.sort.Offset, n)), int(n)
	if left := n - int64(s.put); s.sort.Limited() && s.sort.Limit < left {
		s.to = s.put + int(s.sort.Limit)
	}
}

// counts: rows are put out by their numbers in groups, or with them.
func (s *sorter) counts() bool { return s.groups > 0 || s.number >= 0 }

// emit puts out rows of the closing window while there is room.
func (s *sorter) emit() {
	if s.counts() {
		s.emitNumbered()
		return
	}
	for s.put < s.to {
		n := min(s.out.room(), s.to-s.put)
		if n == 0 {
			return
		}
		out := s.out.batch()
		s.copy(out, s.put, s.put+n)
		s.put += n
	}
	s.put, s.open = -1, false
	s.held.clear()
}

// copy appends rows [from, to) of the window that is put out.
func (s *sorter) copy(out *stream.Batch, from, to int) {
	for c := range s.held.rows.Cols {
		if dst := &out.Cols[c]; !dst.Absent() {
			dst.AppendRange(&s.held.rows.Cols[c], from, to, out.Len)
		}
	}
	out.Len += to - from
}

// emitNumbered is emit where rows are counted in their groups: it puts out stretches of
// rows that pass.
func (s *sorter) emitNumbered() {
	for s.put < s.to {
		room := s.out.room()
		if room == 0 {
			return
		}
		number := s.numberOf(s.put)
		if !s.passes(number) {
			s.count = number
			s.put++
			continue
		}
		from, first := s.put, number
		for {
			s.count = number
			s.put++
			if s.put == s.to || s.put-from == room {
				break
			}
			if number = s.numberOf(s.put); number == 1 || !s.passes(number) {
				break
			}
		}
		out := s.out.batch()
		if s.number >= 0 {
			numbers := &out.Cols[s.number].I64
			for n := range int64(s.put - from) {
				*numbers = append(*numbers, first+n)
			}
		}
		s.copy(out, from, s.put)
	}
	s.put, s.open = -1, false
	s.held.clear()
}

// numberOf is the number in its group of row i of the window that is put out, when count is
// that of the row before.
func (s *sorter) numberOf(i int) int64 {
	if i > 0 && s.sameGroup(s.held.rows, i-1, i) {
		return s.count + 1
	}
	return 1
}

// passes reports whether the row of a number in its group is put out.
func (s *sorter) passes(number int64) bool {
	return number > s.sort.Offset && (!s.sort.Limited() || number-s.sort.Offset <= s.sort.Limit)
}

// sameGroup reports whether rows i and j of b, which are of one window, are of one group.
func (s *sorter) sameGroup(b *stream.Batch, i, j int) bool {
	for n := range s.groups {
		if s.keys[n].compare(b, b, i, j) != 0 {
			return false
		}
	}
	return true
}

// Watermark is the input's, as far as the open window lets it: its rows have the event
// time window_end - 1. Windows that would end behind the end of time end there and are
// never known to be complete, so their event time is not passed before the input ends.
func (s *sorter) Watermark() int64 {
	switch {
	case s.ended:
		return stream.MaxTime
	case s.op.Relation.Time < 0 || s.end < 0:
		return stream.MinTime
	case s.open:
		return min(s.mark, s.held.rows.Cols[s.end].I64[0]-1)
	}
	return min(s.mark, stream.MaxTime-1)
}

func (s *sorter) Wants(int) bool         { return true }
func (s *sorter) TakeErrors() []ErrorRow { return nil }

// Offload implements Offloader: rows in front of the sort.
func (s *sorter) Offload(int) (Offload, error) { return s.in.chain.Offload() }

// Discard implements Releaser; partial results hold nothing of the pool.
func (s *sorter) Discard(Partial) {}

// Close implements Releaser.
func (s *sorter) Close() { s.out.close() }

func (s *sorter) Snapshot(w *state.Writer) {
	w.Int(s.out.rows)
	w.Int(s.mark)
	w.Bool(s.ended)
	w.Bool(s.open)
	s.held.settle(s, &s.spare)
	w.Batch(s.held.rows, 0, s.held.rows.Len)
}

func (s *sorter) Restore(r *state.Reader) error {
	s.out.rows, s.mark = r.Int(), r.Int()
	s.ended, s.open = r.Bool(), r.Bool()
	r.Batch(s.held.rows)
	if n := s.held.rows.Len; n > 0 {
		s.held.ends, s.held.settled = append(s.held.ends[:0], n), n
	}
	return r.End()
}
