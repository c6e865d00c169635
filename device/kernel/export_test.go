package kernel

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Expressions is a program that puts out value, NULL and failure of every expression in
// every row: what tests of expressions need and nobody else.
type Expressions struct {
	*Selection
	exprs []*model.Expr
	at    []int // first of the three output buffers of each
}

// Refuses says why there is no kernel for an expression, or that there is.
func Refuses(x *model.Expr, schema *stream.Schema) error {
	_, err := NewExpressions([]*model.Expr{x}, schema)
	return err
}

func NewExpressions(exprs []*model.Expr, schema *stream.Schema) (*Expressions, error) {
	l := newLayout()
	reads := make([]bool, schema.Len())
	for _, x := range exprs {
		x.Columns(func(c int) { reads[c] = true })
	}
	in, columns, names, err := l.take(onlyInput, schema, reads)
	if err != nil {
		return nil, err
	}
	x := &Expressions{Selection: &Selection{layout: l, intake: in}, exprs: exprs}
	e := &emitter{out: &strings.Builder{}, reasons: &l.reasons, columns: columns}
	in.read(e, columns)
	for k, expr := range exprs {
		v, err := e.expr(expr)
		if err != nil {
			return nil, err
		}
		out := fmt.Sprintf("out%d", k)
		x.at = append(x.at, len(l.outputs))
		for _, part := range []struct{ name, ctype, text string }{{out, ctype(expr.Type), v.value}, {out + "_null", "i32", v.null}, {out + "_fail", "i32", v.fail}} {
			bytes := perRow(map[string]int{"i32": 4, "f32": 4}[part.ctype])
			if bytes.each == 0 {
				bytes.each = 8
			}
			l.output(part.name, part.ctype, bytes, device.Extent{Each: bytes.each})
			names = append(names, part.name)
			e.line("%s[g] = %s;", part.name, part.text)
		}
	}
	if err := l.entry("evaluate", allRows, names, "  i32 g = ITEM;\n  if (g < n) {\n"+e.out.String()+"  }\n"); err != nil {
		return nil, err
	}
	x.Program = l.program("expressions")
	return x, nil
}

// Value is expression k in row i; a reason that is not empty says why it failed.
func (x *Expressions) Value(slot device.Slot, k, i int) (v stream.Value, reason string) {
	if code := view[int32](slot.Output(x.at[k] + 2))[i]; code != 0 {
		return v, x.layout.reasons.texts[code-1]
	}
	t := x.exprs[k].Type
	if view[int32](slot.Output(x.at[k] + 1))[i] != 0 {
		return stream.NullOf(t), ""
	}
	v.Type = t
	out := slot.Output(x.at[k])
	switch ctype(t) {
	case "i32":
		v.I = int64(view[int32](out)[i])
	case "i64":
		v.I = view[int64](out)[i]
	case "f32":
		v.F = float64(view[float32](out)[i])
	default:
		v.F = view[float64](out)[i]
	}
	return v, ""
}
