package sim

import "github.com/millrace/millrace/device"

// resident is memory that stays.
type resident struct {
	d       *Device
	gen     *generation
	bytes   []byte
	freed   bool
	moving  bool
	users   int  // runs that use it
	written bool // by the one that uses it
}

// NewResident allocates one.
func (d *Device) NewResident(bytes int) (device.Resident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.allocate(int64(bytes)); err != nil {
		return nil, err
	}
	return &resident{d: d, gen: d.gen, bytes: make([]byte, bytes)}, nil
}

// enter begins a run that uses the buffer, with mu held.
func (r *resident) enter(writes bool) {
	d := r.d
	if r.gen != d.gen || r.freed || r.moving {
		d.misuse("a run uses a resident buffer: of this generation %v, freed %v, moving %v", r.gen == d.gen, r.freed, r.moving)
	}
	if r.users > 0 && (writes || r.written) {
		d.misuse("a run writes a resident buffer that %d others use", r.users)
	}
	r.users++
	r.written = writes
}

// leave ends it.
func (r *resident) leave() { r.users-- }

func (r *resident) Bytes() int { return len(r.bytes) }

func (r *resident) Write(p []byte) error {
	return r.move(func() { copy(r.bytes, p) }, len(p), r.d.config.MoveIn)
}

func (r *resident) Read(p []byte) error {
	return r.move(func() { copy(p, r.bytes) }, len(p), r.d.config.MoveOut)
}

// move copies when its time is over, unless the device is lost by then.
func (r *resident) move(f func(), bytes int, rate float64) error {
	d, g := r.d, r.gen
	d.mu.Lock()
	if err := d.state(); err != nil || g != d.gen {
		d.mu.Unlock()
		return device.ErrLost
	}
	if r.freed || r.moving || r.users > 0 {
		d.misuse("a resident buffer is moved: freed %v, moving %v, %d runs use it", r.freed, r.moving, r.users)
	}
	r.moving = true
	effect, fault := d.happens(Move)
	switch {
	case fault && effect == Hang:
		g.hung = true
	case fault && effect == Lose:
		d.lose()
	}
	if d.config.Unified {
		rate = 0
	}
	hangs := g.hung
	d.mu.Unlock()
	g.answer(hangs, duration(bytes, rate))
	d.mu.Lock()
	defer d.mu.Unlock()
	r.moving = false
	if g != d.gen || g.isLost || d.closed {
		return device.ErrLost
	}
	f()
	return nil
}

func (r *resident) Free() {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.moving || r.users > 0 && r.gen == r.d.gen && !r.d.closed {
		r.d.misuse("a resident buffer is freed: moving %v, %d runs use it", r.moving, r.users)
	}
	r.d.free(r.gen, &r.freed, "resident buffer")
	if r.gen == r.d.gen {
		r.d.used -= int64(len(r.bytes))
	}
}
