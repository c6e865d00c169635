package kernel

import (
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Pipeline is the part of an operator's Batch that a program computes: what one device does
// with a task, from the task's rows to what Batch is given in their place. It is immutable
// and may be used by any number of goroutines, each with slots, calls and results of its own.
type Pipeline interface {
	// Program is what the device runs.
	Program() *device.Program
	// Sizes are the buffers of a slot for tasks of up to rows rows.
	Sizes(rows int) device.Sizes
	// NewCall returns a call with room for what Load enters.
	NewCall() *device.Call
	// Load copies a task's rows to a slot's input buffers and prepares the call, which may
	// have been another program's. ErrTooManyRows: the slot is as it was.
	Load(t *operator.Task, slot device.Slot, call *device.Call) error
	// Result sets the task's Selected, Grouped or Paired to what the program has left in the slot.
	// They alias the slot's output buffers and r's memory: Batch must have returned before
	// either is used again. redo says why the task has to be run on the CPU instead, which it
	// then is ready for; empty if it has not to be.
	Result(slot device.Slot, t *operator.Task, r *Result) (redo string)
}

// Result is memory for the result of one task at a time; the zero value is ready.
type Result struct {
	selected Selected
	texts    []stream.Column
	grouped  Grouped
	paired   Paired
}

// New writes the program for a part of an operator's Batch. The error says why devices do
// not compute it.
func New(o operator.Offload) (Pipeline, error) {
	if o.Probe != nil {
		l, err := NewLookup(o.Side, o.Probe)
		if err != nil {
			return nil, err
		}
		return &probePipeline{Lookup: l, probe: o.Probe}, nil
	}
	if o.Aggregate == nil {
		s, err := NewSelection(o.Side)
		if err != nil {
			return nil, err
		}
		return rowPipeline{s}, nil
	}
	a, err := NewAggregation(o.Side, o.Aggregate)
	if err != nil {
		return nil, err
	}
	return groupPipeline{a}, nil
}

type rowPipeline struct{ *Selection }

// Program implements Pipeline.
func (p rowPipeline) Program() *device.Program { return p.Selection.Program }

// Result implements Pipeline.
func (p rowPipeline) Result(slot device.Slot, t *operator.Task, r *Result) (redo string) {
	t.Selected, t.Grouped = nil, nil
	if p.Read(slot, &r.selected); r.selected.Redo == "" {
		r.texts = p.layout.texts.show(slot, t, r.selected.Cols, r.texts)
		t.Selected = &r.selected.Selected
	}
	return r.selected.Redo
}

type groupPipeline struct{ *Aggregation }

// Program implements Pipeline.
func (p groupPipeline) Program() *device.Program { return p.Aggregation.Program }

// Result implements Pipeline.
func (p groupPipeline) Result(slot device.Slot, t *operator.Task, r *Result) (redo string) {
	t.Selected, t.Grouped = nil, nil
	if p.Read(slot, &r.grouped); r.grouped.Redo == "" {
		r.texts = p.layout.texts.show(slot, t, r.grouped.Keys, r.texts)
		t.Grouped = &r.grouped.Grouped
	}
	return r.grouped.Redo
}

// NewPairs writes the program for a join's pairs. What it loads are a task's Windows. The error
// says why devices do not find them.
func NewPairs(p operator.Pairs) (Pipeline, error) {
	pairing, err := NewPairing(p)
	if err != nil {
		return nil, err
	}
	return pairPipeline{pairing}, nil
}

type pairPipeline struct{ *Pairing }

// Program implements Pipeline.
func (p pairPipeline) Program() *device.Program { return p.Pairing.Program }

// Sizes implements Pipeline: rows are those of a side.
func (p pairPipeline) Sizes(rows int) device.Sizes {
	return p.SizesFor(rows, operator.PairLeftMax, PairsMax)
}

// Load implements Pipeline.
func (p pairPipeline) Load(t *operator.Task, slot device.Slot, call *device.Call) error {
	return p.Pairing.Load(t.Windows, slot, call)
}

// Result implements Pipeline.
func (p pairPipeline) Result(slot device.Slot, t *operator.Task, r *Result) (redo string) {
	t.Paired = nil
	if p.Read(slot, &r.paired); r.paired.Redo == "" {
		t.Paired = &r.paired.Paired
	}
	return r.paired.Redo
}
