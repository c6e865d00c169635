package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// timeForms are functions of time that others make up.
var timeForms map[string]func(x *exprs, e *expr) (*model.Expr, error)

func init() {
	timeForms = map[string]func(x *exprs, e *expr) (*model.Expr, error){
		"date_part": (*exprs).datePart, "from_unixtime": (*exprs).fromUnixTime, "unix_timestamp": (*exprs).unixTimestamp,
		"to_timestamp_ltz": (*exprs).toTimestampLTZ, "convert_tz": (*exprs).convertTZ,
		"dayofweek": func(x *exprs, e *expr) (*model.Expr, error) {
			dow, err := x.field("extract_dow", e)
			if err != nil {
				return nil, err
			}
			return model.Call("add", stream.BigInt, dow, model.Lit(stream.Big(1))), nil
		},
	}
	for name, field := range map[string]string{"dayofyear": "doy", "dayofmonth": "day"} {
		timeForms[name] = fieldForm("extract_" + field)
	}
	for _, name := range []string{"year", "quarter", "month", "week", "hour", "minute", "second"} {
		timeForms[name] = fieldForm("extract_" + name)
	}
}

func fieldForm(fn string) func(x *exprs, e *expr) (*model.Expr, error) {
	return func(x *exprs, e *expr) (*model.Expr, error) { return x.field(fn, e) }
}

// field is a call YEAR(ts) for EXTRACT(YEAR FROM ts).
func (x *exprs) field(fn string, e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	return x.overload(e, fn, args)
}

// datePart is DATE_PART('year', ts).
func (x *exprs) datePart(e *expr) (*model.Expr, error) {
	if len(e.args) != 2 || e.args[0].kind != literalExpr || e.args[0].value.Type != stream.Varchar {
		return nil, x.fail(e.span, "write DATE_PART('hour', ts), or EXTRACT(HOUR FROM ts)", "DATE_PART takes a literal field and a timestamp")
	}
	fn, ok := extractFunction(lower(e.args[0].value.S))
	if !ok {
		return nil, x.fail(e.args[0].span, suggest(upper(e.args[0].value.S), shownFields), "DATE_PART has no field '%s'", shorten(e.args[0].value.S))
	}
	c := *e
	c.args = e.args[1:]
	return x.field(fn, &c)
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

// fromUnixTime is the text of a number of seconds.
func (x *exprs) fromUnixTime(e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	if len(args) < 1 || len(args) > 2 {
		return nil, x.fail(e.span, "", "FROM_UNIXTIME takes 1 or 2 arguments, not %d", len(args))
	}
	if err := x.checkTimePattern(e, "date_format", args); err != nil {
		return nil, err
	}
	seconds := *e
	seconds.fn, seconds.args = "to_timestamp_ltz", e.args[:1]
	ts, err := x.overload(&seconds, "to_timestamp_ltz", []*model.Expr{args[0], model.Lit(stream.Int(0))})
	if err != nil {
		return nil, err
	}
	return x.overload(e, "date_format", []*model.Expr{relabel(ts, ltz), patternOr(args)})
}

// patternOr is the second argument, or the pattern that stands for none.
func patternOr(args []*model.Expr) *model.Expr {
	if len(args) == 2 {
		return args[1]
	}
	return model.Lit(stream.Text(function.DefaultTimePattern))
}

// unixTimestamp is the seconds of a text.
func (x *exprs) unixTimestamp(e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, x.fail(e.span, "use the stream's event-time column", "UNIX_TIMESTAMP() of now is not supported: results depend on the data alone")
	}
	if err := x.checkTimePattern(e, "to_timestamp", args); err != nil {
		return nil, err
	}
	ts, err := x.overload(e, "to_timestamp", args)
	if err != nil {
		return nil, err
	}
	ts = relabel(model.Call("cast", ltz, ts), stream.Timestamp) // by the session's clock
	seconds := model.Call("floor", stream.Double, model.Call("extract_epoch", stream.Double, ts))
	return model.Call("cast", stream.BigInt, seconds), nil
}

// checkTimePattern compiles a pattern of times that is a literal.
func (x *exprs) checkTimePattern(e *expr, fn string, args []*model.Expr) error {
	if len(args) != 2 || !isText(args[1]) {
		return nil
	}
	compile, hint := function.CompileTime, "write a pattern such as 'yyyy-MM-dd HH:mm:ss'; text stands in single quotes, doubled within a literal"
	switch fn {
	case "to_char":
		compile, hint = function.CompileTemplate, "write a pattern such as 'YYYY-MM-DD HH24:MI:SS'"
	case "to_timestamp":
		compile = function.CompileTimeReader
	}
	if _, err := compile(args[1].Literal.S); err != nil {
		return x.fail(e.args[1].span, hint, "this pattern is malformed: %v", err)
	}
	return nil
}
