package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"
)

// This file holds the commands about the machine and the program itself.

// processor is one line of millrace devices.
type processor struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Model       string   `json:"model"`
	Cores       int      `json:"cores"`   // physical, 0 if unknown
	Threads     int      `json:"threads"` // that the process may use
	Features    []string `json:"features"`
	MemoryBytes uint64   `json:"memory_bytes"` // 0 if unknown
}

func thisCPU() processor {
	var features []string
	for _, id := range []cpuid.FeatureID{cpuid.SSE42, cpuid.POPCNT, cpuid.BMI2, cpuid.AVX, cpuid.AVX2, cpuid.AVX512F, cpuid.ASIMD, cpuid.SVE} {
		if cpuid.CPU.Supports(id) {
			features = append(features, strings.ToLower(id.String()))
		}
	}
	name := cpuid.CPU.BrandName
	if name == "" {
		name = runtime.GOARCH
	}
	return processor{
		Name: "cpu", Kind: "cpu", Model: name, Cores: cpuid.CPU.PhysicalCores, Threads: runtime.GOMAXPROCS(0),
		Features: features, MemoryBytes: memoryBytes(),
	}
}

// memoryBytes reads the machine's memory where the system tells it as a file.
func memoryBytes() uint64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kib uint64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// build says which program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// line is what the command says of itself.
func (b build) line() string {
	line := "millrace " + b.Version
	if b.Revision != "" {
		line += " " + b.Revision[:min(12, len(b.Revision))]
	}
	if b.Modified {
		line += " (modified)"
	}
	return line + " " + b.Go + " " + b.Platform
}

func versionCommand(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			if asJSON {
				return writeJSON(t.out, b)
			}
			_, err := fmt.Fprintln(t.out, b.line())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
