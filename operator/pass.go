package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// passBytesMax ends an output batch early, so that text offsets and memory stay
// small however long the texts are.
const passBytesMax = 16 << 20

// pass is the function of a pipeline of stateless steps only.
type pass struct {
	env       Env
	chain     *Chain
	schema    *stream.Schema
	need      []bool
	ready     ready
	watermark int64
}

// NewPass returns the function of a pipeline that has only stateless steps. Its
// batches have the schema of the side's output; columns not needed are absent.
func NewPass(env Env, side Side) (Function, error) {
	for _, op := range side.Steps {
		if op.Kind == model.WindowOp {
			return nil, fmt.Errorf("%s: a window is not a stateless step", op.Name)
		}
	}
	chain, err := NewChain(side)
	if err != nil {
		return nil, err
	}
	return &pass{env: env, chain: chain, schema: side.Output().Schema, need: side.Need, watermark: stream.MinTime}, nil
}

type passScratch struct {
	chain *ChainScratch
	out   []*stream.Batch
	emit  func(*Chunk) error
}

func (p *pass) NewScratch() Scratch {
	s := &passScratch{chain: p.chain.NewScratch()}
	fresh := func() *stream.Batch { return p.env.Pool.Get(p.schema, p.need) }
	s.emit = func(c *Chunk) error {
		s.out = appendChunk(s.out, c, fresh)
		return nil
	}
	return s
}

func (p *pass) Batch(t *Task, scratch Scratch) (Partial, error) {
	s := scratch.(*passScratch)
	s.out = nil
	errors, err := p.chain.Run(t, s.chain, s.emit)
	return Partial{Value: s.out, Errors: errors}, err
}

func (p *pass) Discard(partial Partial) { release(partial.Value.([]*stream.Batch)) }

func (p *pass) Close() {
	p.ready.close()
}

// appendChunk puts a chunk's rows into the last output batch and fresh ones behind it.
func appendChunk(out []*stream.Batch, c *Chunk, fresh func() *stream.Batch) []*stream.Batch {
	for from := 0; from < c.Len; {
		var b *stream.Batch
		if n := len(out); n > 0 && out[n-1].Len < OutputRows && out[n-1].SizeBytes() < passBytesMax {
			b = out[n-1]
		} else {
			b = fresh()
			out = append(out, b)
		}
		to := min(c.Len, from+OutputRows-b.Len)
		c.AppendTo(b, from, to)
		from = to
	}
	return out
}

// AppendTo appends rows [from, to) to a batch whose columns, absent ones excepted, are
// those of the chunk.
func (c *Chunk) AppendTo(b *stream.Batch, from, to int) {
	for i := range b.Cols {
		if !b.Cols[i].Absent() {
			b.Cols[i].AppendRange(&c.Cols[i], from, to, b.Len)
		}
	}
	b.Len += to - from
}

func (p *pass) Assemble(t *Task, partial Partial) error {
	p.ready.batches = append(p.ready.batches, partial.Value.([]*stream.Batch)...)
	p.watermark = max(p.watermark, t.Watermark)
	if t.End {
		p.watermark = stream.MaxTime
	}
	return nil
}

func (p *pass) Next() (*stream.Batch, error) { return p.ready.next(), nil }
func (p *pass) Watermark() int64             { return p.watermark }
func (p *pass) Wants(int) bool               { return true }
func (p *pass) TakeErrors() []ErrorRow       { return nil }

func (p *pass) Snapshot(w *state.Writer) {
	w.Int(p.ready.rows)
	w.Int(p.watermark)
}

func (p *pass) Restore(r *state.Reader) error {
	p.ready.rows, p.watermark = r.Int(), r.Int()
	return r.End()
}
