package kernel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// reasonBits of a failure's code are its reason, those above the step it happened in.
const reasonBits = 8

// emitterText is text that grows by formats.
type emitterText struct{ strings.Builder }

func (t *emitterText) add(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// rowCode is the code that one row goes through in a side's steps.
type rowCode struct {
	layout     *layout
	intake     *intake
	columns    []value // of the side's relation
	parameters []string
	steps      []*model.Operator
	times      []int    // event time of each step's input, -1 if it has none
	needs      [][]bool // columns of each step's output that are read or may fail
	ops        []model.OpID
	output     *stream.Schema
	need       []bool // columns of the last step's output that are read
}

// newRowCode adds the columns that the steps read to a layout.
func newRowCode(l *layout, side operator.Side) (*rowCode, error) {
	b := &rowCode{layout: l, steps: side.Steps, output: side.Output().Schema, need: side.Need}
	if b.need == nil {
		b.need = make([]bool, b.output.Len())
		for i := range b.need {
			b.need[i] = true
		}
	}
	b.needs, b.times = make([][]bool, len(side.Steps)), make([]int, len(side.Steps))
	reads := slices.Clone(b.need)
	for i := len(side.Steps) - 1; i >= 0; i-- {
		op := side.Steps[i]
		before := operator.Side{Relation: side.Relation, Steps: side.Steps[:i]}
		switch {
		case op.Kind == model.WindowOp && op.Window.Kind.Spans() && before.Output().Time < 0:
			return nil, refuse("a window of time on a relation without event time")
		case op.Kind != model.FilterOp && op.Kind != model.ProjectOp && op.Kind != model.WindowOp:
			return nil, refuse("there is no kernel for %s", op.Kind)
		}
		b.needs[i] = reads
		b.times[i] = before.Output().Time
		reads = readsBefore(op, reads, before.Output())
	}
	for _, op := range side.Steps {
		b.ops = append(b.ops, op.ID)
	}
	l.texts = &texts{}
	var err error
	b.intake, b.columns, b.parameters, err = l.take(onlyInput, side.Relation.Schema, reads)
	return b, err
}

// readsBefore returns the columns that a step reads, given those read of its output.
func readsBefore(op *model.Operator, reads []bool, in model.Relation) []bool {
	out := make([]bool, in.Schema.Len())
	mark := func(e *model.Expr) { e.Columns(func(c int) { out[c] = true }) }
	switch op.Kind {
	case model.FilterOp:
		copy(out, reads)
		for _, e := range op.Filter {
			mark(e)
		}
	case model.ProjectOp:
		for i, e := range op.Project {
			if reads[i] || e.MayErr() {
				mark(e)
			}
		}
	default:
		copy(out, reads)
		if op.Window.Kind.Spans() && in.Time >= 0 {
			out[in.Time] = true
		}
	}
	return out
}

// decide is code that sets live to whether a row comes through, and failed to the code of
// its failure. It leaves the enclosing loop as soon as that is known.
func (b *rowCode) decide() (string, error) {
	text, _, _, err := b.emit(true)
	return text, err
}

// write is code that computes the columns of a row known to come through.
func (b *rowCode) write() (string, []value, error) {
	text, columns, _, err := b.emit(false)
	return text, columns, err
}

// emit also returns the row's position for the window among the steps: its event time,
// empty for a window that has none.
func (b *rowCode) emit(decide bool) (text string, columns []value, time string, err error) {
	e := &emitter{out: &strings.Builder{}, reasons: &b.layout.reasons, texts: b.layout.texts, columns: b.columns}
	b.intake.read(e, b.columns)
	for i, op := range b.steps {
		switch op.Kind {
		case model.WindowOp:
			if op.Window.Kind.Spans() {
				time = e.columns[b.times[i]].value
			}
			e.columns = append(slices.Clone(e.columns), make([]value, op.Relation.Schema.Len()-len(e.columns))...)
		case model.FilterOp:
			if decide {
				err = b.filter(e, op, i)
			}
		case model.ProjectOp:
			err = b.project(e, op, i, decide)
		}
		if err != nil {
			return "", nil, "", err
		}
	}
	if decide {
		e.line("live = 1;")
	}
	if len(b.layout.reasons.texts) >= 1<<reasonBits {
		return "", nil, "", refuse("its expressions can fail for more than %d reasons", 1<<reasonBits)
	}
	return e.out.String(), e.columns, time, nil
}

// filter: FALSE or NULL in any conjunct wins over a failure in any other.
func (b *rowCode) filter(e *emitter, op *model.Operator, step int) error {
	var fails []string
	for _, x := range op.Filter {
		v, err := e.expr(x)
		if err != nil {
			return err
		}
		passes := holds(value{value: v.value, null: v.null, fail: never}, "")
		if v.fail != never {
			passes = fmt.Sprintf("(%s || %s)", v.fail, passes)
			fails = append(fails, v.fail)
		}
		e.line("if (!%s) break;", passes)
	}
	b.fail(e, fails, step)
	return nil
}

// fail ends a row that has failed.
func (b *rowCode) fail(e *emitter, fails []string, step int) {
	if first := firstOf(fails...); first != never {
		e.line("failed = %s;", first)
		e.line("if (failed) { failed |= %d; break; }", step<<reasonBits)
	}
}

func (b *rowCode) project(e *emitter, op *model.Operator, step int, decide bool) error {
	columns, fails := make([]value, len(op.Project)), []string{}
	for i, x := range op.Project {
		if !b.needs[step][i] && !x.MayErr() {
			continue
		}
		v, err := e.expr(x)
		if err != nil {
			return err
		}
		fails = append(fails, v.fail)
		v.fail = never
		columns[i] = v
	}
	if decide {
		b.fail(e, fails, step)
	}
	e.on(columns)
	return nil
}
