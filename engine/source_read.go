package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/millrace/millrace/connector"
)

// read feeds one partition's blocks into the stage until it ends or ctx is done.
func (s *stage) read(ctx context.Context, partition int, at connector.Position) error {
	body := s.body.(*sourceBody)
	reader, err := body.src.Reader(ctx, partition, at)
	if err != nil {
		return err
	}
	defer reader.Close()
	block := &connector.Block{}
	for {
		if !body.admitted(ctx, partition) {
			return nil
		}
		err := reader.Next(ctx, block)
		switch {
		case errors.Is(err, io.EOF):
			body.counts.passed.Add(block.Passed.Rows)
			s.enter(ctx, func(sl *slot) {
				sl.decoded.partition, sl.decoded.end, sl.decoded.idle, sl.decoded.eof = partition, true, false, block.End
			})
			return nil
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", s.name, err)
		}
		block.Partition = partition
		body.heard[partition].Store(time.Now().UnixNano())
		if !s.enter(ctx, func(sl *slot) {
			sl.block, *block = *block, sl.block
			sl.born = s.run.clock()
			if due := sl.block.Due; !due.IsZero() {
				sl.born = max(1, int64(due.Sub(s.run.begun)))
			}
			sl.decoded.partition, sl.decoded.end, sl.decoded.idle = partition, false, false
		}) {
			return nil
		}
	}
}

// enter waits for a slot, fills and submits it; false when ctx is done first.
func (s *stage) enter(ctx context.Context, fill func(*slot)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.full() && ctx.Err() == nil {
		s.space.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	fill(&s.ring[s.tail%uint64(len(s.ring))])
	s.submit()
	return true
}

// admitted waits while the partition is ahead of the others and ingress already holds
// much, so that one fast partition does not fill the buffer; false when ctx is done.
func (b *sourceBody) admitted(ctx context.Context, partition int) bool {
	if len(b.ahead) == 1 {
		return ctx.Err() == nil
	}
	return b.run.admission.Wait(ctx, func() bool {
		return b.buffered.Load() < ingressSoftBytes || b.ahead[partition].Load() <= b.floor.Load()
	})
}

// noticeSilence tells ingress of partitions that have been silent for the idle timeout,
// once each; false when ctx is done.
func (s *stage) noticeSilence(ctx context.Context, told []bool) bool {
	b := s.body.(*sourceBody)
	timeout := b.op.Source.IdleTimeoutMicros * 1000
	for p := range told {
		silent := time.Now().UnixNano()-b.heard[p].Load() >= timeout
		if silent && !told[p] && !s.enter(ctx, func(sl *slot) {
			sl.decoded.partition, sl.decoded.end, sl.decoded.idle = p, false, true
		}) {
			return false
		}
		told[p] = silent
	}
	return true
}

// watchSilence looks for idle partitions until ctx is done.
func (s *stage) watchSilence(ctx context.Context) {
	tick := time.NewTicker(lingerInterval)
	defer tick.Stop()
	told := make([]bool, len(s.body.(*sourceBody).heard))
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.run.completed:
			return
		case <-tick.C:
			if !s.noticeSilence(ctx, told) {
				return
			}
		}
	}
}
