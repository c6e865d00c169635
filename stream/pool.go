package stream

import (
	"sync"
	"sync/atomic"
)

// PoolBytesMax bounds the buffers that a pool keeps idle.
const PoolBytesMax = 128 << 20

// Pool recycles batches of one job, so that a steady state allocates nothing. It
// keeps at most Limit idle batches per number of columns, and PoolBytesMax bytes of all;
// beyond that the garbage collector takes them. It is safe for concurrent use.
type Pool struct {
	mu    sync.Mutex
	idle  map[int][]*Batch
	bytes int // of idle batches
	out   atomic.Int64
	Limit int
}

// NewPool returns a pool that keeps at most limit idle batches per width.
func NewPool(limit int) *Pool { return &Pool{idle: map[int][]*Batch{}, Limit: limit} }

// Get returns an empty batch with one holder, the caller. Columns for which need is
// false are absent; a nil need means all.
func (p *Pool) Get(s *Schema, need []bool) *Batch {
	p.out.Add(1)
	n := len(s.Fields)
	p.mu.Lock()
	var b *Batch
	if l := p.idle[n]; len(l) > 0 {
		b = l[len(l)-1]
		l[len(l)-1] = nil
		p.bytes -= b.capacity
		p.idle[n] = l[:len(l)-1]
	}
	p.mu.Unlock()
	if b == nil {
		b = &Batch{pool: p}
	}
	b.reset(s, need)
	b.refs.Store(1)
	return b
}

func (p *Pool) put(b *Batch) {
	p.out.Add(-1)
	b.giveBack()
	b.capacity = 0
	for i := range b.Cols {
		b.capacity += b.Cols[i].capacity()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(b.Cols); len(p.idle[n]) < p.Limit && p.bytes+b.capacity <= PoolBytesMax {
		p.idle[n] = append(p.idle[n], b)
		p.bytes += b.capacity
	}
}

// Outstanding is the number of batches taken and not yet given back.
func (p *Pool) Outstanding() int64 { return p.out.Load() }
