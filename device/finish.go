package device

import "time"

// finish takes tasks in the order of submission, waits for each and copies its result out.
// Once the device is lost it hands back everything at once.
func (p *Processor) finish() {
	defer p.workers.Done()
	watchdog := time.NewTimer(p.config.Deadline)
	defer watchdog.Stop()
	for s := range p.flying {
		p.mu.Lock()
		broken := p.broken
		p.mu.Unlock()
		watchdog.Reset(p.config.Deadline)
		select {
		case <-broken:
			p.handBack(s)
			continue
		default:
		}
		select {
		case w := <-s.done:
			p.landed(s, w)
		case <-broken:
			p.handBack(s)
		case <-watchdog.C:
			p.fail(ErrTimeout)
			p.handBack(s)
		}
	}
}

// landed ends a task that the device has ended.
func (p *Processor) landed(s *seat, w waited) {
	work := s.work
	if w.err != nil {
		p.mu.Lock()
		p.stats.Returned++
		p.mu.Unlock()
		work.Done(s.stages, p.failed(s, w.err))
		return
	}
	from := time.Now()
	err := work.CopyOut(s.slot, &s.call)
	s.stages.Timing = w.timing
	s.stages.CopyOut = time.Since(from)
	stages := s.stages
	p.settle(s, err)
	p.observe(s, stages, err)
	p.release(s)
	work.Done(stages, err)
}

func (p *Processor) observe(s *seat, stages Stages, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := &p.stats
	st.Tasks++
	if err != nil {
		st.Tasks--
		st.Returned++
	}
	for _, n := range s.call.InputBytes {
		st.BytesIn += int64(n)
	}
	for i := range s.plan.sizes.Output {
		st.BytesOut += int64(moved(s, i))
	}
	st.Stages.Add(stages)
	p.tuner.add(stages)
	if p.config.Depth == 0 && st.Tasks%depthEvery == 0 {
		p.depth = p.tuner.depth(DepthMax)
	}
}

// depthEvery is the number of tasks between two adjustments of the depth.
const depthEvery = 16

// handBack ends a task that may still be running on a lost device. Its seat is abandoned.
func (p *Processor) handBack(s *seat) {
	p.mu.Lock()
	p.stats.Returned++
	reason := p.reason
	p.mu.Unlock()
	work := s.work
	stages := s.stages
	p.release(s)
	work.Done(stages, failure(reason))
}

// moved is the bytes of output buffer i that were moved out.
func moved(s *seat, i int) int {
	size := s.plan.sizes.Output[i]
	list := s.plan.program.Outputs
	if i >= len(list) {
		return size
	}
	return list[i].Bytes(&s.call, s.slot, size)
}
