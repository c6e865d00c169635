package main

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/cuda"
	"github.com/millrace/millrace/device/opencl"
)

// accelerator is a device of millrace devices --json.
type accelerator struct {
	ID                 string `json:"id"`
	Kind               string `json:"kind"`
	Name               string `json:"name"`
	Vendor             string `json:"vendor"`
	Driver             string `json:"driver"`
	Platform           string `json:"platform"`
	MemoryBytes        int64  `json:"memory_bytes"`
	AllocationBytesMax int64  `json:"allocation_bytes_max"`
	SharedBytes        int    `json:"shared_bytes"` // of a work group
	GroupItemsMax      int    `json:"group_items_max"`
	FP64               bool   `json:"fp64"`
	Int64Atomics       bool   `json:"int64_atomics"`
	UnifiedMemory      bool   `json:"unified_memory"`
	Unusable           string `json:"unusable,omitempty"` // why programs cannot run on it
}

// What users of a GPU have to know.
const (
	jobsOnCPU   = "jobs use the CPU only, unless run --processors names accelerators, too"
	cudaUntried = "no program of ours has run on CUDA hardware yet: the driver's interface is tested against a stand-in"
)

// accelerators are the machine's, and notes about what is missing.
func accelerators() (found []accelerator, notes []string) {
	nvidia, err := cuda.Find()
	if err != nil {
		notes = append(notes, "CUDA: "+err.Error())
	} else {
		notes = append(notes, cudaUntried)
	}
	for _, f := range nvidia {
		found = append(found, describe(f.Info, f.Platform, f.Unusable))
	}
	others, err := opencl.Find()
	if err != nil {
		notes = append(notes, "OpenCL: "+err.Error())
	}
	for _, f := range others {
		found = append(found, describe(f.Info, f.Platform, f.Unusable))
	}
	return found, append(notes, jobsOnCPU)
}

func describe(i device.Info, platform, unusable string) accelerator {
	return accelerator{
		ID: i.ID, Kind: i.Kind.String(), Name: i.Name, Vendor: i.Vendor, Driver: i.Driver, Platform: platform,
		MemoryBytes: i.MemoryBytes, AllocationBytesMax: i.AllocationBytesMax, SharedBytes: i.SharedBytes, GroupItemsMax: i.GroupItemsMax,
		FP64: i.FP64, Int64Atomics: i.Int64Atomics, UnifiedMemory: i.Unified, Unusable: unusable,
	}
}

// lacks lists what an accelerator cannot do.
func (a *accelerator) lacks() string {
	var out []string
	if a.Unusable != "" {
		out = append(out, "cannot be used: "+a.Unusable)
	}
	if !a.FP64 {
		out = append(out, "no double precision: programs with DOUBLE, or sums of REAL, are refused")
	}
	if !a.Int64Atomics {
		out = append(out, "no 64-bit atomics")
	}
	return strings.Join(out, "; ")
}

func devicesCommand(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "list the processors of the machine, and what is missing to use more",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cpu := thisCPU()
			found, notes := accelerators()
			if asJSON {
				return writeJSON(t.out, struct {
					Devices      []processor   `json:"devices"`
					Accelerators []accelerator `json:"accelerators"`
					Notes        []string      `json:"notes"`
				}{[]processor{cpu}, append([]accelerator{}, found...), notes})
			}
			return writeDevices(t, cpu, found, notes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func writeDevices(t terminal, cpu processor, found []accelerator, notes []string) error {
	var b strings.Builder
	memory := "unknown"
	if cpu.MemoryBytes > 0 {
		memory = humanize.IBytes(cpu.MemoryBytes)
	}
	fmt.Fprintf(&b, "cpu       %s\n          %d threads, memory %s, %s\n", cpu.Model, cpu.Threads, memory, strings.Join(cpu.Features, " "))
	for i := range found {
		a := &found[i]
		fmt.Fprintf(&b, "\n%-9s %s\n          %s, %s, %s\n", a.ID, printable(a.Name), a.Kind, printable(a.Platform), printable(a.Driver))
		shared := ""
		if a.UnifiedMemory {
			shared = " shared with the CPU"
		}
		fmt.Fprintf(&b, "          memory %s%s, buffers up to %s, groups of %d work items with %s\n", humanize.IBytes(uint64(a.MemoryBytes)), shared,
			humanize.IBytes(uint64(a.AllocationBytesMax)), a.GroupItemsMax, humanize.IBytes(uint64(a.SharedBytes)))
		if lacks := a.lacks(); lacks != "" {
			fmt.Fprintf(&b, "          %s\n", lacks)
		}
	}
	b.WriteString("\n")
	for _, n := range notes {
		fmt.Fprintf(&b, "%s\n", printableLines(n))
	}
	_, err := fmt.Fprint(t.out, b.String())
	return err
}
