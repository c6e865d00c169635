package job

import (
	"runtime"

	"github.com/millrace/millrace/sql"
)

// settle takes a script's SET statements in. Where an option is given already, it counts,
// unless settings go first; Auto gives way to a setting. An error is shown at the value it is about.
func (o Options) settle(s *sql.Settings, settingsFirst bool) (Options, error) {
	if s.Processors != "" && o.Processors == Auto {
		o.Processors = ""
	}
	for _, setting := range []struct {
		name string
		take func()
	}{
		{"workers", func() { choose(&o.Workers, s.Workers, settingsFirst) }},
		{"task_size", func() { choose(&o.TaskBytes, s.TaskBytes, settingsFirst) }},
		{"latency_target", func() { choose(&o.LatencyTarget, s.LatencyTarget, settingsFirst) }},
		{"memory", func() { choose(&o.MemoryBytes, s.MemoryBytes, settingsFirst) }},
		{"processors", func() { choose(&o.Processors, s.Processors, settingsFirst) }},
		{"scheduler", func() { choose(&o.Scheduler, s.Scheduler, settingsFirst) }},
		{"time_zone", func() { choose(&o.TimeZone, s.TimeZone, settingsFirst) }},
		{"format", func() { choose(&o.Format, s.Format, settingsFirst) }},
	} {
		setting.take()
		if err := o.check(); err != nil {
			return o, s.Blame(setting.name, err)
		}
	}
	return o.settled(), nil
}

func choose[T comparable](given *T, setting T, settingFirst bool) {
	var none T
	if setting != none && (settingFirst || *given == none) {
		*given = setting
	}
}

// settled are the options with what their defaults stand for on this machine.
func (o Options) settled() Options {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case o.Processors != Auto:
	case o.Engine == EngineReference:
		o.Processors = "cpu"
	default:
		o.Processors, o.notes = AutoProcessors()
	}
	return o
}

// Options are those that the plan was prepared with, the script's settings taken in.
func (p *Plan) Options() Options { return p.options }
