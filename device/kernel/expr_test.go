//go:build !nogpu

package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/device/opencl"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// requireVariable makes the absence of a device a failure; .ci/run sets it.
const requireVariable = "MILLRACE_REQUIRE_OPENCL"

// open opens the machine's first usable device, closed at the test's end.
func open(t testing.TB) *opencl.Device {
	t.Helper()
	found, err := opencl.Find()
	for _, f := range found {
		if f.Unusable == "" {
			d, err := opencl.Open(f.ID, opencl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			return d
		}
	}
	if os.Getenv(requireVariable) != "" {
		t.Fatalf("%s is set, and there is no OpenCL device: %v", requireVariable, err)
	}
	t.Skipf("NOT TESTED: no OpenCL device (%v). apt-get install pocl-opencl-icd gives one", err)
	return nil
}

// program is what this package makes.
type program interface {
	Load(*operator.Task, device.Slot, *device.Call) error
	NewCall() *device.Call
	Sizes(rows int) device.Sizes
}

// machine is a program ready to run on a device.
type machine struct {
	t    testing.TB
	p    program
	k    device.Kernel
	slot device.Slot
	call *device.Call
}

// compile compiles a program, which is freed at the test's end.
func compile(t testing.TB, d device.Device, p *device.Program) device.Kernel {
	t.Helper()
	k, err := d.Compile(p)
	var refusal *device.Refusal
	if errors.As(err, &refusal) {
		t.Fatalf("%v\n%s\n%s", err, refusal.Log, p.Source)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Free)
	return k
}

func newMachine(t testing.TB, d device.Device, p program, code *device.Program, rows int) *machine {
	t.Helper()
	m := &machine{t: t, p: p, call: p.NewCall(), k: compile(t, d, code)}
	var err error
	if m.slot, err = d.NewSlot(p.Sizes(rows)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.slot.Free)
	return m
}

// run runs rows [from, to) of a batch.
func (m *machine) run(b *stream.Batch, spans ...stream.Span) {
	m.t.Helper()
	task := &operator.Task{Spans: spans, First: b.First}
	if len(spans) == 0 {
		task.Spans = []stream.Span{{Batch: b, To: b.Len}}
	}
	for _, s := range task.Spans {
		task.Rows += s.To - s.From
	}
	err := m.p.Load(task, m.slot, m.call)
	if err == nil {
		err = m.slot.Run(m.k, m.call)
	}
	if err == nil {
		_, err = m.slot.Wait()
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// fixedTypes is a schema with two columns of every type that devices have.
func fixedTypes() *stream.Schema {
	s := &stream.Schema{}
	for _, f := range optest.AllTypes().Fields {
		if f.Type.Storage() != stream.Varchar {
			s.Fields = append(s.Fields, f)
		}
	}
	return s
}

// show prints an expression as a call.
func show(e *model.Expr) string {
	switch e.Kind {
	case model.ColumnExpr:
		return fmt.Sprintf("$%d", e.Column)
	case model.LiteralExpr:
		return fmt.Sprintf("%s'%s'", e.Type, e.Literal)
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = show(a)
	}
	return fmt.Sprintf("%s:%s(%s)", e.Func, e.Type, strings.Join(args, ", "))
}

// checkExprs compares expressions on a device with the reference, row by row.
func checkExprs(t *testing.T, d device.Device, exprs []*model.Expr, b *stream.Batch) {
	t.Helper()
	x, err := kernel.NewExpressions(exprs, b.Schema)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, x, x.Program, b.Len)
	m.run(b)
	for k, e := range exprs {
		for i := range b.Len {
			want, reason := reference.Eval(e, b.Row(i))
			got, failed := x.Value(m.slot, k, i)
			if failed != reason || reason == "" && !optest.Same(got, want) {
				t.Fatalf("row %d: %s\nrow %v\ngives %v %q, want %v %q", i, show(e), b.Row(i), got, failed, want, reason)
			}
		}
	}
}

func TestSupports(t *testing.T) {
	for name, reason := range kernel.Supports() {
		if refused[name] != (reason != "") {
			t.Errorf("%s: %q", name, reason)
		}
	}
	if kernel.SupportsType(stream.Invalid) || !kernel.SupportsType(stream.Interval) {
		t.Error("types")
	}
}

// refused are functions without a kernel: all but these.
var refused = func() map[string]bool {
	m := map[string]bool{}
	for _, f := range function.All() {
		m[f.Name] = true
	}
	for _, computed := range []string{
		"add", "sub", "mul", "div", "mod", "neg", "abs", "floor", "ceil", "round", "sign", "sqrt", "bit_and", "bit_or", "bit_xor", "bit_not", "shift_left", "shift_right",
		"truncate", "degrees", "radians", "extract_millisecond", "extract_microsecond", "extract_quarter", "extract_decade", "extract_century", "extract_millennium",
		"extract_dow", "extract_isodow", "extract_doy",
		"eq", "ne", "lt", "le", "gt", "ge", "distinct", "not_distinct", "is_null", "is_not_null", "in",
		"and", "or", "not", "is_true", "is_false", "case", "coalesce", "nullif", "greatest", "least", "cast", "try_cast",
		"to_timestamp_ltz", "date_trunc", "time_cut", "extract_epoch", "extract_year", "extract_month", "extract_day",
		"extract_hour", "extract_minute", "extract_second",
	} {
		delete(m, computed)
	}
	return m
}()

// Every function, alone, over columns and constants of every type it takes; or it is refused.
func TestEveryFunction(t *testing.T) {
	d := open(t)
	for _, f := range function.All() {
		t.Run(f.Name, func(t *testing.T) {
			g := optest.NewGen(7, fixedTypes())
			b := g.Batch(130)
			var exprs []*model.Expr
			seen, columns := 0, 0
			for range 400 {
				e := g.CallOf(f.Name, 1)
				if e == nil {
					continue
				}
				seen++
				has := false
				e.Columns(func(int) { has = true })
				if !has {
					continue // computed when code is written
				}
				columns++
				if err := kernel.Refuses(e, b.Schema); err == nil {
					if exprs = append(exprs, e); len(exprs) == 24 {
						break
					}
				}
			}
			switch {
			case refused[f.Name] && len(exprs) == 0 && seen > 0:
			case refused[f.Name]:
				t.Fatalf("%s is in the list of refused functions, and has a kernel", show(exprs[0]))
			case len(exprs) < 15:
				t.Fatalf("only %d of %d expressions have a kernel", len(exprs), columns)
			default:
				checkExprs(t, d, exprs, b)
			}
		})
	}
}

// Nested expressions at random, many to a program.
func TestRandomExpressions(t *testing.T) {
	d := open(t)
	programs := 19
	if testing.Short() {
		programs = 4
	}
	lengths := []int{1, 255, 256, 257, 600}
	for i := range uint64(programs) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, fixedTypes())
		b := g.Batch(lengths[g.IntN(len(lengths))])
		var exprs []*model.Expr
		for tries := 0; len(exprs) < 20 && tries < 2000; tries++ {
			e := g.Expr(g.Type(), 2+g.IntN(3))
			if e.Type != stream.Varchar && e.Kind == model.CallExpr && kernel.Refuses(e, b.Schema) == nil {
				exprs = append(exprs, e)
			}
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { checkExprs(t, d, exprs, b) }) {
			return
		}
	}
}
