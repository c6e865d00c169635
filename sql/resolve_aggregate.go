package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// aggregateNames are the aggregates; the value is the model's name.
var aggregateNames = map[string]model.AggFunc{
	"count": model.Count, "sum": model.Sum, "avg": model.Avg, "min": model.Min, "max": model.Max,
	"var_pop": model.VarPop, "var_samp": model.VarSamp, "variance": model.VarSamp, "stddev_pop": model.StddevPop, "stddev_samp": model.StddevSamp, "stddev": model.StddevSamp,
	"bool_and": model.BoolAnd, "every": model.BoolAnd, "bool_or": model.BoolOr, "some": model.BoolOr,
	"first_value": model.FirstValue, "last_value": model.LastValue, "any_value": model.FirstValue, "approx_count_distinct": model.ApproxCountDistinct,
	"count_if": model.Count, "countif": model.Count,
	"array_agg": model.ArrayAgg, "string_agg": model.StringAgg, "listagg": model.StringAgg, "group_concat": model.StringAgg,
	"min_by": model.MinBy, "max_by": model.MaxBy, "arg_min": model.MinBy, "arg_max": model.MaxBy,
	"approx_percentile": model.ApproxPercentile, "percentile_approx": model.ApproxPercentile, "approx_quantile": model.ApproxPercentile, "approx_median": model.ApproxPercentile,
	"percentile_cont": model.PercentileCont, "percentile_disc": model.PercentileDisc, "median": model.PercentileCont, "percentile": model.PercentileCont,
	"covar_pop": model.CovarPop, "covar_samp": model.CovarSamp, "corr": model.Corr,
}

// Aggregates are the names of the aggregate functions, for completion and SHOW FUNCTIONS.
func Aggregates() []string { return keys(aggregateNames) }

// aggregate resolves an aggregate call to its placeholder.
func (x *exprs) aggregate(e *expr, fn model.AggFunc) (*model.Expr, error) {
	switch {
	case x.inside != "":
		return nil, x.fail(e.span, "compute the inner one in a sub-query", "%s inside %s: aggregates cannot be nested", upper(e.fn), x.inside)
	case x.group == nil && x.clause == "WHERE":
		return nil, x.fail(e.span, "write HAVING", "WHERE sees rows before they are grouped, so it cannot use %s", upper(e.fn))
	case x.group == nil:
		return nil, x.fail(e.span, "", "%s cannot use the aggregate %s", x.clause, upper(e.fn))
	case e.star && (e.fn != "count" || e.distinct):
		return nil, x.fail(e.span, "only COUNT(*) is", "%s(*) is not a call", upper(e.fn))
	}
	inner := *x
	inner.inside, inner.clause = upper(e.fn), "FILTER"
	agg := model.Agg{Func: fn}
	if err := inner.aggregateArguments(e, &agg); err != nil {
		return nil, err
	}
	if e.filter != nil {
		filter, err := inner.condition(e.filter)
		if err != nil {
			return nil, err
		}
		if agg.Filter != nil {
			filter = model.Call("and", stream.Boolean, filter, agg.Filter)
		}
		agg.Filter = filter
	}
	if err := x.distinctAggregate(e, &agg); err != nil {
		return nil, err
	}
	arg := stream.Invalid
	if agg.Arg != nil {
		arg = agg.Arg.Type
	}
	if err := x.comparableArguments(e, &agg); err != nil {
		return nil, err
	}
	var ok bool
	if agg.Type, ok = model.AggType(fn, plain(arg)); !ok {
		return nil, x.wrongAggregate(e, fn, arg)
	}
	if arg == ltz && agg.Type == stream.Timestamp {
		agg.Type = ltz
	}
	out := model.Col(placeholder+x.group.addAgg(agg), agg.Type)
	if fn == model.ArrayAgg && agg.Distinct && len(e.order) == 1 {
		return sortedArray(out, e.order[0]), nil
	}
	return out, nil
}

// comparableArguments refuses values that are not compared where an aggregate compares them.
func (x *exprs) comparableArguments(e *expr, agg *model.Agg) error {
	compares := agg.Distinct || agg.Func == model.Min || agg.Func == model.Max || agg.Func == model.ApproxCountDistinct || agg.Func.Percentile()
	for _, a := range []struct {
		arg *model.Expr
		in  bool
	}{{agg.Arg, compares}, {agg.By, true}} {
		if a.arg == nil || !a.in {
			continue
		}
		if err := x.comparable(e.span, a.arg.Type); err != nil {
			return err
		}
	}
	return nil
}

func (x *exprs) wrongAggregate(e *expr, fn model.AggFunc, arg stream.Type) error {
	switch fn {
	case model.BoolAnd, model.BoolOr:
		return x.fail(e.args[0].span, "compare it with something", "%s needs a BOOLEAN, not %s", upper(e.fn), arg)
	case model.StringAgg:
		return x.fail(e.args[0].span, "write CAST(.. AS VARCHAR)", "%s needs a VARCHAR, not %s", upper(e.fn), arg)
	}
	return x.fail(e.args[0].span, "COUNT, MIN and MAX take any type", "%s needs numbers or intervals, not %s", upper(e.fn), arg)
}

// distinctAggregate leaves out a DISTINCT that changes nothing.
func (x *exprs) distinctAggregate(e *expr, agg *model.Agg) error {
	switch {
	case !e.distinct:
	case e.fn == "count_if" || e.fn == "countif" || agg.Func.ByOther() && agg.Func != model.MinBy && agg.Func != model.MaxBy:
		return x.fail(e.span, "take the distinct rows in a sub-query", "%s of distinct values is not supported", upper(e.fn))
	case agg.Func == model.ArrayAgg && agg.By != nil && agg.By.Equal(agg.Arg.Args[0]):
		agg.Distinct, agg.By, agg.Descending, agg.NullsFirst = true, nil, false, false
	case agg.By != nil && agg.Func.TakesDistinct() && !agg.By.Equal(agg.Arg):
		return x.fail(e.order[0].expr.span, "order by the argument", "%s of distinct values can only be ordered by them: of equal ones, which stand in many rows, one is kept", upper(e.fn))
	default:
		agg.Distinct = agg.Func.TakesDistinct()
	}
	return nil
}

// aggregateArguments resolves what stands in the parentheses.
func (x *exprs) aggregateArguments(e *expr, agg *model.Agg) (err error) {
	switch {
	case e.within && !agg.Func.Percentile() && agg.Func != model.StringAgg || e.within && e.fn == "median":
		return x.fail(e.order[0].expr.span, "", "%s has no WITHIN GROUP", upper(e.fn))
	case e.star:
		return nil
	case e.fn == "count_if" || e.fn == "countif":
		if err := x.argumentCount(e, 1, 1); err != nil {
			return err
		}
		cond, err := x.value(e.args[0])
		if err != nil {
			return err
		}
		agg.Filter, err = x.boolean(e.args[0], cond, upper(e.fn))
		return err
	case agg.Func == model.StringAgg:
		return x.stringAgg(e, agg)
	case agg.Func == model.ArrayAgg:
		return x.arrayAgg(e, agg)
	case agg.Func.Percentile():
		return x.percentile(e, agg)
	case agg.Func.ByOther():
		return x.twoArguments(e, agg)
	}
	if err := x.argumentCount(e, 1, 1); err != nil {
		return err
	}
	agg.Arg, err = x.value(e.args[0])
	switch agg.Func {
	case model.VarPop, model.VarSamp, model.StddevPop, model.StddevSamp:
		if err == nil && agg.Arg.Type.IsDecimal() {
			agg.Arg, _ = widen(agg.Arg, stream.Double)
		}
	}
	return err
}

func (x *exprs) argumentCount(e *expr, least, most int) error {
	if n := len(e.args); n >= least && n <= most {
		return nil
	}
	if e.fn == "count" && len(e.args) == 0 {
		return x.fail(e.span, "write COUNT(*)", "COUNT takes 1 argument, not 0")
	}
	switch {
	case most == 1:
		return x.fail(e.span, "", "%s takes 1 argument, not %d", upper(e.fn), len(e.args))
	case least == most:
		return x.fail(e.span, "", "%s takes %d arguments, not %d", upper(e.fn), least, len(e.args))
	}
	return x.fail(e.span, "", "%s takes %d or %d arguments, not %d", upper(e.fn), least, most, len(e.args))
}

// stringAgg resolves STRING_AGG(x [, between] [ORDER BY y]).
func (x *exprs) stringAgg(e *expr, agg *model.Agg) (err error) {
	if err := x.argumentCount(e, 1, 2); err != nil {
		return err
	}
	if agg.Arg, err = x.value(e.args[0]); err != nil {
		return err
	}
	between := stream.Text(",")
	if len(e.args) == 2 {
		b, err := x.value(e.args[1])
		if err != nil {
			return err
		}
		if !isLiteral(b) || b.Type != stream.Varchar || b.Literal.Null {
			return x.fail(e.args[1].span, "write a text such as ','", "what %s writes between values is a constant", upper(e.fn))
		}
		between = b.Literal
	}
	agg.Params = []stream.Value{between}
	return x.aggregateOrder(e, agg)
}

// arrayAgg resolves ARRAY_AGG(x [RESPECT NULLS | IGNORE NULLS] [ORDER BY y]): the model's
// function puts arrays together, here those of one element, which may be NULL.
func (x *exprs) arrayAgg(e *expr, agg *model.Agg) (err error) {
	if err := x.argumentCount(e, 1, 1); err != nil {
		return err
	}
	v, err := x.value(e.args[0])
	if err != nil {
		return err
	}
	one, t, _ := unify([]*model.Expr{v})
	if agg.Arg, err = x.nestedOf(e, "array", stream.Array(t), one); err != nil {
		return err
	}
	if e.nulls == "ignore" {
		agg.Filter = model.Call("is_not_null", stream.Boolean, one[0])
	}
	return x.aggregateOrder(e, agg)
}

// sortedArray is the order of the distinct elements of an array.
func sortedArray(array *model.Expr, key orderKey) *model.Expr {
	return model.Call("array_sort", array.Type, array, model.Lit(stream.Bool(!key.descending)), model.Lit(stream.Bool(key.nullsFirst)))
}

// aggregateOrder resolves the ORDER BY of an aggregate that has one.
func (x *exprs) aggregateOrder(e *expr, agg *model.Agg) (err error) {
	switch len(e.order) {
	case 0:
	case 1:
		if agg.By, err = x.value(e.order[0].expr); err != nil {
			return err
		}
		agg.Descending, agg.NullsFirst = e.order[0].descending, e.order[0].nullsFirst
	default:
		return x.fail(e.order[1].expr.span, "order by one", "%s ordered by several values is not supported yet", upper(e.fn))
	}
	return nil
}

// percentile resolves APPROX_PERCENTILE(x, p), PERCENTILE_CONT(p) WITHIN GROUP (ORDER BY x)
// and their like; MEDIAN(x) is the one for 0.5.
func (x *exprs) percentile(e *expr, agg *model.Agg) (err error) {
	share, value := stream.Dbl(0.5), e.args
	if e.fn != "median" && e.fn != "approx_median" {
		if e.within {
			if err := x.argumentCount(e, 1, 1); err != nil {
				return err
			}
			if len(e.order) > 1 || e.order[0].descending {
				return x.fail(e.order[0].expr.span, "order by one, ascending, and write 1 - p", "%s needs one value in ascending order", upper(e.fn))
			}
			value = []*expr{e.order[0].expr, e.args[0]}
		}
		if len(value) != 2 {
			return x.fail(e.span, map[bool]string{true: "write " + upper(e.fn) + "(p) WITHIN GROUP (ORDER BY x)"}[agg.Func != model.ApproxPercentile], "%s takes a value and a share from 0 to 1", upper(e.fn))
		}
		p, err := x.value(value[1])
		if err != nil {
			return err
		}
		d, ok := widen(p, stream.Double)
		if !isLiteral(p) || !ok || !isLiteral(d) || !(d.Literal.F >= 0 && d.Literal.F <= 1) {
			return x.fail(value[1].span, "write a number such as 0.95", "the share of %s is a constant from 0 to 1", upper(e.fn))
		}
		share = d.Literal
	} else if err := x.argumentCount(e, 1, 1); err != nil {
		return err
	}
	agg.Params = []stream.Value{share}
	if agg.Arg, err = x.value(value[0]); err != nil || agg.Func == model.PercentileDisc {
		return err
	}
	agg.Arg, err = x.asDouble(e, value[0], agg.Arg)
	return err
}

func (x *exprs) asDouble(e, at *expr, v *model.Expr) (*model.Expr, error) {
	if d, ok := widen(v, stream.Double); ok {
		return d, nil
	}
	return nil, x.fail(at.span, "", "%s needs numbers, not %s", upper(e.fn), v.Type)
}

// twoArguments resolves MAX_BY(x, y) and CORR(x, y), and their like.
func (x *exprs) twoArguments(e *expr, agg *model.Agg) (err error) {
	if err := x.argumentCount(e, 2, 2); err != nil {
		return err
	}
	for i, to := range []**model.Expr{&agg.Arg, &agg.By} {
		if *to, err = x.value(e.args[i]); err != nil {
			return err
		}
		if agg.Func == model.MinBy || agg.Func == model.MaxBy {
			continue
		}
		if *to, err = x.asDouble(e, e.args[i], *to); err != nil {
			return err
		}
	}
	return nil
}
