package sim

import (
	"time"

	"github.com/millrace/millrace/device"
)

// slot reserves time on the device's three engines when it is run, in the order of runs,
// and waits until its time is over.
type slot struct {
	d       *Device
	gen     *generation
	buffers device.Buffers
	bytes   int64
	running bool
	freed   bool
	hangs   bool
	until   time.Time
	timing  device.Timing
	err     error
}

// NewSlot allocates one.
func (d *Device) NewSlot(s device.Sizes) (device.Slot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.allocate(s.Total()); err != nil {
		return nil, err
	}
	return &slot{d: d, gen: d.gen, bytes: s.Total(), buffers: device.Buffers{
		Input: buffers(s.Input), Output: buffers(s.Output), Temporary: buffers(s.Temporary),
	}}, nil
}

func buffers(sizes []int) [][]byte {
	var out [][]byte
	for _, n := range sizes {
		out = append(out, make([]byte, n))
	}
	return out
}

func (s *slot) Input(i int) []byte  { return s.buffers.Input[i] }
func (s *slot) Output(i int) []byte { return s.buffers.Output[i] }

func (s *slot) Free() {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.running {
		d.misuse("a slot was freed between Run and Wait")
	}
	d.free(&s.freed, "slot")
	if s.gen == d.gen {
		d.used -= s.bytes
	}
}

func (s *slot) Run(k device.Kernel, c *device.Call) error {
	d, kern := s.d, k.(*kernel)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.state(); err != nil {
		return err
	}
	if s.gen != d.gen || kern.gen != d.gen || s.running || s.freed {
		d.misuse("Run: slot of this generation %v, kernel %v, running %v, freed %v", s.gen == d.gen, kern.gen == d.gen, s.running, s.freed)
		return device.ErrLost
	}
	if effect, fault := d.happens(Launch); fault {
		if effect == Full {
			return device.ErrNoMemory
		}
		d.lose()
		return device.ErrLost
	}
	s.buffers.Call = c
	s.buffers.Resident = s.buffers.Resident[:0]
	for _, r := range c.Resident {
		s.buffers.Resident = append(s.buffers.Resident, r.(*resident).content(d))
	}
	s.running = true
	s.err = kern.program.Host(&s.buffers)
	s.reserve(kern.program, c)
	s.fault()
	return nil
}

// reserve books the engines, with mu held: each one serves tasks in the order of runs.
func (s *slot) reserve(p *device.Program, c *device.Call) {
	g, conf := s.gen, &s.d.config
	in, out := 0, 0
	for _, n := range c.InputBytes {
		in += n
	}
	for i := range s.buffers.Output {
		size := len(s.buffers.Output[i])
		if i < len(p.Outputs) {
			size = p.Outputs[i].Bytes(c, s, size)
		}
		out += size
	}
	rate, ok := conf.Rate[p.Key]
	if !ok {
		rate = conf.RateOther
	}
	s.timing = device.Timing{Execute: conf.Launch*time.Duration(max(1, len(p.Launches))) + duration(in, rate)}
	if !conf.Unified {
		s.timing.MoveIn, s.timing.MoveOut = duration(in, conf.MoveIn), duration(out, conf.MoveOut)
	}
	g.in = later(time.Now(), g.in).Add(s.timing.MoveIn)
	g.exec = later(g.in, g.exec).Add(s.timing.Execute)
	g.out = later(g.exec, g.out).Add(s.timing.MoveOut)
	s.until = g.out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func duration(bytes int, rate float64) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(bytes) / rate * 1e9)
}

// fault applies what the configuration has for this execution, with mu held.
func (s *slot) fault() {
	d, g := s.d, s.gen
	if g.hung {
		s.hangs = true
	}
	effect, fault := d.happens(Execute)
	if !fault {
		return
	}
	switch effect {
	case Hang:
		g.hung, s.hangs = true, true
	case Lose:
		time.AfterFunc(time.Until(g.exec), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.gen == g {
				d.lose()
			}
		})
		s.hangs = true // no result before that
	case Full:
		s.err = device.ErrNoMemory
	case Wrong:
		if out := s.buffers.Output[0]; len(out) > 0 {
			out[len(out)-1] ^= 1
		}
	}
}

func (s *slot) Wait() (device.Timing, error) {
	var over <-chan time.Time
	if !s.hangs {
		timer := time.NewTimer(time.Until(s.until))
		defer timer.Stop()
		over = timer.C
	}
	err := device.ErrLost
	select {
	case <-over:
		err = s.err
	case <-s.gen.lost:
	case <-s.gen.reset:
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if !s.running {
		s.d.misuse("Wait without Run")
	}
	s.running = false
	return s.timing, err
}

// resident is memory that stays.
type resident struct {
	d     *Device
	gen   *generation
	bytes []byte
	freed bool
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

// content is what kernels see, with mu held.
func (r *resident) content(d *Device) []byte {
	if r.gen != d.gen || r.freed {
		d.misuse("a run uses a resident buffer: of this generation %v, freed %v", r.gen == d.gen, r.freed)
	}
	return r.bytes
}

func (r *resident) Bytes() int { return len(r.bytes) }

func (r *resident) Write(p []byte) error {
	return r.move(func() { copy(r.bytes, p) }, len(p), r.d.config.MoveIn)
}

func (r *resident) Read(p []byte) error {
	return r.move(func() { copy(p, r.bytes) }, len(p), r.d.config.MoveOut)
}

func (r *resident) move(f func(), bytes int, rate float64) error {
	r.d.mu.Lock()
	err := r.d.state()
	if err == nil {
		f()
	}
	r.d.mu.Unlock()
	if err == nil && !r.d.config.Unified {
		time.Sleep(duration(bytes, rate))
	}
	return err
}

func (r *resident) Free() {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.d.free(&r.freed, "resident buffer")
	if r.gen == r.d.gen {
		r.d.used -= int64(len(r.bytes))
	}
}
