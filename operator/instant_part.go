package operator

import (
	"encoding/binary"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// instantPart is what Batch makes of a task for a per-instant region: when its rows
// came and what enters each window with them. The lanes only read it.
type instantPart struct {
	input int
	first int64 // index of its first row in the input
	rows  int
	times []int64      // event time of each row; nil without
	sides [2]*sidePart // of the windows that read the input
	store [2]sidePart
	// What the task said of the input behind its rows.
	watermark int64
	ended     bool
}

// sidePart is what one window gets from a task: the rows left by the filters behind
// the window, and for PARTITION BY the partition of every row, left or not.
type sidePart struct {
	left       *rowPart // order is the index in the input
	keys       texts    // join key of each row left
	buckets    []uint16 // of each row left
	partitions texts
	homes      []uint16 // bucket of each row's partition
}

// texts are byte strings one behind the other.
type texts struct {
	ends  []int32
	bytes []byte
}

// clear empties the part for another task; what was left has been given back.
func (s *sidePart) clear() {
	s.left = nil
	s.keys.reset()
	s.partitions.reset()
	s.buckets, s.homes = s.buckets[:0], s.homes[:0]
}

func (t *texts) reset() { t.ends, t.bytes = t.ends[:0], t.bytes[:0] }

func (t *texts) end() { t.ends = append(t.ends, int32(len(t.bytes))) }

func (t *texts) at(i int) []byte {
	from := int32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.bytes[from:t.ends[i]]
}

// appendKeyValue appends bytes that are the same for equal values, NULL among them.
func appendKeyValue(dst []byte, c *stream.Column, i int) []byte {
	if c.IsNull(i) {
		return append(dst, 0)
	}
	if c.Type.Storage() == stream.Varchar {
		text := c.Text(i)
		dst = binary.AppendUvarint(append(dst, 1), uint64(len(text)))
		return append(dst, text...)
	}
	return binary.LittleEndian.AppendUint64(append(dst, 1), hashValue(c, i))
}

// instantIntake is the parallel half for one window.
type instantIntake struct {
	side      regionSide
	intake    *intake
	laneCols  []int // columns of the rows left whose hash is the bucket
	homeCols  []int // the same of the input's rows; PARTITION BY only
	partition []int // PARTITION BY columns of the input
}

func (in *instantIntake) run(t *Task, s *intakeScratch, p *sidePart) ([]ErrorRow, error) {
	left, failed, err := in.intake.run(t, s)
	if err != nil {
		return nil, err
	}
	p.left = left
	for i := range left.rows.Len {
		for _, c := range in.intake.keyCols {
			p.keys.bytes = appendKeyValue(p.keys.bytes, &left.rows.Cols[c], i)
		}
		p.keys.end()
	}
	if in.partition != nil {
		in.place(t, p)
		for _, index := range left.order {
			p.buckets = append(p.buckets, p.homes[index-t.First])
		}
		return failed, nil
	}
	s.hash = resize(s.hash, left.rows.Len)
	clear(s.hash)
	for _, c := range in.laneCols {
		hashColumn(s.hash, &left.rows.Cols[c], left.rows.Len)
	}
	for _, h := range s.hash {
		p.buckets = append(p.buckets, uint16(h%KeyBuckets))
	}
	return failed, nil
}

// place finds every row's partition and its bucket.
func (in *instantIntake) place(t *Task, p *sidePart) {
	for _, span := range t.Spans {
		for i := span.From; i < span.To; i++ {
			for _, c := range in.partition {
				p.partitions.bytes = appendKeyValue(p.partitions.bytes, &span.Batch.Cols[c], i)
			}
			p.partitions.end()
			h := uint64(0)
			for _, c := range in.homeCols {
				col, v := &span.Batch.Cols[c], uint64(hashNull)
				if !col.IsNull(i) {
					v = hashValue(col, i)
				}
				h = hashMix(h, v)
			}
			p.homes = append(p.homes, uint16(h%KeyBuckets))
		}
	}
}

// settledTask is a task whose batches have no base: the task itself where that is so.
func settledTask(t *Task) *Task {
	for _, span := range t.Spans {
		if span.Batch.Base == 0 {
			continue
		}
		out := *t
		out.Spans = make([]stream.Span, len(t.Spans))
		for i, s := range t.Spans {
			out.Spans[i] = s.Settled()
		}
		return &out
	}
	return t
}

// rowTimes copies the event times of a task's rows.
func rowTimes(dst []int64, t *Task, column int) []int64 {
	for _, span := range t.Spans {
		dst = append(dst, span.Batch.Cols[column].I64[span.From:span.To]...)
	}
	return dst
}

// sizeBytes is what a part occupies.
func (p *instantPart) sizeBytes() int64 {
	size := 8 * len(p.times)
	for _, s := range p.sides {
		if s != nil {
			size += s.left.rows.SizeBytes() + 8*len(s.left.order) + len(s.keys.bytes) + len(s.partitions.bytes) + 8*len(s.homes)
		}
	}
	return int64(size)
}

// snapshot writes a part from row `from` on, of whose rows left `skip` are gone.
func (p *instantPart) snapshot(w *state.Writer, from int, skip [2]int) {
	w.Int(p.first + int64(from))
	w.Int(int64(p.rows - from))
	if w.Bool(p.times != nil); p.times != nil {
		for _, t := range p.times[from:] {
			w.Int(t)
		}
	}
	for i, s := range p.sides {
		if w.Bool(s != nil); s == nil {
			continue
		}
		w.Batch(s.left.rows, skip[i], s.left.rows.Len)
		for k := skip[i]; k < s.left.rows.Len; k++ {
			w.Int(s.left.order[k])
			w.Int(int64(s.buckets[k]))
			w.Text(string(s.keys.at(k)))
		}
		w.Int(int64(max(0, len(s.homes)-from)))
		for k := from; k < len(s.homes); k++ {
			w.Int(int64(s.homes[k]))
			w.Text(string(s.partitions.at(k)))
		}
	}
}

func (p *instantPart) restore(r *state.Reader, newLeft [2]func() *rowPart) {
	p.first, p.rows = r.Int(), int(r.Int())
	if r.Bool() {
		p.times = []int64{}
		for k := 0; k < p.rows && r.Err() == nil; k++ {
			p.times = append(p.times, r.Int())
		}
	}
	for i := range p.sides {
		if !r.Bool() || newLeft[i] == nil {
			continue
		}
		s := &p.store[i]
		s.left, p.sides[i] = newLeft[i](), s
		r.Batch(s.left.rows)
		for k := 0; k < s.left.rows.Len && r.Err() == nil; k++ {
			s.left.order = append(s.left.order, r.Int())
			s.buckets = append(s.buckets, uint16(r.Int()))
			s.keys.bytes = append(s.keys.bytes, r.Text()...)
			s.keys.end()
		}
		for n := r.Count(2); n > 0; n-- {
			s.homes = append(s.homes, uint16(r.Int()))
			s.partitions.bytes = append(s.partitions.bytes, r.Text()...)
			s.partitions.end()
		}
	}
}

// newIntakes prepares the sides. needs tells which columns of each side's output are
// read.
func (r *Region) newIntakes(needs [2][]bool, project *model.Operator) ([]*instantIntake, error) {
	pairs, columns := r.laneKeys()
	var out []*instantIntake
	for i, side := range r.sides {
		steps := append([]*model.Operator{side.window}, side.steps...)
		op, keys := r.Emit.ID, []*model.Expr(nil)
		if r.join != nil {
			op, keys = r.join.ID, r.join.Join.LeftKeys
			if i == 1 {
				keys = r.join.Join.RightKeys
			}
		} else if project != nil {
			steps = append(steps, project)
		}
		in := &instantIntake{side: side, homeCols: columns}
		var err error
		in.intake, err = newIntake(op, Side{Relation: r.relations[side.input], Steps: steps}, needs[i], nil, keys, orderIndex, -1)
		if err != nil {
			return nil, err
		}
		if side.window.Window.Kind == model.PartitionRows {
			in.partition = side.window.Window.PartitionBy
		}
		for _, k := range pairs {
			in.laneCols = append(in.laneCols, in.intake.keyCols[k])
			if in.partition != nil {
				in.homeCols = append(in.homeCols, inline(keys[k], side.steps).Column)
			}
		}
		out = append(out, in)
	}
	return out, nil
}
