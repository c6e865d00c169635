package device

import (
	"errors"
	"fmt"
	"time"
)

// errAgain: something changed meanwhile; look again.
var errAgain = errors.New("look again")

// allocationPause is how long a device that failed to allocate within the budget is taken
// to be full.
const allocationPause = time.Second

// warm gives a plan what it lacks: resident buffers, new contents of them, a seat. With
// only one of its seats missing it takes free memory; without any, also that of idle
// plans, the one used least recently first.
func (p *Processor) warm(pl *Plan) error {
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	select {
	case p.memory <- struct{}{}:
		defer p.memoryDone()
	case <-broken:
		return errAgain
	}
	p.mu.Lock()
	if p.state != Up || !p.has(pl) || pl.inflight > 0 && anySet(pl.changed) {
		p.mu.Unlock()
		return errAgain
	}
	if len(pl.free) > 0 { // so it is an update that is missing
		p.mu.Unlock()
		return p.write(pl)
	}
	cold := pl.resident == nil
	need := pl.sizes.Total()
	if cold {
		need += pl.residentBytes()
	}
	for p.used+need > p.limitNow() {
		victim := p.idlest(pl)
		if victim == nil || pl.seats > 0 {
			if pl.seats == 0 {
				p.wanted = need
			}
			free := p.limit - p.used
			p.mu.Unlock()
			return fmt.Errorf("%w: %s needs %d bytes, %d of %d are free", ErrNoMemory, pl.program.Key, need, free, p.limit)
		}
		p.evict(victim)
	}
	p.used += need
	var images [][]byte
	if cold {
		images = append([][]byte{}, pl.images...)
		clear(pl.changed)
	}
	trash := p.takeTrash()
	p.mu.Unlock()
	return p.allocate(pl, images, need, trash)
}

func anySet(list []bool) bool {
	for _, b := range list {
		if b {
			return true
		}
	}
	return false
}

// limitNow is the budget; less for a while after the device failed to allocate.
func (p *Processor) limitNow() int64 {
	if !p.fullSince.IsZero() && time.Since(p.fullSince) < allocationPause {
		return min(p.limit, p.fullAt)
	}
	return p.limit
}

// full notes that the device could not allocate what was within the budget.
func (p *Processor) full() { p.fullSince, p.fullAt = time.Now(), p.used }

// idlest is the plan used least recently of those with memory and nothing in flight.
func (p *Processor) idlest(not *Plan) *Plan {
	var out *Plan
	for _, pl := range p.plans {
		if pl != not && pl.resident != nil && pl.inflight == 0 && (out == nil || pl.used < out.used) {
			out = pl
		}
	}
	return out
}

// evict makes an idle plan cold, with both locks held. The host has all it needs to make
// it warm again: buffers that kernels write were read back after each task. Its memory is
// trash, which counts as free, since it is freed before anything is allocated.
func (p *Processor) evict(pl *Plan) {
	if pl.resident == nil {
		return
	}
	for _, s := range pl.free {
		p.retire(s)
	}
	p.trash.resident = append(p.trash.resident, pl.resident...)
	p.trash.bytes += pl.residentBytes()
	pl.free, pl.resident = nil, nil
	p.used -= pl.residentBytes()
	p.stats.Evictions++
}

// allocate makes what was booked as used, with memory held and mu not, when the trash is
// gone. A cold plan brings the images of its resident buffers, not nil.
func (p *Processor) allocate(pl *Plan, images [][]byte, need int64, trash *lot) error {
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	made := &lot{}
	left, err := p.guard(made, p.config.Deadline, broken, func() error {
		trash.free()
		for _, image := range images {
			r, err := p.device.NewResident(len(image))
			if err != nil {
				return err
			}
			made.resident = append(made.resident, r)
			if err := r.Write(image); err != nil {
				return err
			}
		}
		slot, err := p.device.NewSlot(pl.sizes)
		if err == nil {
			made.slots = append(made.slots, slot)
		}
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if isClosed(p.broken) {
		if !left {
			p.void.lots = append(p.void.lots, made)
		}
		return errAgain
	}
	if err != nil {
		p.used -= need
		if errors.Is(err, ErrNoMemory) {
			p.trash.resident, p.trash.bytes = append(p.trash.resident, made.resident...), p.trash.bytes+need
			p.full()
			p.sweepSoon()
			return err
		}
		p.void.lots = append(p.void.lots, made)
		err = failure(err)
		p.failLocked(err)
		return err
	}
	s := pl.newSeat(made.slots[0])
	go s.wait()
	if images != nil {
		pl.resident = append([]Resident{}, made.resident...)
		p.stats.BytesIn += pl.residentBytes()
	}
	pl.seats++
	pl.free = append(pl.free, s)
	p.wanted = 0
	return nil
}

// write moves new contents of resident buffers to the device, with memory held, mu not,
// and nothing of the plan in flight.
func (p *Processor) write(pl *Plan) error {
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	for i := range pl.changed {
		p.mu.Lock()
		changed, image, buffers := pl.changed[i], pl.images[i], &lot{resident: pl.resident}
		p.mu.Unlock()
		if !changed {
			continue
		}
		left, err := p.guard(buffers, p.config.Deadline, broken, func() error { return buffers.resident[i].Write(image) })
		if err != nil {
			if left {
				p.mu.Lock()
				pl.resident = nil
				p.mu.Unlock()
				return err
			}
			err = failure(err)
			p.fail(err)
			return err
		}
		p.mu.Lock()
		p.stats.BytesIn += int64(len(image))
		pl.changed[i] = len(image) > 0 && &pl.images[i][0] != &image[0] // a newer one
		p.mu.Unlock()
	}
	return nil
}

// void is what was made before a loss. Freeing it could block while the device hangs, so
// that waits for the reset.
type void struct {
	seats []*seat
	lots  []*lot
}

// discard gives up a seat of a device that was lost, with mu held. What may still run or
// be read on it, the plan's written buffers too, the seat's goroutine frees.
func (p *Processor) discard(s *seat) {
	if s.stateful {
		s.owned, s.plan.resident = s.plan.resident, nil
	}
	p.void.seats = append(p.void.seats, s)
}

// abandon makes a plan cold on a device that was lost, with mu held.
func (p *Processor) abandon(pl *Plan) {
	v := &p.void
	v.seats = append(v.seats, pl.free...)
	v.lots = append(v.lots, &lot{resident: pl.resident, kernel: pl.kernel})
	pl.free, pl.seats, pl.resident, pl.kernel = nil, 0, nil, nil
}

// bury frees what is void: the device was reset or closed.
func (p *Processor) bury() {
	p.mu.Lock()
	v := p.void
	p.void = void{}
	p.mu.Unlock()
	for _, s := range v.seats {
		s.lost = true
		close(s.start)
	}
	for _, l := range v.lots {
		l.free()
	}
}

// drop gives back everything of a plan, with memory held. On a device that is not up
// there is nothing to give.
func (p *Processor) drop(pl *Plan, down bool) {
	p.mu.Lock()
	if down {
		p.abandon(pl)
		p.mu.Unlock()
		return
	}
	if pl.resident != nil {
		p.stats.Evictions-- // nobody took it
	}
	p.evict(pl)
	p.trash.kernel, pl.kernel = pl.kernel, nil
	p.mu.Unlock()
	p.sweep()
}
