package kernel

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/operator"
)

// ResidentPipeline is a Pipeline whose program reads memory that stays on the device: a
// lookup's table. It cannot load a task before there is a table.
type ResidentPipeline interface {
	Pipeline
	// Resident returns the contents of the program's resident buffers, made once and the same
	// for every device. They never change. Sizes holds from then on. The error is ErrNoTable,
	// or says why devices do not hold it.
	Resident() ([][]byte, error)
}

// ErrNoTable says that the table has not been read whole.
var ErrNoTable = errors.New("its lookup's table has not been read")

// probePipeline is a lookup whose table is made when the first device asks for it.
type probePipeline struct {
	*Lookup
	probe *operator.Probe
	made  sync.Mutex
	table atomic.Pointer[Table]
	why   error // there is no table for devices
}

// Program implements Pipeline.
func (p *probePipeline) Program() *device.Program { return p.Lookup.Program }

// Resident implements ResidentPipeline.
func (p *probePipeline) Resident() ([][]byte, error) {
	p.made.Lock()
	defer p.made.Unlock()
	if p.why != nil {
		return nil, p.why
	}
	if t := p.table.Load(); t != nil {
		return t.Images, nil
	}
	keys, rows, ok := p.probe.Table()
	if !ok {
		return nil, ErrNoTable
	}
	t, err := NewTable(keys, rows, p.probe.Outer)
	if p.why = err; err != nil {
		return nil, err
	}
	p.table.Store(t)
	return t.Images, nil
}

// Sizes implements Pipeline.
func (p *probePipeline) Sizes(rows int) device.Sizes {
	t := p.table.Load()
	if t == nil {
		return device.Sizes{}
	}
	return p.Lookup.Sizes(rows, t.room(rows))
}

// Load implements Pipeline.
func (p *probePipeline) Load(t *operator.Task, slot device.Slot, call *device.Call) error {
	table := p.table.Load()
	if table == nil {
		return ErrNoTable
	}
	return p.Lookup.Load(t, table, slot, call)
}

// Result implements Pipeline.
func (p *probePipeline) Result(slot device.Slot, t *operator.Task, r *Result) (redo string) {
	t.Selected, t.Grouped = nil, nil
	if p.Read(slot, &r.selected); r.selected.Redo == "" {
		r.texts = p.layout.texts.show(slot, t, r.selected.Cols, r.texts)
		t.Selected = &r.selected.Selected
	}
	return r.selected.Redo
}
