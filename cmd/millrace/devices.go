package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/millrace/millrace"
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
	// Checked is what came of millrace devices --check, by whatever build and driver.
	Checked *millrace.Checked `json:"checked,omitempty"`
}

// What users of a GPU have to know.
const (
	jobsOnCPU   = "jobs use the CPU, and of accelerators those that have passed millrace devices --check; others run --processors may name"
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
	known, err := millrace.CheckedDevices()
	if err != nil {
		notes = append(notes, err.Error())
	}
	for i := range known {
		if at := slices.IndexFunc(found, func(a accelerator) bool { return a.ID == known[i].ID && a.Name == known[i].Name }); at >= 0 {
			found[at].Checked = &known[i]
		}
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
	var asJSON, check bool
	cmd := &cobra.Command{
		Use:   "devices [--check [ID ...]]",
		Short: "list the processors of the machine, and what is missing to use more",
		Long: `List the processors of the machine, and what is missing to use more.

With --check, run queries on the named devices, or on every GPU and accelerator, and
compare their results with the CPU's. Jobs use those that passed from then on, without
being told to, until the driver or millrace is another one.`,
		RunE: func(_ *cobra.Command, ids []string) error {
			switch {
			case check:
				return checkDevices(t, ids, asJSON)
			case len(ids) > 0:
				return errors.New("devices are named for --check only, which compares them with the CPU")
			}
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
	cmd.Flags().BoolVar(&check, "check", false, "compare results of devices with the CPU's")
	return cmd
}

// state says whether the device has been checked.
func (a *accelerator) state() string {
	switch c := a.Checked; {
	case a.Unusable != "":
		return ""
	case c == nil:
		return "not checked: millrace devices --check " + a.ID
	case c.Passed:
		return "passed its check on " + c.At.Format(time.DateOnly)
	default:
		return "DID NOT PASS its check on " + c.At.Format(time.DateOnly) + ": " + c.Reason
	}
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
		if state := a.state(); state != "" {
			fmt.Fprintf(&b, "          %s\n", state)
		}
	}
	b.WriteString("\n")
	for _, n := range notes {
		fmt.Fprintf(&b, "%s\n", printableLines(n))
	}
	_, err := fmt.Fprint(t.out, b.String())
	return err
}
