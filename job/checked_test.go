package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAuto(t *testing.T) {
	there := func(kind string) ([]found, error) {
		return map[string][]found{
			"cuda":   {{id: "cuda:0", name: "A", driver: "1"}, {id: "cuda:1", name: "B", driver: "1", unusable: "no compiler"}},
			"opencl": {{id: "opencl:0", name: "A", driver: "2"}, {id: "opencl:1", name: "PoCL", driver: "3"}, {id: "opencl:2", name: "C", driver: "4"}},
		}[kind], nil
	}
	of := func(id, kind, name, driver, build string, passed bool) Checked {
		return Checked{ID: id, Kind: kind, Name: name, Driver: driver, Build: build, Passed: passed}
	}
	for _, c := range []struct {
		name  string
		list  []Checked
		want  string
		notes string
	}{
		{"nothing was checked", nil, "cpu", ""},
		{"a GPU", []Checked{of("cuda:0", "GPU", "A", "1", "b", true)}, "cpu,cuda:0", ""},
		{"a GPU that failed", []Checked{of("cuda:0", "GPU", "A", "1", "b", false)}, "cpu", ""},
		{"another build", []Checked{of("cuda:0", "GPU", "A", "1", "a", true)}, "cpu", "cuda:0 is not used"},
		{"another driver", []Checked{of("cuda:0", "GPU", "A", "0", "b", true)}, "cpu", "devices --check cuda:0"},
		{"another device in its place", []Checked{of("cuda:0", "GPU", "Z", "1", "b", true)}, "cpu", "cuda:0 is not used"},
		{"one that cannot be used now", []Checked{of("cuda:1", "GPU", "B", "1", "b", true)}, "cpu", ""},
		{"one that is gone", []Checked{of("cuda:9", "GPU", "B", "1", "b", true)}, "cpu", ""},
		{"the CPU under another name", []Checked{of("opencl:1", "CPU", "PoCL", "3", "b", true)}, "cpu", ""},
		{"one device by two drivers", []Checked{of("opencl:0", "GPU", "A", "2", "b", true), of("cuda:0", "GPU", "A", "1", "b", true)}, "cpu,cuda:0", ""},
		{"two devices", []Checked{of("opencl:2", "accelerator", "C", "4", "b", true), of("cuda:0", "GPU", "A", "1", "b", true)}, "cpu,cuda:0,opencl:2", ""},
	} {
		got, notes := auto(c.list, "b", there)
		if got != c.want || !strings.Contains(strings.Join(notes, "\n"), c.notes) || c.notes == "" && len(notes) > 0 {
			t.Errorf("%s: %s, notes %q; want %s, %q", c.name, got, notes, c.want, c.notes)
		}
	}
}

func TestCheckedFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir) // where systems look for a user's cache
	t.Setenv("XDG_CACHE_HOME", dir)
	if list, err := CheckedDevices(); err != nil || len(list) > 0 {
		t.Fatal(list, err)
	}
	at := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	for _, c := range []Checked{{ID: "a", At: at}, {ID: "b", At: at}, {ID: "a", Passed: true, At: at}} {
		if err := c.Save(); err != nil {
			t.Fatal(err)
		}
	}
	list, err := CheckedDevices()
	if err != nil || len(list) != 2 || list[1] != (Checked{ID: "a", Passed: true, At: at}) {
		t.Fatal(list, err)
	}
	path, _ := checkedFile()
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	processors, notes := AutoProcessors()
	if processors != "cpu" || len(notes) != 1 || !strings.Contains(notes[0], filepath.Base(path)) {
		t.Error(processors, notes)
	}
}
