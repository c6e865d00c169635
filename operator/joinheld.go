package operator

import (
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// heldSide is a window side whose rows stay in the parts that tasks made of them; the
// store has order numbers only. Rows are known by number: base plus the position in the
// store, which moves down now and then.
type heldSide struct {
	*windowSide
	in     *intake
	base   int64
	parts  []*heldPart
	bytes  int64
	orders rowPart // what the store is given
}

// heldPart is a part from row first on.
type heldPart struct {
	*rowPart
	in    *intake
	first int64
	bytes int64
	uses  atomic.Int32
}

var heldParts sync.Pool

func newHeldSide(s *windowSide, in *intake) *heldSide {
	s.store = newRowStore(stream.NewSchema(), nil, false)
	return &heldSide{windowSide: s, in: in, orders: rowPart{rows: &stream.Batch{}}}
}

func (s *heldSide) add(p *rowPart) {
	n := p.rows.Len
	if n == 0 {
		s.in.put(p)
		return
	}
	before := s.store.rows.Len
	s.orders.rows.Len, s.orders.order = n, p.order
	s.store.add(&s.orders)
	s.base += int64(before + n - s.store.rows.Len)
	h, ok := heldParts.Get().(*heldPart)
	if !ok {
		h = &heldPart{}
	}
	h.rowPart, h.in, h.first, h.bytes = p, s.in, s.base+int64(s.store.rows.Len-n), int64(p.rows.SizeBytes()+16*n)
	h.uses.Store(1)
	s.parts = append(s.parts, h)
	s.bytes += h.bytes
}

func (p *heldPart) end() int64 { return p.first + int64(p.rows.Len) }

func (p *heldPart) release() {
	if p.uses.Add(-1) == 0 {
		p.in.put(p.rowPart)
		p.rowPart = nil
		heldParts.Put(p)
	}
}

// forget lets go of the parts that no later window needs.
func (s *heldSide) forget() {
	head, n := s.base+int64(s.store.head), 0
	for n < len(s.parts) && s.parts[n].end() <= head {
		s.bytes -= s.parts[n].bytes
		s.parts[n].release()
		n++
	}
	kept := copy(s.parts, s.parts[n:])
	clear(s.parts[kept:])
	s.parts = s.parts[:kept]
}

func (s *heldSide) sizeBytes() int64 { return s.bytes }

// checkText reports an error if a text column of all parts together, which one job may
// have to copy, outgrows its offsets.
func (s *heldSide) checkText() error {
	if s.bytes <= storeTextBytesMax {
		return nil
	}
	for c := range s.in.schema.Fields {
		n := int64(0)
		for _, p := range s.parts {
			n += int64(len(p.rows.Cols[c].Bytes))
		}
		if n > storeTextBytesMax {
			return textError("join buffer", n)
		}
	}
	return nil
}

func (s *heldSide) keyed() bool { return len(s.in.keyCols) > 0 }

// snapshot writes what a side with one store would.
func (s *heldSide) snapshot(w *state.Writer) {
	orders := s.store
	s.store = newRowStore(s.in.schema, s.in.stored, s.keyed())
	for i, p := range s.parts {
		if i == 0 {
			s.store.head = int(s.base + int64(orders.head) - p.first)
		}
		s.store.rows.AppendRange(p.rows, 0, p.rows.Len)
		s.store.order = append(s.store.order, p.order...)
		s.store.hash = append(s.store.hash, p.hash...)
	}
	s.windowSide.snapshot(w)
	s.store = orders
}

func (s *heldSide) restore(r *state.Reader) error {
	orders := s.store
	s.store = newRowStore(s.in.schema, s.in.stored, s.keyed())
	if err := s.windowSide.restore(r); err != nil {
		return err
	}
	part := &rowPart{rows: s.store.rows, order: s.store.order, hash: s.store.hash}
	s.store = orders
	s.add(part)
	return nil
}

// PairJob is some windows in a row, and their results.
type PairJob struct {
	windows     []jobWindow
	left, tests int64 // the windows' load
	parts       [2][]*heldPart
	// finished: somebody has done the job, or as much of it as there was room for.
	finished bool
	// known: the pairs were found elsewhere. They are those of found, up to ends of each window.
	known bool
	found [2][]int32
	ends  []int
	// reserved is how many bytes of copies a lane has made room for.
	reserved int64
	// Of who works on it.
	pairing *pairing
	side    [2]pairRows
	first   [2]int64 // number of the row at position 0 of each side
	opened  bool
	at      int // window
	out     outputs
	errors  []ErrorRow
	results []*stream.Batch
	sent    int
}

// jobWindow is a window's number and its rows on both sides.
type jobWindow struct {
	number   int64
	from, to [2]int64
}

func (w *jobWindow) rows() int64 { return w.to[0] - w.from[0] + w.to[1] - w.from[1] }

// jobRows is the least number of rows of a job that is not a task's last.
const jobRows = 4096

// takes reports whether another window should join the job. Those that share rows with
// it do, until most of what is copied is not shared.
func (b *PairJob) takes(w jobWindow) bool {
	first, last := &b.windows[0], &b.windows[len(b.windows)-1]
	all := jobWindow{from: first.from, to: last.to}
	shared := w.from[0] < last.to[0] || w.from[1] < last.to[1]
	return all.rows() < jobRows || shared && all.rows() < 2*w.rows()
}

func (b *PairJob) add(w jobWindow) {
	left, tests := w.load()
	b.windows, b.left, b.tests = append(b.windows, w), b.left+left, b.tests+tests
}

// hold makes the job a user of the parts that have its rows.
func (b *PairJob) hold(side int, s *heldSide) {
	from, to := b.windows[0].from[side], b.windows[len(b.windows)-1].to[side]
	for _, p := range s.parts {
		if p.end() > from && p.first < to {
			p.uses.Add(1)
			b.parts[side] = append(b.parts[side], p)
		}
	}
}

func (b *PairJob) release() {
	for i, parts := range b.parts {
		for _, p := range parts {
			p.release()
		}
		clear(parts)
		b.parts[i] = parts[:0]
	}
}

// copyBytes is about how much gather has to copy.
func (b *PairJob) copyBytes() (n int64) {
	for i, parts := range b.parts {
		if len(parts) < 2 {
			continue
		}
		from, to := b.windows[0].from[i], b.windows[len(b.windows)-1].to[i]
		for _, p := range parts {
			n += p.bytes * (min(to, p.end()) - max(from, p.first)) / int64(p.rows.Len)
		}
	}
	return n
}

// gather makes the job's rows lie in one batch a side: that of the part, if it is one.
func (b *PairJob) gather(ins [2]*intake) {
	for i, parts := range b.parts {
		if len(parts) == 1 {
			b.first[i], b.side[i] = parts[0].first, pairRows{rows: parts[0].rows, hash: parts[0].hash}
			continue
		}
		from, to := b.windows[0].from[i], b.windows[len(b.windows)-1].to[i]
		st := b.pairing.copies(i, ins[i])
		for _, p := range parts {
			at, end := int(max(from, p.first)-p.first), int(min(to, p.end())-p.first)
			st.rows.AppendRange(p.rows, at, end)
			if len(p.hash) > 0 {
				st.hash = append(st.hash, p.hash[at:end]...)
			}
		}
		b.first[i], b.side[i] = from, pairRows{rows: st.rows, hash: st.hash}
	}
}

func (b *PairJob) done() bool { return b.at == len(b.windows) }

// step fills a batch or comes to the end; nil: there were no more pairs.
func (b *PairJob) step(u *uses) (*stream.Batch, error) {
	for ; b.at < len(b.windows); b.at++ {
		if !b.opened {
			w := &b.windows[b.at]
			for i := range b.side {
				b.side[i].from, b.side[i].to = int(w.from[i]-b.first[i]), int(w.to[i]-b.first[i])
			}
			if b.known {
				b.pairing.openFound(b)
			} else {
				b.pairing.open(b.side, w.number)
			}
			u.add(b.pairing.way())
			b.opened = true
		}
		done, err := b.pairing.fill(&b.out)
		b.errors = append(b.errors, b.pairing.takeErrors()...)
		switch {
		case err != nil:
			return nil, err
		case !done:
			return b.out.take(), nil
		}
		b.opened = false
	}
	return b.out.take(), nil
}

// result returns the next batch that lanes have filled.
func (b *PairJob) result() *stream.Batch {
	if b.sent == len(b.results) {
		return nil
	}
	b.sent++
	return b.results[b.sent-1]
}

func (b *PairJob) takeErrors() []ErrorRow {
	e := b.errors
	b.errors = b.errors[:0]
	return e
}

// clear makes the job one without windows.
func (b *PairJob) clear() {
	b.out.close()
	b.release()
	clear(b.results)
	*b = PairJob{
		windows: b.windows[:0], parts: b.parts, errors: b.errors[:0], results: b.results[:0],
		found: [2][]int32{b.found[0][:0], b.found[1][:0]}, ends: b.ends[:0],
	}
}
