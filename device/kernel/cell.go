package kernel

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// cell is one accumulator as code: its fields, and how two are joined, older rows first.
type cell struct {
	kind   operator.CellKind
	arg    int         // of the arguments, -1 for COUNT(*)
	t      stream.Type // of the argument
	fields []field
	first  int // output buffer of the first field; the others follow
}

type field struct{ name, ctype string }

func newCell(kind operator.CellKind, arg int, t stream.Type) cell {
	c := cell{kind: kind, arg: arg, t: t, fields: []field{{"n", "i32"}}}
	switch kind {
	case operator.IntSumCell:
		c.fields = append(c.fields, field{"low", "u64"}, field{"high", "i64"})
	case operator.FloatSumCell:
		c.fields = append(c.fields, field{"sum", "f64"}, field{"rest", "f64"})
	case operator.LeastCell, operator.GreatestCell:
		c.fields = append(c.fields, field{"value", ctype(t)})
	}
	return c
}

// cellOf is what an aggregate call needs.
func cellOf(a *model.Agg, arg int, t stream.Type) (cell, error) {
	if a.Distinct && a.Func != model.Min && a.Func != model.Max {
		return cell{}, refuse("%s of distinct values needs all of them", a.Func)
	}
	switch {
	case !a.Func.Basic():
		return cell{}, refuse("there is no kernel for %s", a.Func)
	case a.Func == model.Count:
		return newCell(operator.CountCell, arg, t), nil
	case isText(t):
		return cell{}, refuse("%s of text", a.Func)
	case a.Func == model.Min:
		return newCell(operator.LeastCell, arg, t), nil
	case a.Func == model.Max:
		return newCell(operator.GreatestCell, arg, t), nil
	case t.IsFloat():
		return newCell(operator.FloatSumCell, arg, t), nil
	case t.IsInteger() || t == stream.Interval:
		return newCell(operator.IntSumCell, arg, t), nil
	}
	return cell{}, refuse("there is no kernel for %s of %s", a.Func, t)
}

// bytes of a C type.
func bytesOf(ctype string) int {
	switch ctype {
	case "i32", "f32":
		return 4
	case "u8":
		return 1
	}
	return 8
}

// of is C for the cell of one value: the text of each field. known is whether it is not
// NULL.
func (c *cell) of(value, known string) []string {
	out := []string{"(" + known + " ? 1 : 0)"}
	switch c.kind {
	case operator.IntSumCell:
		wide := fmt.Sprintf("(%s ? (i64)%s : 0)", known, value)
		out = append(out, "(u64)"+wide, "("+wide+" < 0 ? (i64)-1 : (i64)0)")
	case operator.FloatSumCell:
		out = append(out, fmt.Sprintf("(%s ? (f64)%s : 0.0)", known, value), "0.0")
	case operator.LeastCell, operator.GreatestCell:
		out = append(out, value)
	}
	return out
}

// join is a statement that makes b a joined with b, where a's rows precede b's. a and b
// give the C of a field.
func (c *cell) join(a, b func(f field) string) string {
	n := field{"n", "i32"}
	switch c.kind {
	case operator.IntSumCell:
		low, high := c.fields[1], c.fields[2]
		return fmt.Sprintf("{ u64 low = %s + %s; %s = ADD_I64(ADD_I64(%s, %s), low < %s ? 1 : 0); %s = low; %s += %s; }",
			a(low), b(low), b(high), a(high), b(high), a(low), b(low), b(n), a(n))
	case operator.FloatSumCell:
		sum, rest := c.fields[1], c.fields[2]
		return fmt.Sprintf("{ f64 s = %s + %s, t = s - %s; %s = %s + %s + ((%s - (s - t)) + (%s - t)); %s = s; %s += %s; }",
			a(sum), b(sum), a(sum), b(rest), a(rest), b(rest), a(sum), b(sum), b(sum), b(n), a(n))
	case operator.LeastCell, operator.GreatestCell:
		v := c.fields[1]
		beats := less(c.t, b(v), a(v))
		if c.kind == operator.GreatestCell {
			beats = less(c.t, a(v), b(v))
		}
		return fmt.Sprintf("{ if (%s > 0 && !(%s > 0 && %s)) %s = %s; %s += %s; }", a(n), b(n), beats, b(v), a(v), b(n), a(n))
	}
	return fmt.Sprintf("{ %s += %s; }", b(n), a(n))
}

// each writes a statement for every field.
func (c *cell) each(statement func(f field) string) string {
	var b strings.Builder
	for _, f := range c.fields {
		b.WriteString(statement(f) + " ")
	}
	return b.String()
}
