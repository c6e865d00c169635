package kernel

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// equal and less compare values of one type, neither NULL.
func equal(t stream.Type, a, b string) string {
	if t.IsFloat() {
		return fmt.Sprintf("EQ_FLOAT(%s, %s)", a, b)
	}
	return fmt.Sprintf("(%s == %s)", a, b)
}

func less(t stream.Type, a, b string) string {
	if t.IsFloat() {
		return fmt.Sprintf("LT_FLOAT(%s, %s)", a, b)
	}
	return fmt.Sprintf("(%s < %s)", a, b)
}

func comparison(test func(t stream.Type, a, b string) string, swap, invert bool) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		a, b := args[0].value, args[1].value
		if swap {
			a, b = b, a
		}
		text := test(x.Args[0].Type, a, b)
		if invert {
			text = "!" + text
		}
		return e.strict(text, stream.Boolean, args), nil
	}
}

// distinct compares with NULL as a value like any other.
func distinct(want bool) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		a, b := args[0], args[1]
		same := fmt.Sprintf("((%s | %s) ? %s == %s : %s)", a.null, b.null, a.null, b.null, equal(x.Args[0].Type, a.value, b.value))
		if want {
			same = "!" + same
		}
		return value{value: e.local("i32", same), null: never, fail: e.condition(firstOf(a.fail, b.fail))}, nil
	}
}

func isNull(want bool) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		text := args[0].null
		if !want {
			text = "!" + text
		}
		return value{value: e.local("i32", text), null: never, fail: args[0].fail}, nil
	}
}

// holds is a BOOLEAN that is known and TRUE, or with not FALSE.
func holds(v value, not string) string {
	text := not + v.value
	for _, c := range []string{v.null, v.fail} {
		if c != never {
			text += " & !" + c
		}
	}
	return "(" + text + ")"
}

// junction is AND (an argument that is 0 decides) or OR (1 does).
func junction(winner string) func(*emitter, *model.Expr, []value) (value, error) {
	not := "!"
	if winner == "1" {
		not = ""
	}
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		var decides, nulls, fails []string
		for _, a := range args {
			decides, nulls, fails = append(decides, holds(a, not)), append(nulls, a.null), append(fails, a.fail)
		}
		decided := e.local("i32", either(decides...))
		text := decided
		if winner == "0" {
			text = "!" + decided
		}
		return value{value: e.local("i32", text), null: e.unless(decided, either(nulls...)), fail: e.unless(decided, firstOf(fails...))}, nil
	}
}

// unless is a condition, or failure, that counts where another condition does not hold.
func (e *emitter) unless(not, text string) string {
	if text == never {
		return never
	}
	return e.local("i32", fmt.Sprintf("%s ? 0 : %s", not, text))
}

func not(e *emitter, _ *model.Expr, args []value) (value, error) {
	return e.strict("!"+args[0].value, stream.Boolean, args), nil
}

func is(not string) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		a := args[0]
		return value{value: e.local("i32", holds(value{value: a.value, null: a.null, fail: never}, not)), null: never, fail: a.fail}, nil
	}
}

// in: an equal value wins over one that fails, and that over NULL.
func in(e *emitter, x *model.Expr, args []value) (value, error) {
	a := args[0]
	var finds, fails []string
	nulls := []string{a.null}
	for _, v := range args[1:] {
		found := value{value: equal(x.Args[0].Type, a.value, v.value), null: either(a.null, v.null), fail: v.fail}
		finds, nulls, fails = append(finds, holds(found, "")), append(nulls, v.null), append(fails, v.fail)
	}
	found := e.local("i32", either(finds...))
	return value{value: found, null: e.unless(found, either(nulls...)),
		fail: e.condition(firstOf(a.fail, e.unless(found, firstOf(fails...))))}, nil
}

// choice writes a conditional: the first branch whose condition holds gives value, NULL and
// failure; a condition that fails ends the search.
type choice struct {
	e                 *emitter
	value, null, fail string
	open              string
}

func (e *emitter) choose(t stream.Type) choice {
	e.locals++
	c := choice{e, fmt.Sprintf("value%d", e.locals), fmt.Sprintf("null%d", e.locals), fmt.Sprintf("fail%d", e.locals), fmt.Sprintf("open%d", e.locals)}
	e.line("%s %s = 0; i32 %s = 1, %s = 0, %s = 1;", ctype(t), c.value, c.null, c.fail, c.open)
	return c
}

// branch takes v in rows that are still open and where the condition holds.
func (c choice) branch(when string, v value) {
	c.e.line("if (%s && %s) { %s = %s; %s = %s; %s = %s; %s = 0; }", c.open, when, c.value, v.value, c.null, v.null, c.fail, v.fail, c.open)
}

// stop ends the search in rows where a condition failed.
func (c choice) stop(fail string) {
	if fail != never {
		c.e.line("if (%s && %s) { %s = %s; %s = 0; }", c.open, fail, c.fail, fail, c.open)
	}
}

func (c choice) result() value { return value{value: c.value, null: c.null, fail: c.fail} }

func caseOf(e *emitter, x *model.Expr, args []value) (value, error) {
	c, last := e.choose(x.Type), len(args)-1
	for i := 0; i < last; i += 2 {
		c.stop(args[i].fail)
		c.branch(holds(args[i], ""), args[i+1])
	}
	c.branch("1", args[last])
	return c.result(), nil
}

func coalesce(e *emitter, x *model.Expr, args []value) (value, error) {
	c := e.choose(x.Type)
	for _, a := range args {
		c.stop(a.fail)
		c.branch("!"+a.null, a)
	}
	return c.result(), nil
}

func nullIf(e *emitter, x *model.Expr, args []value) (value, error) {
	a, b := args[0], args[1]
	same := equal(x.Type, a.value, b.value)
	if b.null != never {
		same = fmt.Sprintf("(%s && !%s)", same, b.null)
	}
	return value{value: a.value, null: e.local("i32", either(a.null, same)), fail: e.condition(firstOf(a.fail, b.fail))}, nil
}

// extreme is the greatest or least argument, the first of equal ones.
func extreme(greatest bool) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		best := args[0].value
		for _, a := range args[1:] {
			test := less(x.Type, a.value, best)
			if greatest {
				test = less(x.Type, best, a.value)
			}
			best = e.local(ctype(x.Type), fmt.Sprintf("%s ? %s : %s", test, a.value, best))
		}
		return e.strict(best, x.Type, args), nil
	}
}
