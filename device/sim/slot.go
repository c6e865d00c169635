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
	users   []*resident // buffers that the run uses
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
	d.free(s.gen, &s.freed, "slot")
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
	if d.config.OneProgram && (s.gen.loading || s.gen.key != kern.program.Key) {
		d.misuse("Run of %s, while %q is loaded", kern.program.Key, s.gen.key)
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
	s.users = s.users[:0]
	for i, r := range c.Resident {
		r := r.(*resident)
		r.enter(i < len(kern.program.Mutable) && kern.program.Mutable[i])
		s.users = append(s.users, r)
		s.buffers.Resident = append(s.buffers.Resident, r.bytes)
	}
	s.running = true
	s.gen.running++
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
	s.gen.running--
	for _, r := range s.users {
		r.leave()
	}
	return s.timing, err
}
