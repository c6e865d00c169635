//go:build !nogpu

package cuda

import (
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/device"
)

var errAny = errors.New("any")

// addProgram writes input + k to output 1, and the number of values above limit to output 0.
var addProgram = &device.Program{
	Key: "test/add",
	Source: `
KERNEL clear_count(GLOBAL i32 *count) { if (ITEM == 0) count[0] = 0; }
KERNEL add(GLOBAL const i32 *in, GLOBAL i32 *count, GLOBAL i32 *out, GLOBAL const i32 *k, i32 n, i64 limit) {
  i32 g = ITEM;
  if (g >= n) return;
  i32 v = in[g] + k[0];
  out[g] = v;
  if ((i64)v > limit) ADD(count, 1);
}`,
	Launches: []device.Launch{
		{Entry: "clear_count", Items: device.Extent{Fixed: 1}, Args: []device.Arg{{Kind: device.OutputArg, Index: 0}}},
		{Entry: "add", Items: device.Extent{Each: 1}, Group: 64, Args: []device.Arg{{Kind: device.InputArg}, {Kind: device.OutputArg, Index: 0},
			{Kind: device.OutputArg, Index: 1}, {Kind: device.ResidentArg}, {Kind: device.Int32Arg, Index: 0}, {Kind: device.Int64Arg, Index: 1}}},
	},
	Outputs:  []device.Extent{{Fixed: 4}, {Each: 4, Counted: true}},
	Resident: 1,
}

// reverseProgram turns around each group's values.
var reverseProgram = &device.Program{
	Key: "test/reverse",
	Source: `
KERNEL reverse(GLOBAL const i32 *in, GLOBAL i32 *out) {
  SHARED i32 part[64];
  part[LOCAL] = in[ITEM];
  MEET();
  out[ITEM] = part[63 - LOCAL];
}`,
	Launches: []device.Launch{{Entry: "reverse", Items: device.Extent{Each: 1}, Group: 64,
		Args: []device.Arg{{Kind: device.InputArg}, {Kind: device.OutputArg, Index: 1}}}},
	Outputs: []device.Extent{{}, {Each: 4}},
}

func reverse(t testing.TB, s device.Slot, k device.Kernel, n int) {
	t.Helper()
	for i := range n {
		binary.LittleEndian.PutUint32(s.Input(0)[4*i:], uint32(i))
	}
	if err := s.Run(k, &device.Call{InputBytes: []int{4 * n}, Scalars: []int64{int64(n)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got, want := binary.LittleEndian.Uint32(s.Output(1)[4*i:]), uint32(i-i%64+63-i%64); got != want {
			t.Fatalf("value %d is %d, want %d", i, got, want)
		}
	}
}

// runAdd runs addProgram over 0..n-1 with k and a limit, and checks that as many values
// as are above the limit were moved out, and no more.
func runAdd(t testing.TB, s device.Slot, k device.Kernel, r device.Resident, n int, add int32, limit int64) device.Timing {
	t.Helper()
	in, out := s.Input(0), s.Output(1)
	for i := range n {
		binary.LittleEndian.PutUint32(in[4*i:], uint32(i))
		binary.LittleEndian.PutUint32(out[4*i:], 0xDEAD)
	}
	if err := s.Run(k, addCall(n, limit, r)); err != nil {
		t.Fatal(err)
	}
	timing, err := s.Wait()
	if err != nil {
		t.Fatal(err)
	}
	above := 0
	for i := range n {
		if int64(i)+int64(add) > limit {
			above++
		}
	}
	if got := binary.LittleEndian.Uint32(s.Output(0)); got != uint32(above) {
		t.Fatalf("%d rows counted, want %d", got, above)
	}
	for i := range n {
		want := uint32(int32(i) + add)
		if i >= above {
			want = 0xDEAD
		}
		if got := binary.LittleEndian.Uint32(out[4*i:]); got != want {
			t.Fatalf("value %d is %d, want %d", i, got, want)
		}
	}
	return timing
}

func addCall(n int, limit int64, r device.Resident) *device.Call {
	return &device.Call{InputBytes: []int{4 * n}, Scalars: []int64{int64(n), limit}, Resident: []device.Resident{r}}
}

func resident(t testing.TB, d *Device, k int32) device.Resident {
	t.Helper()
	r, err := d.NewResident(4)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(binary.LittleEndian.AppendUint32(nil, uint32(k))); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, 4)
	if err := r.Read(back); err != nil || int32(binary.LittleEndian.Uint32(back)) != k {
		t.Fatalf("read %v back, %v", back, err)
	}
	return r
}

func slotFor(t testing.TB, d *Device, rows int) device.Slot {
	t.Helper()
	s, err := d.NewSlot(device.Sizes{Input: []int{4 * rows}, Output: []int{4, 4 * rows}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compile(t testing.TB, d *Device, p *device.Program) device.Kernel {
	t.Helper()
	k, err := d.Compile(p)
	if err != nil {
		var refusal *device.Refusal
		if errors.As(err, &refusal) {
			t.Fatalf("%v\n%s", err, refusal.Log)
		}
		t.Fatal(err)
	}
	return k
}

func TestRunsTasks(t *testing.T) { onEvery(t, Options{}, runsTasks) }

func runsTasks(t *testing.T, d *Device) {
	k, r, s := compile(t, d, addProgram), resident(t, d, 7), slotFor(t, d, 1000)
	defer k.Free()
	defer r.Free()
	defer s.Free()
	for _, n := range []int{1, 63, 64, 65, 1000, 2} {
		timing := runAdd(t, s, k, r, n, 7, int64(n/2))
		if timing.MoveIn < 0 || timing.Execute <= 0 || timing.MoveOut < 0 {
			t.Errorf("times of %d rows: %+v", n, timing)
		}
	}
	other := resident(t, d, -3)
	defer other.Free()
	runAdd(t, s, k, other, 100, -3, 10)
	if err := other.Write(make([]byte, 5)); err == nil {
		t.Error("five bytes go into a resident buffer of four")
	}
	if err := s.Run(k, addCall(1, 0, nil)); !errors.Is(err, device.ErrLost) { // wrong arguments end a device's use
		t.Errorf("ran without a resident buffer: %v", err)
	}
}

// Slots run side by side, each with arguments of its own, over one kernel.
func TestSlotsOverlap(t *testing.T) { onEvery(t, Options{}, slotsOverlap) }

func slotsOverlap(t *testing.T, d *Device) {
	k := compile(t, d, addProgram)
	defer k.Free()
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			r, s := resident(t, d, int32(i)), slotFor(t, d, 500)
			defer r.Free()
			defer s.Free()
			for n := range 50 {
				runAdd(t, s, k, r, 300+n, int32(i), int64(n))
			}
		})
	}
	group.Wait()
}

func TestTasksDoNotAllocate(t *testing.T) { onEvery(t, Options{}, tasksDoNotAllocate) }

func tasksDoNotAllocate(t *testing.T, d *Device) {
	k, r, s := compile(t, d, addProgram), resident(t, d, 7), slotFor(t, d, 100)
	defer k.Free()
	defer r.Free()
	defer s.Free()
	call := addCall(100, 0, r)
	allocations := testing.AllocsPerRun(200, func() {
		call.Scalars[1]++
		if err := s.Run(k, call); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 && !raceDetector {
		t.Errorf("%v allocations a task", allocations)
	}
}

func TestRefusals(t *testing.T) {
	d := newStandIn(t).open(t, Options{})
	const source = "KERNEL x(GLOBAL i32 *a) { a[0] = 1; }"
	for _, c := range []struct {
		name, reason, log string
		program           device.Program
	}{
		{"source", "compiler fails", "nonsense", device.Program{Source: "KERNEL x(GLOBAL i32 *a) { a[0] = nonsense; }"}},
		{"link", "does not load it", "elsewhere", device.Program{Source: "extern \"C\" void elsewhere();\nKERNEL x(GLOBAL i32 *a) { elsewhere(); }"}},
		{"entry", "symbol not found", "", device.Program{Source: source, Launches: []device.Launch{{Entry: "y"}}}},
		{"group", "is the limit", "", device.Program{Source: source, Launches: []device.Launch{{Entry: "x", Group: 1 << 20}}}},
		{"arguments", "is the limit", "", device.Program{Source: source, Launches: []device.Launch{{Entry: "x", Args: make([]device.Arg, argumentsMax+1)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := d.Compile(&c.program)
			var refusal *device.Refusal
			if k != nil || !errors.As(err, &refusal) {
				t.Fatalf("compiled: %v, %v", k, err)
			}
			if !strings.Contains(refusal.Reason, c.reason) || !strings.Contains(refusal.Log, c.log) {
				t.Errorf("reason %q, log %q", refusal.Reason, refusal.Log)
			}
		})
	}
	if err := d.now.state(); err != nil {
		t.Errorf("refusals end the device's use: %v", err)
	}
}

func TestMemoryIsBudgeted(t *testing.T) {
	d := newStandIn(t).open(t, Options{MemoryShare: 1.0 / 1024}) // 1 MiB
	sizes := device.Sizes{Input: []int{300 << 10}, Output: []int{100 << 10}, Temporary: []int{50 << 10}}
	var slots []device.Slot
	for {
		s, err := d.NewSlot(sizes)
		if err != nil {
			if !errors.Is(err, device.ErrNoMemory) {
				t.Fatal(err)
			}
			break
		}
		slots = append(slots, s)
	}
	if len(slots) != 2 {
		t.Errorf("%d slots of 450 KiB in 1 MiB", len(slots))
	}
	if _, err := d.NewResident(200 << 10); !errors.Is(err, device.ErrNoMemory) {
		t.Errorf("resident memory past the budget: %v", err)
	}
	slots[0].Free()
	r, err := d.NewResident(200 << 10)
	if err != nil {
		t.Fatal(err)
	}
	r.Free()
	for _, s := range slots[1:] {
		s.Free()
	}
}

// Whatever a slot or a resident buffer allocates, that the driver has no memory for it is
// said, leaves nothing behind and does not end the device's use.
func TestDriverWithoutMemory(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	streamsBefore := s.count(streams)
	for _, c := range []struct {
		function string
		calls    int
	}{{"cuMemHostRegister_v2", 1}, {"cuStreamCreate", 1}, {"cuEventCreate", eventCount}, {"cuMemAlloc_v2", 4}} {
		for n := range c.calls {
			s.failAt(c.function, n+1, codeOutOfMemory)
			if _, err := d.NewSlot(device.Sizes{Input: []int{8}, Output: []int{4, 8}, Temporary: []int{8}}); !errors.Is(err, device.ErrNoMemory) {
				t.Errorf("%s, call %d: %v", c.function, n+1, err)
			}
			if s.count(memories)+s.count(pinned)+s.count(eventsAlive) != 0 || s.count(streams) != streamsBefore {
				t.Errorf("%s, call %d: something is left", c.function, n+1)
			}
		}
	}
	s.failAt("cuMemAlloc_v2", 1, codeOutOfMemory)
	if _, err := d.NewResident(8); !errors.Is(err, device.ErrNoMemory) {
		t.Errorf("resident: %v", err)
	}
	s.failAt("cuModuleLoadDataEx", 1, codeOutOfMemory)
	if _, err := d.Compile(addProgram); !errors.Is(err, device.ErrNoMemory) {
		t.Errorf("compile: %v", err)
	}
	if used, _ := d.Used(); used != 0 {
		t.Errorf("%d bytes are counted", used)
	}
	k, r, slot := compile(t, d, addProgram), resident(t, d, 7), slotFor(t, d, 100)
	runAdd(t, slot, k, r, 100, 7, 3)
	for _, free := range []func(){k.Free, r.Free, slot.Free} {
		free()
	}
}
