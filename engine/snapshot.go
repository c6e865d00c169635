package engine

import (
	"fmt"
	"sync/atomic"

	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

const minTime = stream.MinTime

func newTimes(n int) []atomic.Int64 {
	out := make([]atomic.Int64, n)
	for i := range out {
		out[i].Store(minTime)
	}
	return out
}

// takeSnapshot collects every element of a run at rest: what each body keeps, and the
// rows and watermarks that wait in inlets.
func (r *run) takeSnapshot() *state.Snapshot {
	snap := &state.Snapshot{Elements: map[string][]byte{}}
	for _, s := range r.stages {
		var w state.Writer
		w.Bool(s.finished)
		for _, in := range s.inlets {
			in.cutter.Snapshot(&w)
		}
		snap.Elements[s.element("inlets")] = w.Bytes()
		var b state.Writer
		s.writeBody(&b)
		snap.Elements[s.element("state")] = b.Bytes()
	}
	return snap
}

func (s *stage) element(what string) string { return fmt.Sprintf("%d/%s/%s", s.id, s.name, what) }

func (s *stage) writeBody(w *state.Writer) {
	switch b := s.body.(type) {
	case *sourceBody:
		b.Snapshot(w)
	case *functionBody:
		for _, e := range b.inputs {
			w.Bool(e)
		}
		w.Int(b.rowsOut.Load())
		var inner state.Writer
		b.fn.Snapshot(&inner)
		w.Text(string(inner.Bytes()))
	case *sinkBody:
		w.Int(b.out.Load())
		w.Bool(b.end)
		var inner state.Writer
		s.run.cfg.Sinks[b.op.ID].Snapshot(&inner)
		w.Text(string(inner.Bytes()))
	}
}

// restore puts a snapshot into the freshly built stages.
func (r *run) restore(snap *state.Snapshot) error {
	for _, s := range r.stages {
		inlets, ok1 := snap.Elements[s.element("inlets")]
		body, ok2 := snap.Elements[s.element("state")]
		if !ok1 || !ok2 {
			return fmt.Errorf("the snapshot has no state for %q: it was taken from another query", s.name)
		}
		if err := s.restore(state.NewReader(inlets), state.NewReader(body)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (s *stage) restore(inlets, body *state.Reader) error {
	s.finished = inlets.Bool()
	for _, in := range s.inlets {
		in.cutter.RestoreRows(inlets, in.schema)
	}
	if err := inlets.End(); err != nil {
		return err
	}
	if err := s.restoreBody(body); err != nil {
		return err
	}
	for i, in := range s.inlets {
		in.wanted = s.body.wants(i)
	}
	if _, sink := s.body.(*sinkBody); sink && s.finished {
		s.run.sinksLeft.Add(-1)
	}
	return nil
}

func (s *stage) restoreBody(r *state.Reader) error {
	switch b := s.body.(type) {
	case *sourceBody:
		b.finished = s.finished
		return b.Restore(r)
	case *functionBody:
		for i := range b.inputs {
			if b.inputs[i] = r.Bool(); b.inputs[i] {
				b.left--
			}
		}
		b.rowsOut.Store(r.Int())
		inner := r.Text()
		if err := r.End(); err != nil {
			return err
		}
		return b.fn.Restore(state.NewReader([]byte(inner)))
	case *sinkBody:
		b.out.Store(r.Int())
		b.end = r.Bool()
		inner := r.Text()
		if err := r.End(); err != nil {
			return err
		}
		return s.run.cfg.Sinks[b.op.ID].Restore(state.NewReader([]byte(inner)))
	}
	return nil
}

// discardSlot gives back what a task that will not be assembled holds.
func (s *stage) discardSlot(sl *slot, seq uint64) {
	s.body.discard(sl, s.producing && seq == s.head)
	for i := range sl.task.Spans {
		sl.task.Spans[i].Batch.Release()
	}
	sl.task.Spans = nil
	sl.partial = operator.Partial{}
}
