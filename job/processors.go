package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/cuda"
	"github.com/millrace/millrace/device/opencl"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
)

// ProcessorsHelp says what Options.Processors may be.
const ProcessorsHelp = "cpu, opencl or cuda (all devices of the kind), opencl:N or cuda:N (one, see millrace devices), sim (a simulated device, to watch the scheduler), or several with commas"

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
		if n, err := strconv.Atoi(number); numbered && (err != nil || n < 0 || backends[kind].open == nil) {
			return p, fmt.Errorf("unknown processor %q: use %s", name, ProcessorsHelp)
		}
		switch kind {
		case "cpu":
			p.cpu = true
			continue
		case "opencl", "cuda", "sim":
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
		kind, _, numbered := strings.Cut(name, ":")
		ids := []string{name}
		if !numbered {
			if ids, err = usable(backends[kind].find()); err != nil {
				return out, fmt.Errorf("processor %s: %w (millrace devices lists what there is)", name, err)
			}
		}
		for _, id := range ids {
			d, err := backends[kind].open(id)
			if err != nil {
				return out, fmt.Errorf("processor %s: %w (millrace devices lists what there is)", name, err)
			}
			add(d)
		}
	}
	return out, nil
}

// backend finds and opens the devices of one kind.
type backend struct {
	find func() ([]found, error)
	open func(id string) (device.Device, error)
}

// found is a device of the machine, and why it cannot be used if it cannot.
type found struct{ id, kind, name, driver, unusable string }

var backends = map[string]backend{
	"opencl": {
		find: func() (list []found, err error) {
			all, err := opencl.Find()
			for _, f := range all {
				list = append(list, found{f.ID, f.Kind.String(), f.Name, f.Driver, f.Unusable})
			}
			return list, err
		},
		open: func(id string) (device.Device, error) { return opencl.Open(id, opencl.Options{}) },
	},
	"cuda": {
		find: func() (list []found, err error) {
			all, err := cuda.Find()
			for _, f := range all {
				list = append(list, found{f.ID, f.Kind.String(), f.Name, f.Driver, f.Unusable})
			}
			return list, err
		},
		open: func(id string) (device.Device, error) { return cuda.Open(id, cuda.Options{}) },
	},
}

// usable are the devices that can be used.
func usable(all []found, err error) (ids []string, _ error) {
	if err != nil {
		return nil, err
	}
	reason := "there is no device"
	for _, f := range all {
		if f.unusable != "" {
			reason = fmt.Sprintf("%s (%s): %s", f.id, f.name, f.unusable)
			continue
		}
		ids = append(ids, f.id)
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
