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
// together, a join's pairs apart.
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
	out := []PipelineStats{all}
	if s.shared {
		out = s.split(all, 0, inputs)
	} else {
		out[0].TasksPerSecond = s.rate(s.class, schedule.CPU)
	}
	if s.kinds == inputs {
		return out
	}
	found := PipelineStats{Name: all.Name + ", pairs", Form: PairsForm, Processor: all.Processor, Refused: s.run.classes[s.class+inputs].declined}
	if s.pairs == nil {
		return append(out, found)
	}
	return append(out, s.split(found, inputs, s.kinds)...)
}

// PairsForm is PipelineStats.Form of a join's pairs, which are work of their own.
const PairsForm = "pairs"

// split is what every processor did of the stage's classes from one to another; all is what is
// known of all processors together.
func (s *stage) split(all PipelineStats, from, to int) []PipelineStats {
	cpu := all
	cpu.TasksPerSecond = s.rate(s.class+from, schedule.CPU)
	cpu.did(s, schedule.CPU, from, to)
	out := []PipelineStats{cpu}
	for _, a := range s.run.accelerators {
		p := PipelineStats{Name: all.Name, Form: all.Form, Processor: a.name(), TasksPerSecond: s.rate(s.class+from, a.id)}
		p.did(s, a.id, from, to)
		stages := device.Stages{}
		for i := from; i < to; i++ {
			a.scopes[s.class+i].addTo(&p, &stages)
		}
		times := stageSeconds(stages)
		p.Stages = &times
		out = append(out, p)
	}
	return out
}

// did enters what a processor did of a stage's classes from one to another.
func (p *PipelineStats) did(s *stage, id schedule.Processor, from, to int) {
	busy := time.Duration(0)
	p.Tasks, p.RowsIn, p.BytesIn, p.Lost = 0, 0, 0, 0
	for i := from; i < to; i++ {
		c := s.shareOf(id, i)
		p.Tasks += c.tasks.Load()
		p.RowsIn += c.rows.Load()
		p.BytesIn += c.bytes.Load()
		p.Lost += c.lost.Load()
		busy += time.Duration(c.busyNanos.Load())
	}
	if id != schedule.CPU || p.Form == PairsForm {
		p.BusySeconds = busy.Seconds()
	}
}

// rate is the scheduler's belief about a class.
func (s *stage) rate(class int, id schedule.Processor) (rate float64) {
	s.run.queue.Change(func(t *schedule.Table) { rate = t.Rate(class, id) })
	return rate
}

func (sc *scope) addTo(p *PipelineStats, stages *device.Stages) {
	p.TableBytes += sc.table.Load()
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
