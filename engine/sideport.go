package engine

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// sidePort is a source's port besides Out: Late, Arrival or Errors. Its rows come in the
// order of the data: by position in their partition - the number of good records before
// them - then by partition. With one partition they go straight on; with several, an
// ingress keyed by position holds them until no partition can have an earlier one.
type sidePort struct {
	out *outlet
	in  *ingress // nil: one partition
}

// newSidePort returns nil if nobody reads the port.
func newSidePort(out *outlet, schema *stream.Schema, need []bool, partitions int, pool *stream.Pool, bytesMax int64, fills *operator.Fills) *sidePort {
	if out == nil {
		return nil
	}
	p := &sidePort{out: out}
	if partitions > 1 {
		op := &model.Operator{Relation: model.Relation{Schema: schema, Time: -1}, Source: &model.Source{}}
		p.in = newIngress(op, partitions, need, pool, bytesMax, fills)
	}
	return p
}

// send takes over a batch (one hold) of rows at the given positions of a partition.
func (p *sidePort) send(partition int, b *stream.Batch, positions []int64) error {
	if p.in != nil && b.Len > 0 {
		return p.in.add(partition, b, positions, 0)
	}
	if b.Len > 0 {
		p.out.send(b, 0, b.Len)
	}
	b.Release()
	return nil
}

// reached says that later rows of the partition have positions of at least position.
func (p *sidePort) reached(partition int, position int64, ended bool) {
	if p != nil && p.in != nil {
		p.in.parts[partition].ordinal, p.in.parts[partition].ended = position, ended
	}
}

// next puts out the next rows that may go; false when none is left.
func (p *sidePort) next() bool {
	if p == nil || p.in == nil {
		return false
	}
	span, ok := p.in.next()
	if !ok {
		return false
	}
	p.out.send(span.Batch, span.From, span.To)
	span.Batch.Release()
	return true
}

func (p *sidePort) close() {
	if p != nil && p.in != nil {
		p.in.close()
	}
}

// snapshot writes what waits; a port without memory writes nothing.
func (p *sidePort) snapshot(w *state.Writer) {
	var inner state.Writer
	if p != nil && p.in != nil {
		p.in.Snapshot(&inner)
	}
	w.Text(string(inner.Bytes()))
}

func (p *sidePort) restore(r *state.Reader) error {
	inner := r.Text()
	if p == nil || p.in == nil || r.Err() != nil {
		return r.Err()
	}
	return p.in.Restore(state.NewReader([]byte(inner)))
}
