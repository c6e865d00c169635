package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/opencl"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
)

// ProcessorsHelp says what Options.Processors may be.
const ProcessorsHelp = "cpu, opencl (all OpenCL devices), opencl:N (one, see millrace devices), sim (a simulated device, to watch the scheduler), or several with commas"

// simulated is the device that "sim" stands for: a processor card that moves 10 GB/s and
// computes 4, so that it is of use beside a few cores and does not leave them idle.
var simulated = sim.Config{ID: "sim", MemoryBytes: 4 << 30, MoveIn: 10e9, MoveOut: 10e9, Launch: 5 * time.Microsecond, RateOther: 4e9}

// processors is Options.Processors, read.
type processors struct {
	cpu  bool
	list []string // devices, in the order given
}

func parseProcessors(text string) (p processors, err error) {
	if text == "" {
		return processors{cpu: true}, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		kind, number, numbered := strings.Cut(name, ":")
		if n, err := strconv.Atoi(number); numbered && (err != nil || n < 0 || kind != "opencl") {
			return p, fmt.Errorf("unknown processor %q: use %s", name, ProcessorsHelp)
		}
		switch kind {
		case "cpu":
			p.cpu = true
			continue
		case "opencl", "sim":
		case "cuda":
			return p, errors.New("processor cuda is not built yet; NVIDIA's driver has OpenCL, too: use opencl")
		default:
			return p, fmt.Errorf("unknown processor %q: use %s", name, ProcessorsHelp)
		}
		if slices.Contains(p.list, name) {
			return p, fmt.Errorf("processor %s is named twice", name)
		}
		p.list = append(p.list, name)
	}
	return p, nil
}

// CheckProcessors says what is wrong with a list of processors, without opening any.
func CheckProcessors(text string) error {
	_, err := parseProcessors(text)
	return err
}

// open opens the devices. An error is the request's: there is no such device.
func (p processors) open(depth int) (out []engine.DeviceConfig, err error) {
	defer func() {
		if err != nil {
			closeDevices(out)
			out = nil
		}
	}()
	add := func(d device.Device) { out = append(out, engine.DeviceConfig{Device: d, Depth: depth}) }
	for _, name := range p.list {
		if name == "sim" {
			add(sim.New(simulated))
			continue
		}
		ids := []string{name}
		if name == "opencl" {
			if ids, err = openCLs(); err != nil {
				return out, fmt.Errorf("processor %s: %w (millrace devices lists what there is)", name, err)
			}
		}
		for _, id := range ids {
			d, err := opencl.Open(id, opencl.Options{})
			if err != nil {
				return out, fmt.Errorf("processor %s: %w (millrace devices lists what there is)", name, err)
			}
			add(d)
		}
	}
	return out, nil
}

// openCLs are the devices that can be used.
func openCLs() (ids []string, err error) {
	all, err := opencl.Find()
	if err != nil {
		return nil, err
	}
	reason := "there is no device"
	for _, f := range all {
		if f.Unusable != "" {
			reason = fmt.Sprintf("%s (%s): %s", f.ID, f.Name, f.Unusable)
			continue
		}
		ids = append(ids, f.ID)
	}
	if len(ids) == 0 {
		return nil, errors.New(reason)
	}
	return ids, nil
}

func closeDevices(list []engine.DeviceConfig) {
	for _, c := range list {
		_ = c.Device.Close()
	}
}

// devices opens what a job runs on beside its workers.
func (p *Plan) devices() (list []engine.DeviceConfig, only bool, err error) {
	o := &p.options
	wanted, err := parseProcessors(o.Processors)
	if err != nil {
		return nil, false, err
	}
	if o.Devices != nil {
		list, err = o.Devices()
		return list, !wanted.cpu, err
	}
	list, err = wanted.open(o.DeviceDepth)
	return list, !wanted.cpu, err
}
