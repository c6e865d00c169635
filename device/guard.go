package device

import "time"

// lot is what a call of the device makes or works on. While the call runs it belongs to
// the call; if nobody waits for it any more, it is freed when the call returns.
type lot struct {
	resident []Resident
	slots    []Slot
	kernel   Kernel
	bytes    int64 // of what is to be freed
}

// free may block as long as the device hangs.
func (l *lot) free() {
	for _, r := range l.resident {
		r.Free()
	}
	for _, s := range l.slots {
		s.Free()
	}
	if l.kernel != nil {
		l.kernel.Free()
	}
	*l = lot{}
}

// takeTrash is what is to be freed, with both locks held.
func (p *Processor) takeTrash() *lot {
	l := p.trash
	p.trash = lot{}
	return &l
}

// sweep frees what nobody needs, with memory held and mu not.
func (p *Processor) sweep() {
	p.mu.Lock()
	trash, broken := p.takeTrash(), p.broken
	p.mu.Unlock()
	_, _ = p.guard(&lot{}, p.config.Deadline, broken, func() error {
		trash.free()
		return nil
	})
}

// sweepSoon does that in the background, with mu held.
func (p *Processor) sweepSoon() {
	if p.state != Up {
		return // the reset or Close does
	}
	broken := p.broken
	p.background.Go(func() {
		select {
		case p.memory <- struct{}{}:
			p.sweep()
			p.memoryDone()
		case <-broken:
		}
	})
}

// How long calls may take that are slow when all is well.
const (
	resetLimit   = 30 * time.Second
	compileLimit = 5 * time.Minute // and ten times Info.LoadTime
)

// compile makes a kernel, guarded.
func (p *Processor) compile(program *Program, broken <-chan struct{}) (Kernel, error) {
	made := &lot{}
	left, err := p.guard(made, compileLimit+10*p.info.LoadTime, broken, func() (err error) {
		made.kernel, err = p.device.Compile(program)
		return err
	})
	if left || err != nil {
		return nil, err
	}
	return made.kernel, nil
}

// guard makes a call of the device that may never return, with mu not held. A call that
// exceeds the limit takes the device out of use: ErrTimeout. It is also left alone as soon
// as the device is lost otherwise, broken being closed: errAgain. The lot of a call that
// was left is gone.
func (p *Processor) guard(l *lot, limit time.Duration, broken <-chan struct{}, call func() error) (left bool, err error) {
	done, leave := make(chan error), make(chan struct{})
	go func() {
		err := call()
		select {
		case done <- err:
		case <-leave:
			l.free()
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return false, err
	case <-broken:
		err = errAgain
	case <-timer.C:
		p.fail(ErrTimeout)
		err = ErrTimeout
	}
	close(leave)
	return true, err
}
