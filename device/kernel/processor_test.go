//go:build !nogpu

package kernel_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/device/opencl"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// lookupTask is a task of a lookup on its way through a processor's five stages.
type lookupTask struct {
	p      *kernel.Lookup
	table  *kernel.Table
	rows   *operator.Task
	origin []int32
	tables []int32
	err    error
	done   *sync.WaitGroup
}

func (w *lookupTask) CopyIn(s device.Slot, c *device.Call) error {
	return w.p.Load(w.rows, w.table, s, c)
}

func (w *lookupTask) CopyOut(s device.Slot, _ *device.Call) error {
	var r kernel.Selected
	w.p.Read(s, &r)
	if r.Redo != "" {
		return errors.New(r.Redo)
	}
	w.origin, w.tables = slices.Clone(r.Origin), slices.Clone(r.TableRows)
	return nil
}

func (w *lookupTask) Done(_ device.Stages, err error) {
	w.err = err
	w.done.Done()
}

// Programs of this package run through a processor's pipeline on a real device: several
// tasks in flight, resident buffers that the plan keeps.
func TestLookupThroughProcessor(t *testing.T) {
	opened := open(t)
	own, err := opencl.Open(opened.Info().ID, opencl.Options{}) // the processor closes it
	if err != nil {
		t.Fatal(err)
	}
	processor := device.Start(own, device.Config{Depth: 3, Deadline: time.Minute})
	defer processor.Close()
	schema := stream.NewSchema(stream.Field{Name: "k", Type: stream.Integer}, stream.Field{Name: "v", Type: stream.Double})
	probe := &operator.Probe{Keys: []*model.Expr{model.Col(0, stream.Integer)}}
	p, err := kernel.NewLookup(operator.Side{Relation: relation(schema), Need: []bool{true, true}}, probe)
	if err != nil {
		t.Fatal(err)
	}
	g := optest.NewGen(3, schema)
	c := lookupCase{side: operator.Side{Relation: relation(schema)}, probe: probe, keys: []stream.Column{g.Column(stream.Integer, 20, 10)}, table: 20}
	table := newTable(t, &c)
	plan, err := processor.Plan(p.Program, device.Sizes{})
	if err == nil {
		err = plan.Fill(p.Sizes(400, 4000), table.Images...)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	var done sync.WaitGroup
	var tasks []*lookupTask
	for range 25 {
		b := g.Batch(1 + g.IntN(400))
		if err := processor.Admit(); err != nil {
			t.Fatal(err)
		}
		w := &lookupTask{p: p, table: table, rows: wholeOf(b), done: &done}
		done.Add(1)
		if err := plan.Submit(w); err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, w)
	}
	done.Wait()
	for i, w := range tasks {
		want, _ := c.want(t, w.rows.Spans[0].Batch)
		if w.err != nil || len(want) != len(w.origin) {
			t.Fatalf("task %d: %v, %d results, want %d", i, w.err, len(w.origin), len(want))
		}
		for k, pair := range want {
			if w.origin[k] != pair[0] || w.tables[k] != pair[1] {
				t.Fatalf("task %d: result %d is of rows %d and %d, want %v", i, k, w.origin[k], w.tables[k], pair)
			}
		}
	}
}
