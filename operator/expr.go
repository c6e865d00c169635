package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Expressions over columns.
//
// Problem: evaluate SQL expressions with three-valued logic and failing rows at the
// speed of plain loops over slices. Idea: a list of expressions is compiled to a flat
// list of instructions over registers. A register is a vector: a column of values with
// validity, and the rows in which computing it failed. An instruction runs once per
// vector: it picks its loop (type, constant operand or not) at compile time and the
// loop knows nothing but slices.
//
//	a + 1 > b AND c IS NULL
//
//	r0 = column a      r3 = column b          r5 = column c
//	r1 = 1             r4 = gt r2, r3         r6 = is_null r5
//	r2 = add r0, r1                           r7 = and r4, r6
//
// Invariants:
//
//  1. Every instruction computes every row. The value under a NULL or a failure is
//     unspecified but readable, and a loop never fails because of it.
//  2. A failure mask is nil or has at least one bit set and no bit past the last row.
//     Rows in it are neither valid nor NULL: readers look at the mask first.
//  3. What SQL does not evaluate must not fail: conditional functions drop the failures
//     of the branches a row does not take, AND and OR those the other side decides.
//  4. The reason kept for a row is that of its first failing sub-expression, arguments
//     from left to right, depth first.
//  5. Equal sub-expressions share a register, constant ones are computed when compiling.

// Program evaluates a list of expressions over columns. It is immutable and may be
// shared; every goroutine needs its own ProgramScratch.
type Program struct {
	code     []instr
	inputs   []input
	literals []literal
	failures []constantFailure
	regs     []stream.Type
	roots    []int // register of each expression
	ends     []int // instructions that are needed up to each expression
}

type input struct{ reg, column int }

type literal struct {
	reg   int
	value stream.Value
}

// constantFailure is a register of a constant expression that fails in every row.
type constantFailure struct {
	reg    int
	reason string
}

// instr is one instruction: run computes register out from registers args.
type instr struct {
	run  func(f *ProgramScratch, in *instr)
	out  int
	args []int
	konst
	flip uint64 // all ones to invert the bits a comparison gives
	data any    // what a function prepared when compiling
}

// konst is a constant operand in the form that the kernel wants.
type konst struct {
	i32  int32
	i64  int64
	f32  float32
	f64  float64
	text []byte
}

func konstOf(v stream.Value) konst {
	return konst{i32: int32(v.I), i64: v.I, f32: float32(v.F), f64: v.F, text: []byte(v.S)}
}

// Compile prepares expressions over rows of the given schema.
func Compile(exprs []*model.Expr, in *stream.Schema) (*Program, error) {
	b := &builder{prog: &Program{}, schema: in, fold: true}
	for _, e := range exprs {
		r, err := b.compile(e)
		if err != nil {
			return nil, err
		}
		b.prog.roots = append(b.prog.roots, r)
		b.prog.ends = append(b.prog.ends, len(b.prog.code))
	}
	return b.prog, nil
}

// builder compiles one program.
type builder struct {
	prog   *Program
	schema *stream.Schema
	done   []compiled
	fold   bool
}

type compiled struct {
	expr *model.Expr
	reg  int
}

func (b *builder) register(t stream.Type) int {
	b.prog.regs = append(b.prog.regs, t)
	return len(b.prog.regs) - 1
}

func (b *builder) compile(e *model.Expr) (int, error) {
	for _, d := range b.done {
		if d.expr.Equal(e) {
			return d.reg, nil
		}
	}
	r, err := b.compileNew(e)
	if err == nil {
		b.done = append(b.done, compiled{e, r})
	}
	return r, err
}

func (b *builder) compileNew(e *model.Expr) (int, error) {
	switch e.Kind {
	case model.ColumnExpr:
		if e.Column < 0 || e.Column >= b.schema.Len() {
			return 0, fmt.Errorf("expression reads column %d of %d", e.Column, b.schema.Len())
		}
		if t := b.schema.Fields[e.Column].Type; t != e.Type {
			return 0, fmt.Errorf("expression reads column %d as %s, it is %s", e.Column, e.Type, t)
		}
		r := b.register(e.Type)
		b.prog.inputs = append(b.prog.inputs, input{r, e.Column})
		return r, nil
	case model.LiteralExpr:
		return b.literal(e.Type, e.Literal), nil
	case model.CallExpr:
		if b.fold && isConstant(e) {
			return b.constant(e)
		}
		return b.call(e)
	}
	return 0, fmt.Errorf("expression of unknown kind %d", e.Kind)
}

func (b *builder) literal(t stream.Type, v stream.Value) int {
	v.Type = t
	r := b.register(t)
	b.prog.literals = append(b.prog.literals, literal{r, v})
	return r
}

// call compiles the arguments and then the function itself.
func (b *builder) call(e *model.Expr) (int, error) {
	prepare, ok := functionTable[e.Func]
	if !ok {
		return 0, fmt.Errorf("function %s is unknown", e.Func)
	}
	args := make([]int, len(e.Args))
	for i, a := range e.Args {
		r, err := b.compile(a)
		if err != nil {
			return 0, err
		}
		args[i] = r
	}
	in := instr{args: args}
	if in.run = decimalKernel(e); in.run != nil {
		in.out = b.register(e.Type)
		b.prog.code = append(b.prog.code, in)
		return in.out, nil
	}
	if err := prepare(b, e, &in); err != nil {
		return 0, fmt.Errorf("%s: %w", e.Func, err)
	}
	in.out = b.register(e.Type)
	b.prog.code = append(b.prog.code, in)
	return in.out, nil
}

// constant computes a call without columns now. What fails, fails in every row.
func (b *builder) constant(e *model.Expr) (int, error) {
	sub := &builder{prog: &Program{}, schema: b.schema}
	r, err := sub.compile(e)
	if err != nil {
		return 0, err
	}
	sub.prog.roots, sub.prog.ends = []int{r}, []int{len(sub.prog.code)}
	out, bad := sub.prog.Eval(sub.prog.NewScratch(), nil, 1)
	if bad != nil {
		r := b.register(e.Type)
		b.prog.failures = append(b.prog.failures, constantFailure{r, bad.Reason(0)})
		return r, nil
	}
	return b.literal(e.Type, out[0].Value(0)), nil
}

func isConstant(e *model.Expr) bool {
	constant := true
	e.Columns(func(int) { constant = false })
	return constant
}

// literalOf returns the value of an argument that is a constant other than NULL.
func (b *builder) literalOf(reg int) (stream.Value, bool) {
	for _, l := range b.prog.literals {
		if l.reg == reg {
			return l.value, !l.value.Null
		}
	}
	return stream.Value{}, false
}
