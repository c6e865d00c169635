//go:build !nogpu

package cuda

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
)

func TestFind(t *testing.T) {
	s := newStandIn(t)
	s.play(12040, 12020, 2, 0)
	found, err := s.library(t).find()
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	f := found[1]
	want := device.Info{ID: "cuda:1", Kind: device.GPU, Name: "stand-in 1", Vendor: "NVIDIA", Driver: "CUDA 12.4, compute capability 9.0, NVRTC 12.2",
		MemoryBytes: 1 << 30, AllocationBytesMax: 1 << 30, SharedBytes: 48 << 10, GroupItemsMax: 1024, FP64: true, Int64Atomics: true}
	if f.Info != want || f.Unusable != "" {
		t.Errorf("%+v", f)
	}
	if _, err := s.library(t).open("cuda:2", Options{}); err == nil || !strings.Contains(err.Error(), "2 CUDA devices") {
		t.Errorf("opened the third of two: %v", err)
	}
}

// Each reason why there is nothing to run on is said.
func TestWhyThereIsNone(t *testing.T) {
	s := newStandIn(t)
	none := []string{"libcuda-that-nobody-has.so"}
	own := []string{s.path}
	for _, c := range []struct {
		name                             string
		drivers                          []string
		driver, compiler, devices, start int
		want                             string
	}{
		{"no library", none, 12040, 12040, 1, 0, "libcuda-that-nobody-has.so"},
		{"no name", nil, 12040, 12040, 1, 0, howToInstall},
		{"does not start", own, 12040, 12040, 1, 100, "does not start: cuInit"},
		{"old", own, 10020, 10020, 1, 0, "has CUDA 10.2, 11.0 is needed"},
		{"no device", own, 12040, 12040, 0, 0, "no device"},
	} {
		s.play(c.driver, c.compiler, c.devices, c.start)
		l, err := loadLibrary(c.drivers, own)
		if err == nil {
			_, err = l.find()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Without a compiler that its driver understands a device is found, and cannot be opened.
func TestWhyUnusable(t *testing.T) {
	s := newStandIn(t)
	for _, c := range []struct {
		name      string
		compilers []string
		version   int
		want      string
	}{
		{"none", []string{"libnvrtc-that-nobody-has.so"}, 12040, "pip install nvidia-cuda-nvrtc-cu12"},
		{"no name", nil, 12040, compilerVariable},
		{"too new", []string{s.path}, 13000, "of CUDA 13.0, the driver knows 12.4"},
	} {
		s.play(12040, c.version, 1, 0)
		l, err := loadLibrary([]string{s.path}, c.compilers)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := l.find(); err != nil || len(found) != 1 || !strings.Contains(found[0].Unusable, c.want) {
			t.Errorf("%s: %+v, %v", c.name, found, err)
		}
		if _, err := l.open("cuda:0", Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: opened, %v", c.name, err)
		}
	}
	l := &library{version: 12040, compiler: &compiler{name: "libnvrtc.so", version: 12040, architectures: []int{70, 90}}}
	newer := &library{version: 12040, compiler: &compiler{name: "libnvrtc.so", version: 12080, architectures: []int{70, 90}}}
	for _, c := range []struct {
		l                           *library
		capability, mode, registers int
		want                        string
	}{
		{l, 90, 0, 1, ""}, {l, 80, 0, 1, ""}, {l, 120, 0, 1, ""}, {newer, 90, 0, 1, ""},
		{l, 37, 0, 1, "3.7, 5.0 is needed"}, {l, 90, computeModeProhibited, 1, "forbids"}, {l, 90, 0, 0, "cannot pin"},
		{l, 61, 0, 1, "for compute capability 7.0 and later, it has 6.1"}, {newer, 80, 0, 1, "no binary code for compute capability 8.0"},
	} {
		if got := c.l.unusable(c.capability, c.mode, c.registers); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%d, %d, %d: %q", c.capability, c.mode, c.registers, got)
		}
	}
}

// A compiler of a later minor version than the driver makes binary code.
func TestNewerCompiler(t *testing.T) {
	s := newStandIn(t)
	s.play(12040, 12080, 1, 0)
	d := s.open(t, Options{})
	k, slot := compile(t, d, reverseProgram), slotFor(t, d, 64)
	reverse(t, slot, k, 64)
	k.Free()
	slot.Free()
}

func TestCompilerNames(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for _, name := range []string{"libnvrtc.so.12", "libnvrtc.so.11.2"} {
		want = append(want, filepath.Join(dir, name))
		if err := os.WriteFile(want[len(want)-1], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(compilerVariable, dir)
	if got := compilerNames(); !slices.Equal(got, want) {
		t.Errorf("of a folder: %q", got)
	}
	t.Setenv(compilerVariable, "/somewhere/libnvrtc.so")
	if got := compilerNames(); !slices.Equal(got, []string{"/somewhere/libnvrtc.so"}) {
		t.Errorf("of a name: %q", got)
	}
	packages := filepath.Join(dir, "lib", "python3.11", "site-packages", "nvidia", "cuda_nvrtc", "lib")
	if err := os.MkdirAll(packages, 0o700); err != nil {
		t.Fatal(err)
	}
	inPackage := filepath.Join(packages, "libnvrtc.so.12")
	if err := os.WriteFile(inPackage, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(compilerVariable, "")
	t.Setenv("VIRTUAL_ENV", dir)
	if got := compilerNames(); !slices.Contains(got, inPackage) || got[0] == inPackage {
		t.Errorf("of a Python package: %q", got)
	}
}

// The real compiler needs no device: where it is, it compiles, and refuses with a log.
func TestNVRTC(t *testing.T) {
	c, err := loadCompiler(compilerNames(), 99000)
	if err != nil || filepath.Base(c.name) == "standin.so" {
		t.Skipf("NOT TESTED: no compiler but the stand-in (%v)", err)
	}
	t.Logf("%s, CUDA %s, architectures %d", c.name, versionText(c.version), c.architectures)
	for _, p := range []*device.Program{addProgram, reverseProgram} {
		for _, a := range c.architectures {
			image, log, err := c.compile(kernel.PreludeCUDA+p.Source, a, false)
			if err != nil || !strings.Contains(string(image), ".entry "+p.Launches[0].Entry) {
				t.Errorf("%s for %d: %v\n%s", p.Key, a, err, log)
			}
		}
	}
	newest := c.architectures[len(c.architectures)-1]
	if image, log, err := c.compile(kernel.PreludeCUDA+addProgram.Source, newest, true); err != nil || !strings.HasPrefix(string(image), "\x7fELF") {
		t.Errorf("binary: %v\n%s", err, log)
	}
	const contracted = "KERNEL x(GLOBAL f64 *a) { a[0] = a[1] * a[2] + a[3]; }"
	if image, log, err := c.compile(kernel.PreludeCUDA+contracted, newest, false); err != nil || strings.Contains(string(image), "fma.") {
		t.Errorf("a product and a sum are contracted, or: %v\n%s", err, log)
	}
	if _, log, err := c.compile(kernel.PreludeCUDA+"KERNEL x(GLOBAL i32 *a) { a[0] = nonsense; }", newest, false); err == nil || !strings.Contains(log, "nonsense") {
		t.Errorf("compiled nonsense: %v, log %q", err, log)
	}
}
