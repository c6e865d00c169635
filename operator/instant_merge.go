package operator

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// instantMerge puts out what the lanes found, instant by instant: what is new and not
// cancelled by a vanished row of equal values (ISTREAM), the reverse (DSTREAM), or the
// relation (RSTREAM).
type instantMerge struct {
	fn        *instant
	results   []*laneResult
	cursors   []mergeCursor
	instant   int // RSTREAM: the next one
	relation  *instantRelation
	appeared  []change
	vanished  []change
	emit      []change // rows of the instant at hand
	emitted   int
	time      int64
	out       outputs
	watermark int64
}

type mergeCursor struct{ plus, minus int }

func (m *instantMerge) init(f *instant, need []bool) {
	m.fn, m.watermark = f, stream.MinTime
	m.out = newOutputs(f.env, f.region.Emit.Relation.Schema, need)
	if f.region.Emit.Emit == model.Rstream {
		m.relation = &instantRelation{rows: f.newResult().plus}
	}
}

// start takes the lanes' results of the next task.
func (m *instantMerge) start(results []*laneResult) {
	m.results, m.instant = results, 0
	m.cursors = make([]mergeCursor, len(results))
}

// next returns the next output batch, nil when the task's instants are done.
func (m *instantMerge) next() *stream.Batch {
	for m.emitted < len(m.emit) || m.advance() {
		if m.out.room() == 0 {
			return m.out.take()
		}
		m.put()
	}
	if b := m.out.take(); b != nil {
		return b
	}
	m.end()
	return nil
}

// end gives back the results of a task that is done.
func (m *instantMerge) end() {
	if len(m.results) == 0 {
		return
	}
	w := m.results[0].watermark
	if !m.fn.timed && w < stream.MaxTime {
		w = stream.MinTime
	}
	m.watermark = max(m.watermark, w)
	for _, r := range m.results {
		m.fn.results.Put(r)
	}
	m.results, m.emit, m.emitted = nil, m.emit[:0], 0
}

// put adds rows to the output: runs that lie side by side at once.
func (m *instantMerge) put() {
	out := m.out.batch()
	first := m.emit[m.emitted]
	n, limit := 1, min(m.out.room(), len(m.emit)-m.emitted)
	for n < limit && m.emit[m.emitted+n] == (change{first.in, first.row + n}) {
		n++
	}
	for c := range first.in.rows.Cols {
		if dst := &out.Cols[c]; !dst.Absent() {
			dst.AppendRange(&first.in.rows.Cols[c], first.row, first.row+n, out.Len)
		}
	}
	if m.fn.timed {
		if last := &out.Cols[len(out.Cols)-1]; !last.Absent() {
			appendConstant(last, m.time, out.Len, n)
		}
	}
	out.Len += n
	m.emitted += n
}

// advance goes to the next instant with something to put out.
func (m *instantMerge) advance() bool {
	m.emit, m.emitted = m.emit[:0], 0
	for len(m.emit) == 0 {
		k := m.nextInstant()
		if k < 0 {
			return false
		}
		m.collect(k)
		if m.fn.timed {
			m.time = m.results[0].times[k]
		}
		if m.relation != nil {
			m.relation.change(m.vanished, m.appeared)
			m.emit = append(m.emit, m.relation.order...)
			continue
		}
		if m.fn.region.Emit.Emit == model.Dstream {
			m.appeared, m.vanished = m.vanished, m.appeared
		}
		slices.SortFunc(m.appeared, change.compare)
		m.cancel()
	}
	return true
}

// nextInstant returns the number of the next instant, or -1: without RSTREAM of those at
// which something changed.
func (m *instantMerge) nextInstant() int32 {
	if len(m.results) == 0 {
		return -1
	}
	if m.relation != nil {
		if m.instant == m.results[0].instants {
			return -1
		}
		m.instant++
		return int32(m.instant - 1)
	}
	next := int32(-1)
	for i, r := range m.results {
		if at := m.cursors[i].plus; at < len(r.plus.instant) && (next < 0 || r.plus.instant[at] < next) {
			next = r.plus.instant[at]
		}
		if at := m.cursors[i].minus; at < len(r.minus.instant) && (next < 0 || r.minus.instant[at] < next) {
			next = r.minus.instant[at]
		}
	}
	return next
}

// collect gathers the changes of instant k.
func (m *instantMerge) collect(k int32) {
	m.appeared, m.vanished = m.appeared[:0], m.vanished[:0]
	for i, r := range m.results {
		c := &m.cursors[i]
		for ; c.plus < len(r.plus.instant) && r.plus.instant[c.plus] == k; c.plus++ {
			m.appeared = append(m.appeared, change{r.plus, c.plus})
		}
		for ; c.minus < len(r.minus.instant) && r.minus.instant[c.minus] == k; c.minus++ {
			m.vanished = append(m.vanished, change{r.minus, c.minus})
		}
	}
}

// cancelScanRows is up to how many vanished rows are searched one by one.
const cancelScanRows = 16

// cancel moves to emit the rows that appeared without, for each row that vanished, the
// first one with its values.
func (m *instantMerge) cancel() {
	if len(m.vanished) == 0 || len(m.appeared) == 0 {
		m.emit = append(m.emit, m.appeared...)
		return
	}
	if len(m.vanished) <= cancelScanRows {
		for _, x := range m.appeared {
			at := slices.IndexFunc(m.vanished, x.sameValues)
			if at < 0 {
				m.emit = append(m.emit, x)
				continue
			}
			last := len(m.vanished) - 1
			m.vanished[at] = m.vanished[last]
			m.vanished = m.vanished[:last]
		}
		return
	}
	byHash := map[uint64][]change{}
	for _, v := range m.vanished {
		h := v.in.hash[v.row]
		byHash[h] = append(byHash[h], v)
	}
	for _, x := range m.appeared {
		h := x.in.hash[x.row]
		same := byHash[h]
		if at := slices.IndexFunc(same, x.sameValues); at >= 0 {
			byHash[h] = slices.Delete(same, at, at+1)
			continue
		}
		m.emit = append(m.emit, x)
	}
}

// instantRelation is the whole relation at an instant, in its order.
type instantRelation struct {
	rows  *changes
	order []change
}

const relationCompactRows = 1024

// change removes and inserts rows. A row is known by its order.
func (r *instantRelation) change(vanished, appeared []change) {
	r.compact()
	for _, v := range vanished {
		if at, ok := slices.BinarySearchFunc(r.order, v, change.compare); ok {
			r.order = slices.Delete(r.order, at, at+1)
		}
	}
	for _, x := range appeared {
		at, _ := slices.BinarySearchFunc(r.order, x, change.compare)
		r.order = slices.Insert(r.order, at, change{r.rows, r.rows.add(x)})
	}
}

// add copies a row and returns its place.
func (c *changes) add(x change) int {
	c.rows.AppendRange(x.in.rows, x.row, x.row+1)
	if c.keys != nil {
		c.keys.AppendRange(x.in.keys, x.row, x.row+1)
	} else {
		c.a, c.b = append(c.a, x.in.a[x.row]), append(c.b, x.in.b[x.row])
	}
	return c.rows.Len - 1
}

// compact drops the rows that are not in the relation any more.
func (r *instantRelation) compact() {
	if n := r.rows.rows.Len; n < relationCompactRows || n < 2*len(r.order) {
		return
	}
	old := r.rows
	r.rows = &changes{rows: emptyLike(old.rows)}
	if old.keys != nil {
		r.rows.keys = emptyLike(old.keys)
	}
	for i, x := range r.order {
		r.order[i] = change{r.rows, r.rows.add(x)}
	}
}

// emptyLike returns an empty batch with the same columns, absent ones too.
func emptyLike(b *stream.Batch) *stream.Batch {
	out := &stream.Batch{Schema: b.Schema, Cols: make([]stream.Column, len(b.Cols))}
	for c := range out.Cols {
		out.Cols[c].Reset(b.Cols[c].Type)
	}
	return out
}
