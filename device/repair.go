package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// repair brings a lost device back: when everything in flight was handed back, it resets,
// runs a probe, compiles the plans anew and says that the device is up.
func (p *Processor) repair(reason error) {
	defer p.background.Done()
	if p.config.Changed != nil {
		p.config.Changed(false, reason)
	}
	p.mu.Lock()
	for p.inflight > 0 {
		p.wake.Wait()
	}
	p.mu.Unlock()
	p.memory <- struct{}{}
	defer p.memoryDone()
	for try := range ResetsMax {
		if try > 0 && !p.pause(p.config.Pause<<(try-1)) || p.isClosed() {
			return
		}
		if reason = p.tryReset(); reason == nil {
			p.up()
			return
		}
		if errors.Is(reason, errReset) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Down {
		p.state, p.reason = Off, failure(reason)
		p.wake.Broadcast()
	}
}

// pauseStep is how often a pause looks whether it should end early.
const pauseStep = 20 * time.Millisecond

// pause sleeps; false: the processor was closed meanwhile.
func (p *Processor) pause(d time.Duration) bool {
	for ; d > 0; d -= pauseStep {
		if p.isClosed() {
			return false
		}
		time.Sleep(min(d, pauseStep))
	}
	return true
}

func (p *Processor) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == Closed
}

func (p *Processor) tryReset() error {
	p.mu.Lock()
	p.stats.Resets++
	plans := append([]*Plan{}, p.plans...)
	p.used, p.wanted, p.fullSince = 0, 0, time.Time{}
	p.void.lots = append(p.void.lots, p.takeTrash())
	p.loader = loader{pending: p.loader.pending}
	for _, pl := range plans {
		p.abandon(pl)
	}
	p.mu.Unlock()
	if left, err := p.guard(&lot{}, resetLimit, nil, p.device.Reset); left {
		return errReset
	} else if err != nil {
		return err
	}
	p.bury()
	if err := p.probe(); err != nil {
		return err
	}
	for _, pl := range plans {
		k, err := p.compile(pl.program, nil)
		var refused *Refusal
		if err != nil && !errors.As(err, &refused) {
			return err
		}
		p.mu.Lock()
		pl.kernel = k
		if err != nil {
			pl.kernel, pl.refusal = nil, refused
		}
		p.mu.Unlock()
	}
	return nil
}

// up puts the device back to work.
func (p *Processor) up() {
	p.mu.Lock()
	if p.state != Down {
		p.mu.Unlock()
		return
	}
	p.state, p.reason = Up, nil
	p.broken = make(chan struct{})
	p.wake.Broadcast()
	p.mu.Unlock()
	if p.config.Changed != nil {
		p.config.Changed(true, nil)
	}
}

// The probe task: words in, each with its number added, words out.
const (
	probeWords  = 1024
	probeSource = `
KERNEL millrace_probe(GLOBAL const i32 *in, GLOBAL i32 *out, i32 n) {
	i32 i = ITEM;
	if (i < n) out[i] = in[i] + i;
}`
)

var (
	errProbe = errors.New("the device computes a wrong result")
	errReset = fmt.Errorf("%w: its reset does not end", ErrTimeout)
)

func probeProgram() *Program {
	return &Program{
		Key:    "millrace_probe",
		Source: probeSource,
		Launches: []Launch{{
			Entry: "millrace_probe", Items: Extent{Each: 1}, Group: 64,
			Args: []Arg{{InputArg, 0}, {OutputArg, 0}, {Int32Arg, 0}},
		}},
		Outputs: []Extent{{Each: 4}},
		Host: func(b *Buffers) error {
			for i := range int(b.Call.Scalars[0]) {
				w := binary.NativeEndian.Uint32(b.Input[0][4*i:])
				binary.NativeEndian.PutUint32(b.Output[0][4*i:], w+uint32(i))
			}
			return nil
		},
	}
}

// probe runs one task to the end. A device that only takes precompiled programs has
// proved enough if it gives memory.
func (p *Processor) probe() error {
	const size = 4 * probeWords
	var refused *Refusal
	k, err := p.compile(probeProgram(), nil)
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	made := &lot{kernel: k}
	left, err := p.guard(made, p.config.Deadline+loadFactor*p.info.LoadTime, nil, func() error {
		if l, ok := made.kernel.(Loader); ok && p.info.OneProgram {
			if err := l.Load(); err != nil {
				return err
			}
		}
		slot, err := p.device.NewSlot(Sizes{Input: []int{size}, Output: []int{size}})
		if err == nil {
			made.slots = append(made.slots, slot)
		}
		return err
	})
	switch {
	case left:
		return err
	case err != nil:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.void.lots = append(p.void.lots, made)
		return err
	case k == nil:
		made.free()
		return nil
	}
	s := &seat{slot: made.slots[0], start: make(chan struct{}, 1), done: make(chan waited, 1)}
	go s.wait()
	if err = p.runProbe(s, k); err == nil {
		close(s.start)
		made.free()
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.void.seats, p.void.lots = append(p.void.seats, s), append(p.void.lots, &lot{kernel: k})
	return err
}

func (p *Processor) runProbe(s *seat, k Kernel) error {
	want := make([]byte, 4*probeWords)
	for i := range probeWords {
		binary.NativeEndian.PutUint32(s.slot.Input(0)[4*i:], uint32(7*i))
		binary.NativeEndian.PutUint32(want[4*i:], uint32(8*i))
	}
	s.call = Call{InputBytes: []int{4 * probeWords}, Scalars: []int64{probeWords}}
	if err := s.slot.Run(k, &s.call); err != nil {
		return err
	}
	s.start <- struct{}{}
	select {
	case w := <-s.done:
		if w.err == nil && !bytes.Equal(s.slot.Output(0), want) {
			return errProbe
		}
		return w.err
	case <-time.After(p.config.Deadline):
		return ErrTimeout
	}
}
