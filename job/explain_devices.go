package job

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/engine"
)

// explained is the configuration that an explanation is of.
func (p *Plan) explained() engine.Config {
	c := engine.Config{Workers: p.options.Workers, Force: p.force()}
	if wanted, err := parseProcessors(p.options.Processors); err == nil && len(wanted.list) > 0 {
		c.Devices, c.DevicesOnly = make([]engine.DeviceConfig, len(wanted.list)), !wanted.cpu // which ones does not matter
	}
	return c
}

// explainDevices says what the devices asked for can do, if any are.
func (p *Plan) explainDevices(sb *strings.Builder) {
	if len(p.explained().Devices) == 0 {
		return
	}
	offers, err := engine.Offers(p.bound, p.explained())
	if err != nil {
		return // Start says what is wrong
	}
	name := 0
	for _, o := range offers {
		name = max(name, len(offerName(o)))
	}
	fmt.Fprintf(sb, "\ndevices (%s), scheduler %s\n", p.options.Processors, p.scheduler())
	for _, o := range offers {
		what := "rows, by " + plural(o.Kernels, "kernel", "kernels")
		switch {
		case o.Declined != "":
			what = "on the CPU: " + o.Declined
		case o.Pairs:
			what = "pairs of its windows, by " + plural(o.Kernels, "kernel", "kernels")
		case o.Matches:
			what = "rows, with those of its lookup's table that match, by " + plural(o.Kernels, "kernel", "kernels")
		case o.Groups:
			what = "groups by pane, by " + plural(o.Kernels, "kernel", "kernels")
		}
		fmt.Fprintf(sb, "  %2d  %-*s  %s\n", o.Pipeline.ID, name, offerName(o), what)
	}
	if len(offers) == 0 {
		sb.WriteString("  nothing in it is computed from rows\n")
	}
}

func (p *Plan) scheduler() string {
	if p.options.Scheduler == "" {
		return engine.Schedulers[0]
	}
	return p.options.Scheduler
}

func offerName(o engine.Offered) string {
	switch {
	case o.Pairs:
		return o.Pipeline.Name() + ", pairs"
	case len(o.Pipeline.Inputs) > 1:
		return fmt.Sprintf("%s, input %d", o.Pipeline.Name(), 1+o.Input)
	}
	return o.Pipeline.Name()
}

// Kernels is the source of the programs that devices run for the script, in the C dialect
// that all backends share; of what they do not run it says why. Where Options.Processors
// has no devices it is what devices alone would run.
func (p *Plan) Kernels() (string, error) {
	s := p.subject()
	config := s.explained()
	config.DevicesOnly = config.DevicesOnly || len(config.Devices) == 0
	offers, err := engine.Offers(s.bound, config)
	if err != nil {
		return "", err
	}
	var sb strings.Builder
	for _, o := range offers {
		if o.Declined != "" {
			fmt.Fprintf(&sb, "// pipeline %d, %s: on the CPU: %s\n\n", o.Pipeline.ID, offerName(o), o.Declined)
			continue
		}
		fmt.Fprintf(&sb, "// pipeline %d, %s: %s\n%s\n", o.Pipeline.ID, offerName(o), plural(o.Kernels, "kernel", "kernels"), o.Source)
	}
	if len(offers) == 0 {
		sb.WriteString("// nothing in the script is computed from rows\n")
	}
	return sb.String(), nil
}
