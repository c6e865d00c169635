package engine

import (
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine/schedule"
)

func stageSeconds(s device.Stages) StageSeconds {
	return StageSeconds{s.CopyIn.Seconds(), s.MoveIn.Seconds(), s.Execute.Seconds(), s.MoveOut.Seconds(), s.CopyOut.Seconds()}
}

func (a *accelerator) stats() DeviceStats {
	info, s := a.device.Info(), a.device.Stats()
	out := DeviceStats{
		ID: info.ID, Name: info.Name, Kind: info.Kind.String(), State: s.State.String(), Depth: s.Depth,
		Tasks: s.Tasks, Returned: s.Returned, Resets: s.Resets, Evictions: s.Evictions,
		BytesIn: s.BytesIn, BytesOut: s.BytesOut, UsedBytes: s.UsedBytes, MaxBytes: s.LimitBytes, Stages: stageSeconds(s.Stages),
	}
	if s.State != device.Up && s.Reason != nil {
		out.Reason = s.Reason.Error()
	}
	return out
}

// byProcessor splits what a stage did by processors: the CPU's part first. Inputs count
// together.
func (s *stage) byProcessor(all PipelineStats) []PipelineStats {
	if !s.run.hybrid() {
		return []PipelineStats{all}
	}
	inputs := max(1, len(s.inlets))
	for i := range inputs {
		if c := &s.run.classes[s.class+i]; c.declined != "" && !c.bare {
			all.Refused = c.declined
		}
	}
	all.TasksPerSecond = s.rate(schedule.CPU)
	if !s.shared {
		return []PipelineStats{all}
	}
	cpu := all
	cpu.Tasks, cpu.RowsIn, cpu.BytesIn, cpu.Lost = s.did(schedule.CPU, &all)
	out := []PipelineStats{cpu}
	for _, a := range s.run.accelerators {
		p := PipelineStats{Name: all.Name, Form: all.Form, Processor: a.name(), TasksPerSecond: s.rate(a.id)}
		p.Tasks, p.RowsIn, p.BytesIn, p.Lost = s.did(a.id, &p)
		stages := device.Stages{}
		for i := range inputs {
			a.scopes[s.class+i].addTo(&p, &stages)
		}
		times := stageSeconds(stages)
		p.Stages = &times
		out = append(out, p)
	}
	return out
}

// did sums what a processor did, and for a device sets its busy time.
func (s *stage) did(id schedule.Processor, p *PipelineStats) (tasks, rows, bytes, lost int64) {
	busy := time.Duration(0)
	for i := range max(1, len(s.inlets)) {
		c := s.shareOf(id, i)
		tasks += c.tasks.Load()
		rows += c.rows.Load()
		bytes += c.bytes.Load()
		lost += c.lost.Load()
		busy += time.Duration(c.busyNanos.Load())
	}
	if id != schedule.CPU {
		p.BusySeconds = busy.Seconds()
	}
	return tasks, rows, bytes, lost
}

// rate is the scheduler's belief about the stage's first input.
func (s *stage) rate(id schedule.Processor) (rate float64) {
	s.run.queue.Change(func(t *schedule.Table) { rate = t.Rate(s.class, id) })
	return rate
}

func (sc *scope) addTo(p *PipelineStats, stages *device.Stages) {
	if reason := sc.refused.Load(); reason != nil {
		p.Refused = *reason
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	stages.Add(sc.stages)
	if len(sc.fallbacks) == 0 {
		return
	}
	if p.Fallbacks == nil {
		p.Fallbacks = map[string]int64{}
	}
	for reason, n := range sc.fallbacks {
		p.Fallbacks[reason] += n
	}
}
