//go:build !nogpu

package opencl

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/device"
)

// busyProgram takes long enough for its input to be worth hiding.
var busyProgram = &device.Program{
	Key: "test/busy",
	Source: `
KERNEL busy(GLOBAL const i32 *in, GLOBAL i32 *out, i32 n) {
  i32 g = ITEM;
  if (g >= n) return;
  u32 v = (u32)in[g];
  for (i32 i = 0; i < 64; i++) v = v * 1664525u + 1013904223u;
  out[g] = (i32)v;
}`,
	Launches: []device.Launch{{Entry: "busy", Items: device.Extent{Each: 1}, Group: 64,
		Args: []device.Arg{{Kind: device.InputArg}, {Kind: device.OutputArg}, {Kind: device.Int32Arg}}}},
	Outputs: []device.Extent{{Each: 4}},
}

type busyTask struct {
	n     int
	wrong bool
	done  *sync.WaitGroup
	err   error
}

func (b *busyTask) CopyIn(s device.Slot, c *device.Call) error {
	c.InputBytes[0] = 4 * b.n
	c.Scalars = append(c.Scalars[:0], int64(b.n))
	return nil
}

func (b *busyTask) CopyOut(s device.Slot, _ *device.Call) error {
	v := binary.NativeEndian.Uint32(s.Input(0))
	for range 64 {
		v = v*1664525 + 1013904223
	}
	b.wrong = binary.NativeEndian.Uint32(s.Output(0)) != v
	return nil
}

func (b *busyTask) Done(_ device.Stages, err error) {
	b.err = err
	b.done.Done()
}

// interval is a command by the device's clock.
type interval struct {
	slot     *Slot
	from, to int64
}

// hidden is the part of all movement during which the kernel of another task ran.
func hidden(moves, kernels []interval) float64 {
	var moved, inside int64
	for _, m := range moves {
		moved += m.to - m.from
		for _, k := range kernels {
			if k.slot != m.slot {
				inside += max(0, min(m.to, k.to)-max(m.from, k.from))
			}
		}
	}
	return float64(inside) / float64(max(1, moved))
}

// With several tasks in flight the movement of one runs while another's kernel does, by the
// clock of the device; with one in flight there is nobody to overlap with.
func TestMovementOverlapsKernels(t *testing.T) {
	const tasks, values = 40, 1 << 18
	for _, depth := range []int{1, 3} {
		d := open(t, Options{})
		var mu sync.Mutex
		var moves, kernels []interval
		d.trace = func(s *Slot, stage int, from, to int64) {
			mu.Lock()
			defer mu.Unlock()
			if stage == execute {
				kernels = append(kernels, interval{s, from, to})
			} else {
				moves = append(moves, interval{s, from, to})
			}
		}
		p := device.Start(&losing{Device: d, lostAt: -1}, device.Config{Depth: depth, Deadline: time.Minute})
		plan, err := p.Plan(busyProgram, device.Sizes{Input: []int{4 * values}, Output: []int{4 * values}})
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		began := time.Now()
		for range tasks {
			b := &busyTask{n: values, done: &done}
			done.Add(1)
			if err := plan.Submit(b); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if b.err != nil || b.wrong {
					t.Errorf("depth %d: %v, wrong result: %v", depth, b.err, b.wrong)
				}
			})
		}
		done.Wait()
		took := time.Since(began)
		_ = p.Close()
		share := hidden(moves, kernels)
		t.Logf("depth %d: %d commands that move, %d kernels, %.2f ms a task; of the movement %.0f %% while another task's kernel ran",
			depth, len(moves), len(kernels), took.Seconds()*1e3/tasks, 100*share)
		if len(kernels) != tasks || len(moves) != 2*tasks || depth == 1 && share > 0 || depth > 1 && share == 0 {
			t.Errorf("depth %d: %d kernels, %d movements, overlap %.2f", depth, len(kernels), len(moves), share)
		}
	}
}
