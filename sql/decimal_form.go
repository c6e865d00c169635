package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// decimalForm writes functions of DECIMALs that are none in the model with those that are:
// ROUND to a constant number of digits, TRUNCATE and SIGN. ok is false for other calls.
func decimalForm(fn string, args []*model.Expr) (out *model.Expr, ok bool) {
	if len(args) == 0 || !args[0].Type.IsDecimal() {
		return nil, false
	}
	x, t := args[0], args[0].Type
	compare := func(name string) *model.Expr {
		return model.Call(name, stream.Boolean, x, model.Lit(stream.DecimalOf(t, decimal.Of(0))))
	}
	whole := stream.Decimal(1, 0)
	number := func(i int64) *model.Expr { return model.Lit(stream.DecimalOf(whole, decimal.Of(i))) }
	switch {
	case fn == "sign" && len(args) == 1:
		return model.Call("case", whole, compare("gt"), number(1), compare("lt"), number(-1), compare("eq"), number(0), model.Lit(stream.NullOf(whole))), true
	case fn == "truncate" && len(args) == 1:
		if t.Scale() == 0 {
			return x, true
		}
		to := stream.Decimal(t.Precision()-t.Scale()+1, 0)
		return model.Call("case", to, compare("lt"), model.Call("ceil", to, x), model.Call("floor", to, x)), true
	case fn == "round_to" && len(args) == 2 && isLiteral(args[1]) && args[1].Type.IsInteger() && !args[1].Literal.Null && args[1].Literal.I >= 0:
		n := int(min(args[1].Literal.I, int64(t.Scale())))
		if n == t.Scale() {
			return x, true
		}
		return model.Call("cast", stream.Decimal(t.Precision()-t.Scale()+n+1, n), x), true
	}
	return nil, false
}
