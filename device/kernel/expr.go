package kernel

import (
	"fmt"
	"math"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Expressions in C.
//
// An expression becomes straight-line code over constants, one local or three for every
// call: its value, whether it is NULL, and why it failed. All calls are computed, also
// those of branches that a row does not take: threads that run in step would wait for one
// another anyway. So the same rules hold as for columns on the CPU:
//
//  1. Code of every call is defined for every operand: arithmetic wraps, divisors and
//     casts are guarded. The value under a NULL or a failure is unspecified but harmless.
//  2. A failure is the number of its reason, 0 if there is none. Readers look at it first;
//     a row that failed is neither NULL nor not.
//  3. What SQL does not evaluate must not fail: AND, OR, IN, CASE and COALESCE drop the
//     failures that do not count.
//  4. Among failures the first counts, arguments from left to right.
//  5. What can be neither NULL nor fail is known when code is written, and costs nothing.
//  6. Floats are computed as IEEE 754 says, or not at all: functions of which processors
//     give different last bits are refused.

// value is an expression's result as C: names of constants, or literals.
type value struct {
	t     stream.Type
	value string
	null  string // "0": never NULL
	fail  string // "0": never fails
}

// never is the C text of a condition that does not occur.
const never = "0"

// emitter writes the code of one row.
type emitter struct {
	out     *strings.Builder
	reasons *reasons
	texts   *texts  // nil: there is none
	columns []value // of the row that expressions read
	done    []emitted
	locals  int
}

type emitted struct {
	expr  *model.Expr
	value value
}

// reasons are the texts of failures; failure number i+1 has text i.
type reasons struct{ texts []string }

func (r *reasons) code(text string) string {
	for i, t := range r.texts {
		if t == text {
			return fmt.Sprint(i + 1)
		}
	}
	r.texts = append(r.texts, text)
	return fmt.Sprint(len(r.texts))
}

// on makes the emitter read other columns: those behind a projection.
func (e *emitter) on(columns []value) { e.columns, e.done = columns, nil }

func (e *emitter) line(format string, args ...any) { fmt.Fprintf(e.out, "    "+format+"\n", args...) }

// local names a constant of a C type.
func (e *emitter) local(ctype, text string) string {
	e.locals++
	name := fmt.Sprintf("t%d", e.locals)
	e.line("const %s %s = %s;", ctype, name, text)
	return name
}

// condition is local for conditions, of which "0" needs no name.
func (e *emitter) condition(text string) string {
	if text == never {
		return never
	}
	return e.local("i32", text)
}

// ctype is the C type that carries values of a type.
func ctype(t stream.Type) string {
	switch t.Storage() {
	case stream.Boolean, stream.Integer, stream.Varchar:
		return "i32"
	case stream.Real:
		return "f32"
	case stream.Double:
		return "f64"
	}
	return "i64"
}

// unsupported is why there is no kernel for an expression.
type unsupported struct{ reason string }

func (u unsupported) Error() string { return u.reason }

func refuse(format string, args ...any) error { return unsupported{fmt.Sprintf(format, args...)} }

// expr writes the code of an expression, once for equal ones.
func (e *emitter) expr(x *model.Expr) (value, error) {
	for _, d := range e.done {
		if d.expr.Equal(x) {
			return d.value, nil
		}
	}
	v, err := e.write(x)
	if err == nil {
		e.done = append(e.done, emitted{x, v})
	}
	return v, err
}

func (e *emitter) write(x *model.Expr) (value, error) {
	if x.Kind == model.ColumnExpr {
		if x.Column < 0 || x.Column >= len(e.columns) {
			return value{}, refuse("it reads column %d of %d", x.Column, len(e.columns))
		}
		v := e.columns[x.Column]
		if v.value == "" {
			return value{}, refuse("columns of type %s are not computed with on devices", x.Type)
		}
		return v, nil
	}
	if isConstant(x) {
		return e.constant(x)
	}
	f, ok := functions[x.Func]
	if !ok {
		return value{}, refuse("there is no kernel for %s", x.Func)
	}
	if f.refuses != "" {
		return value{}, refuse("%s: %s", x.Func, f.refuses)
	}
	if !SupportsType(x.Type) {
		return value{}, refuse("%s makes %s, which devices do not", x.Func, x.Type)
	}
	if err := checkText(x, f); err != nil {
		return value{}, err
	}
	if decimals(x) {
		return value{}, refuse("there is no kernel for %s of DECIMAL", x.Func)
	}
	args := make([]value, len(x.Args))
	for i, a := range x.Args {
		if f.literals > i {
			continue
		}
		v, err := e.expr(a)
		if err != nil {
			return value{}, err
		}
		args[i] = v
	}
	if write := byTimes(x); write != nil {
		return write(e, x, args)
	}
	if narrow(x) {
		carried := *x
		carried.Type = stream.Integer
		v, err := f.write(e, &carried, args)
		return e.ranged(v, x.Type), err
	}
	v, err := f.write(e, x, args)
	v.t = x.Type
	return v, err
}

// decimals reports whether a call computes with DECIMALs. Comparing and passing them on is
// the same as for what carries them.
func decimals(x *model.Expr) bool {
	switch x.Func {
	case "cast", "try_cast":
		return x.Type.IsDecimal() != x.Args[0].Type.IsDecimal() || x.Type.IsDecimal() && x.Type != x.Args[0].Type
	case "add", "sub", "mul", "div", "mod", "neg", "abs", "floor", "ceil", "round", "sign":
		return x.Type.IsDecimal()
	}
	return false
}

// narrow reports whether a call computes whole numbers of a type that has fewer values than
// what carries it.
func narrow(x *model.Expr) bool {
	switch x.Func {
	case "add", "sub", "mul", "div", "mod", "neg", "abs":
		return x.Type.Storage() == stream.Integer && x.Type != stream.Integer
	}
	return false
}

// checkText refuses functions of text that ask for more than which values are equal.
func checkText(x *model.Expr, f fn) error {
	if f.equality {
		return nil
	}
	if isText(x.Type) {
		return refuse("%s makes text, which devices do not", x.Func)
	}
	for i, a := range x.Args {
		if isText(a.Type) && i >= f.literals {
			return refuse("%s asks for more of text than whether it is equal", x.Func)
		}
	}
	return nil
}

func isConstant(x *model.Expr) bool {
	constant := true
	x.Columns(func(int) { constant = false })
	return constant
}

// constant computes an expression without columns now, on the CPU.
func (e *emitter) constant(x *model.Expr) (value, error) {
	prog, err := operator.Compile([]*model.Expr{x}, stream.NewSchema())
	if err != nil {
		return value{}, err
	}
	out, bad := prog.Eval(prog.NewScratch(), nil, 1)
	if bad != nil {
		return value{t: x.Type, value: zero(x.Type), null: never, fail: e.reasons.code(bad.Reason(0))}, nil
	}
	return e.literal(out[0].Value(0))
}

func zero(t stream.Type) string { return "((" + ctype(t) + ")0)" }

func (e *emitter) literal(v stream.Value) (value, error) {
	out := value{t: v.Type, null: never, fail: never}
	switch {
	case !SupportsType(v.Type):
		return out, refuse("devices do not compute with %s", v.Type)
	case isText(v.Type) && e.texts == nil:
		return out, refuse("text is not computed with in pairs")
	case v.Null:
		out.value, out.null = zero(v.Type), "1"
	case isText(v.Type):
		out.value = e.texts.code(v.S)
	default:
		out.value = literalText(v)
	}
	return out, nil
}

// literalText writes a value bit by bit, so that no compiler rounds it.
func literalText(v stream.Value) string {
	switch v.Type.Storage() {
	case stream.Boolean, stream.Integer:
		return fmt.Sprintf("((i32)0x%xu)", uint32(v.I))
	case stream.Real:
		return fmt.Sprintf("BITS_F32(0x%xu%s)", math.Float32bits(float32(v.F)), opaque(v.F))
	case stream.Double:
		return "BITS_F64(" + whole(int64(math.Float64bits(v.F))) + opaque(v.F) + ")"
	}
	return whole(v.I)
}

// opaque hides from the compiler that a literal is a zero: LLVM 14 makes a minimum of
// x > 0 ? -0.0 : x, which gives -0 for 0. n is the number of rows and never negative.
func opaque(f float64) string {
	if f == 0 {
		return " | (n < 0)"
	}
	return ""
}

func whole(i int64) string { return fmt.Sprintf("I64(0x%x, 0x%x)", uint64(i)>>32, uint32(i)) }

// either joins conditions of which one suffices.
func either(conditions ...string) string {
	var some []string
	for _, c := range conditions {
		if c == "1" {
			return "1"
		}
		if c != never {
			some = append(some, c)
		}
	}
	if len(some) == 0 {
		return never
	}
	return "(" + strings.Join(some, " | ") + ")"
}

// firstOf is the first failure.
func firstOf(fails ...string) string {
	text := ""
	for _, f := range fails {
		if f != never {
			text += fmt.Sprintf("%s ? %s : ", f, f)
		}
	}
	if text == "" {
		return never
	}
	return "(" + text + "0)"
}

// strict is the result of a function that is NULL where an argument is and fails where one
// fails. own holds conditions under which it fails by itself, each with its reason; they
// count for rows that are not NULL.
func (e *emitter) strict(text string, t stream.Type, args []value, own ...failure) value {
	var nulls, fails []string
	for _, a := range args {
		nulls, fails = append(nulls, a.null), append(fails, a.fail)
	}
	out := value{t: t, value: e.local(ctype(t), text), null: e.condition(either(nulls...))}
	for _, f := range own {
		when := f.when
		if out.null != never {
			when = fmt.Sprintf("(%s && !%s)", when, out.null)
		}
		fails = append(fails, e.local("i32", fmt.Sprintf("%s ? %s : 0", when, e.reasons.code(f.reason))))
	}
	out.fail = e.condition(firstOf(fails...))
	return out
}

// failure is a condition and what is told where it holds.
type failure struct{ when, reason string }
