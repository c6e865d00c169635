//go:build !nogpu

package opencl

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/device"
)

// requireVariable makes the absence of a device a failure. Where PoCL should be installed
// (continuous integration) it is set, so that these tests cannot be skipped unnoticed.
const requireVariable = "MILLRACE_REQUIRE_OPENCL"

// open opens the machine's first usable device, closed at the test's end.
func open(t testing.TB, o Options) *Device {
	t.Helper()
	found, err := Find()
	for _, f := range found {
		if f.Unusable != "" {
			continue
		}
		d, err := Open(f.ID, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if used, _ := d.Used(); used != 0 {
				t.Errorf("%d bytes were not freed", used)
			}
			d.Close()
		})
		return d
	}
	if os.Getenv(requireVariable) != "" {
		t.Fatalf("%s is set, and there is no OpenCL device: %v", requireVariable, err)
	}
	t.Skipf("NOT TESTED: no OpenCL device (%v). apt-get install pocl-opencl-icd gives one", err)
	return nil
}

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

// runAdd runs addProgram over 0..n-1 with k and a limit, and checks that as many values
// as are above the limit were moved out, and no more.
func runAdd(t testing.TB, s device.Slot, k device.Kernel, r device.Resident, n int, add int32, limit int64) device.Timing {
	t.Helper()
	in, out := s.Input(0), s.Output(1)
	for i := range n {
		binary.LittleEndian.PutUint32(in[4*i:], uint32(i))
		binary.LittleEndian.PutUint32(out[4*i:], 0xDEAD)
	}
	if err := s.Run(k, &device.Call{InputBytes: []int{4 * n}, Scalars: []int64{int64(n), limit}, Resident: []device.Resident{r}}); err != nil {
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
		t.Fatal(err)
	}
	return k
}

func TestRunsTasks(t *testing.T) {
	d := open(t, Options{})
	k, r, s := compile(t, d, addProgram), resident(t, d, 7), slotFor(t, d, 1000)
	defer k.Free()
	defer r.Free()
	defer s.Free()
	for _, n := range []int{1, 63, 64, 65, 1000, 2} {
		timing := runAdd(t, s, k, r, n, 7, int64(n/2))
		if timing.MoveIn < 0 || timing.Execute <= 0 || timing.MoveOut < 0 { // some clocks are coarse
			t.Errorf("times of %d rows: %+v", n, timing)
		}
	}
	other := resident(t, d, -3)
	defer other.Free()
	runAdd(t, s, k, other, 100, -3, 10)
}

// Slots run side by side, each with arguments of its own, over one kernel.
func TestSlotsOverlap(t *testing.T) {
	d := open(t, Options{})
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

func TestTasksDoNotAllocate(t *testing.T) {
	d := open(t, Options{})
	k, r, s := compile(t, d, addProgram), resident(t, d, 7), slotFor(t, d, 100)
	defer k.Free()
	defer r.Free()
	defer s.Free()
	call := &device.Call{InputBytes: []int{400}, Scalars: []int64{100, 0}, Resident: []device.Resident{r}}
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
	d := open(t, Options{})
	for _, c := range []struct {
		name, reason, log string
		program           device.Program
	}{
		{"source", "compiler", "undeclared", device.Program{Source: "KERNEL x(GLOBAL i32 *a) { a[0] = nonsense; }"}},
		{"entry", "invalid kernel name", "", device.Program{Source: "KERNEL x(GLOBAL i32 *a) { a[0] = 1; }",
			Launches: []device.Launch{{Entry: "y"}}}},
		{"group", "is the limit", "", device.Program{Source: "KERNEL x(GLOBAL i32 *a) { a[0] = 1; }",
			Launches: []device.Launch{{Entry: "x", Group: 1 << 20}}}},
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
	weak := &Device{found: Found{Info: device.Info{ID: "opencl:9"}}}
	for source, reason := range map[string]string{"f64 x;": "double", "f32 x;": "single"} {
		if got := weak.lacks(&device.Program{Source: source}); !strings.Contains(got, reason) {
			t.Errorf("a device without it: %q", got)
		}
	}
}

func TestMemoryIsBudgeted(t *testing.T) {
	found, _ := Find()
	if len(found) == 0 {
		open(t, Options{})
	}
	share := float64(1<<20) / float64(found[0].MemoryBytes)
	d := open(t, Options{MemoryShare: share})
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

// A reset voids what was made before, and only that.
func TestReset(t *testing.T) {
	d := open(t, Options{})
	k, r, s := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
	if err := d.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(k, &device.Call{InputBytes: []int{4}, Scalars: []int64{1, 1}, Resident: []device.Resident{r}}); !errors.Is(err, device.ErrLost) {
		t.Errorf("a slot from before the reset runs: %v", err)
	}
	if err := r.Write([]byte{1}); !errors.Is(err, device.ErrLost) {
		t.Errorf("a resident buffer from before the reset is written: %v", err)
	}
	k2, r2, s2 := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
	if err := s2.Run(k, &device.Call{InputBytes: []int{4}, Scalars: []int64{1, 1}, Resident: []device.Resident{r2}}); !errors.Is(err, device.ErrLost) {
		t.Errorf("a kernel from before the reset runs: %v", err)
	}
	runAdd(t, s2, k2, r2, 10, 1, 3)
	for _, free := range []func(){k.Free, r.Free, s.Free, k2.Free, r2.Free, s2.Free} {
		free()
	}
}

// Open and close many times, with objects freed before and after Close: what leaked would
// be gigabytes.
func TestOpenCloseDoesNotLeak(t *testing.T) {
	first := open(t, Options{})
	round := func(i int) {
		d, err := Open(first.Info().ID, Options{})
		if err != nil {
			t.Fatal(err)
		}
		k, r, s := compile(t, d, addProgram), resident(t, d, 2), slotFor(t, d, 1<<20)
		runAdd(t, s, k, r, 1<<20, 2, 1<<19)
		free := func() { k.Free(); s.Free(); r.Free() }
		if i%2 == 0 {
			free()
		}
		d.Close()
		if i%2 == 1 {
			free()
		}
		if used, _ := d.Used(); used != 0 {
			t.Fatalf("%d bytes are counted after closing", used)
		}
		if _, err := d.NewSlot(device.Sizes{}); !errors.Is(err, device.ErrClosed) {
			t.Fatalf("a slot on a closed device: %v", err)
		}
	}
	for i := range 5 {
		round(i)
	}
	before := residentBytes(t)
	for i := range 60 {
		round(i)
	}
	if grown := residentBytes(t) - before; grown > 128<<20 {
		t.Errorf("the process has grown by %d MiB in 60 rounds of 16 MiB", grown>>20)
	}
}

func TestMissingLibrary(t *testing.T) {
	_, err := loadLibrary([]string{"libOpenCL-that-nobody-has.so"})
	if err == nil || !strings.Contains(err.Error(), "libOpenCL-that-nobody-has.so") || !strings.Contains(err.Error(), howToInstall) {
		t.Errorf("got %v", err)
	}
}

func TestUnusable(t *testing.T) {
	for _, c := range []struct {
		version                 string
		available, compiler, le uint64
		want                    string
	}{
		{"OpenCL 1.2 CUDA", 1, 1, 1, ""}, {"OpenCL 3.0 PoCL", 1, 1, 1, ""}, {"OpenCL 1.1 Mesa", 1, 1, 1, "1.2 is needed"},
		{"Vulkan 1.1", 1, 1, 1, "not one of OpenCL"}, {"OpenCL 1.2", 0, 1, 1, "available"}, {"OpenCL 1.2", 1, 0, 1, "compiler"}, {"OpenCL 1.2", 1, 1, 0, "endian"},
	} {
		if got := unusable(c.version, c.available, c.compiler, c.le); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// A race in a kernel for tools that look for races to find, which .ci/oclgrind demands.
func TestPlantedRace(t *testing.T) {
	d := open(t, Options{})
	k := compile(t, d, &device.Program{
		Source:   "KERNEL race(GLOBAL i32 *out) { out[0] = ITEM; out[1] = out[0]; }",
		Launches: []device.Launch{{Entry: "race", Items: device.Extent{Fixed: 256}, Group: 64, Args: []device.Arg{{Kind: device.OutputArg}}}},
		Outputs:  []device.Extent{{Fixed: 8}},
	})
	defer k.Free()
	s, err := d.NewSlot(device.Sizes{Output: []int{8}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free()
	if err := s.Run(k, &device.Call{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}
