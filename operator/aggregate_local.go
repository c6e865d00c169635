package operator

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Local windows: sliding windows computed wholly in the parallel part.
//
// The general path (aggregate_batch.go, aggregate_window.go) splits the work in two: a
// task yields a fragment per pane, and one drain merges the fragments and puts out the
// windows. Where a slide has few rows and many live groups, nearly all the work is
// putting out - every slide shows every group - and a second worker gains nothing.
//
// Here a task puts out every window that ends in it, by itself. What it needs for that
// is the state of the windows that are open where it begins. It takes the state from
// the worker that has finished the task before; if that one is still at work, it
// computes the state again from the rows before the task (its halo), which are kept for
// that: at most two window sizes of rows, because the order of groups begins anew once
// every size (window.Grid.Fresh).
//
//	rows      ....|--------- task 7 ---------|--------- task 8 ---------|
//	worker A      [ state | windows of 7     ]-> its state, if 8 has not begun yet
//	worker B                      [ halo of 8 ][ windows of 8            ]
//
// A window slides by adding the rows that come and subtracting those that go, from a
// log. That is exact because only exact numbers are summed: whole numbers, and floats
// that are whole numbers once multiplied by 2^k, as long as 62 bits hold every sum. A
// task whose values are not yields fragments instead and the operator uses local
// windows no more.
//
// Whether a task is computed so is decided where tasks are submitted, in order
// (aggregate_local_task.go), by the rows of the halo against those of the task. Every
// task with a halo can be computed either way: fragments need the state from before,
// too, which the halo's own fragment gives. So the state between tasks is never a local
// table, and snapshots have one form.
//
// Files: aggregate_local_table.go (the groups of one window), aggregate_local_lanes.go (the
// same for a few groups), aggregate_local_run.go and aggregate_local_add.go (rows in and out),
// aggregate_local_emit.go (windows), aggregate_local_task.go (the history of rows, and
// how a task is computed).

// localPlan is what local windows need to know of an aggregate. It is immutable.
type localPlan struct {
	a     *aggregate
	wide  []bool // key columns of 64 bits
	cells []localCellPlan
	out   []localOut
	edges []localEdge
	// onlySum is the cell with a sum, if there is just one, and firstSum the first; or -1.
	onlySum, firstSum int
	slides            int64 // windows from one fresh one to the next
	peak              *localPeak
	having            *localHaving // nil: there is none
}

// localCellPlan is an accumulator that can subtract.
type localCellPlan struct {
	column int // of the chain; -1: COUNT(*)
	t      stream.Type
	sums   bool // else it only counts
}

// localOut is an output column that shows an aggregate.
type localOut struct {
	column, cell int
	f            model.AggFunc
	float        bool // SUM and AVG of REAL and DOUBLE
}

// localEdge is an output column that shows a column of the window.
type localEdge struct {
	column int
	role   stream.Role
}

// planLocal returns how an aggregate's windows can be computed locally, or why not.
func planLocal(a *aggregate, side Side) (*localPlan, string) {
	switch {
	case a.form != rangePanes && a.form != rowPanes || !a.slides:
		return nil, "its windows do not slide"
	case a.keys == 0:
		return nil, "it has no groups"
	case len(a.sets) > 0:
		return nil, "it has DISTINCT aggregates"
	case a.form == rangePanes && side.Relation.Time < 0:
		return nil, "its input has no event time of its own"
	case a.grid.Size > 1<<60 || a.grid.Slides() > 1<<20:
		return nil, "its windows are too long"
	}
	p := &localPlan{a: a, slides: a.grid.Slides()}
	for _, t := range a.layout.types {
		switch t.Storage() {
		case stream.Integer, stream.BigInt:
			p.wide = append(p.wide, t.Storage() != stream.Integer)
		default:
			return nil, fmt.Sprintf("a key is of type %s", t)
		}
	}
	for _, c := range a.cells {
		cp := localCellPlan{column: c.column}
		switch c.empty.(type) {
		case *counts:
		case *intSums, *floatSums:
			cp.sums = true
			cp.t = a.types[c.column]
		case *decimalSums:
			return nil, "sums of DECIMAL"
		default:
			return nil, "an aggregate other than COUNT, SUM and AVG cannot subtract"
		}
		p.cells = append(p.cells, cp)
	}
	for j := a.keys + len(a.calls); j < a.schema.Len(); j++ {
		if a.need[j] {
			p.edges = append(p.edges, localEdge{j, a.schema.Fields[j].Role})
		}
	}
	p.findSums()
	for _, c := range a.calls {
		if !c.needed {
			continue
		}
		t := p.cells[c.cell].t
		if t == stream.Interval && c.f == model.Avg {
			return nil, "AVG of intervals"
		}
		p.out = append(p.out, localOut{c.out, c.cell, c.f, t.IsFloat()})
	}
	return p, ""
}

// findSums sets onlySum and firstSum.
func (p *localPlan) findSums() {
	p.onlySum, p.firstSum = -1, -1
	for i, c := range p.cells {
		switch {
		case !c.sums:
		case p.firstSum < 0:
			p.onlySum, p.firstSum = i, i
		default:
			p.onlySum = -1
		}
	}
}

// maxSumBits bounds the magnitude of sums.
const maxSumBits = 62

// scaleOf returns the least k for which every value is a multiple of 2^-k, and false if
// a value is not finite.
func scaleOf[T float32 | float64](v []T, k int) (int, bool) {
	for _, x := range v {
		b := math.Float64bits(float64(x))
		if b<<1 == 0 {
			continue
		}
		exponent := int(b >> 52 & 0x7ff)
		if exponent == 0x7ff {
			return 0, false
		}
		mantissa := b&(1<<52-1) | 1<<52
		if exponent == 0 {
			return 0, false // a double so small that no other sum with it fits
		}
		// value = mantissa * 2^(exponent-1075)
		if need := 1075 - exponent - bits.TrailingZeros64(mantissa); need > k {
			k = need
		}
	}
	return k, k <= 1000
}
