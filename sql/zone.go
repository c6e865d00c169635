package sql

import (
	"strings"

	"github.com/millrace/millrace/internal/zone"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// TIMESTAMP and TIMESTAMP_LTZ (TIMESTAMP WITH TIME ZONE) are two types to the front end
// and one behind it. A TIMESTAMP is the reading of some clock, a TIMESTAMP_LTZ is an
// instant that the clock of the session's zone shows. Both are microseconds, the reading
// counted as if the clock were that of UTC, so that in a session of UTC one is the other.
//
// While a statement is resolved, expressions and columns carry either type and a cast
// stands wherever one becomes the other. When all is resolved, erase turns every
// TIMESTAMP_LTZ into a TIMESTAMP and every such cast into a call that names the zone, or,
// in UTC, into nothing.

const ltz = stream.TimestampLTZ

// sameInstant is a call that gives an instant the type of a reading, or the other way
// round, without moving it: for functions that know instants by their number only. It
// does not outlive erase.
const sameInstant = "same instant"

func relabel(e *model.Expr, t stream.Type) *model.Expr {
	if e.Type == t {
		return e
	}
	return model.Call(sameInstant, t, e)
}

// plain is the type that a TIMESTAMP_LTZ has behind the front end.
func plain(t stream.Type) stream.Type {
	if t == ltz {
		return stream.Timestamp
	}
	return t
}

// castAllowed is model.CastAllowed with TIMESTAMP_LTZ.
func castAllowed(from, to stream.Type) bool {
	return model.CastAllowed(plain(from), plain(to))
}

// convert casts e to t if it is something else.
func convert(e *model.Expr, t stream.Type) *model.Expr {
	if e.Type == t {
		return e
	}
	if isLiteral(e) {
		if out, ok := adapt(e, t); ok {
			return out
		}
	}
	return model.Call("cast", t, e)
}

func hasType(args []*model.Expr, t stream.Type) bool {
	for _, a := range args {
		if a.Type == t {
			return true
		}
	}
	return false
}

// zone is the session's.
func (r *resolver) zone() *zone.Zone {
	if z := r.result.Settings.zone; z != nil {
		return z
	}
	return zone.UTC
}

func zoneName(z *zone.Zone) *model.Expr { return model.Lit(stream.Text(z.String())) }

// instants resolves a call with TIMESTAMP_LTZ among its arguments. Functions that count
// from one instant to another see the instants, those that look at a clock or a calendar
// see the readings of the session's clock.
func (x *exprs) instants(e *expr, fn string, args []*model.Expr) (*model.Expr, error) {
	args = append([]*model.Expr(nil), args...)
	clock := true // the function looks at the clock
	switch fn {
	case "add", "sub", "extract_epoch":
		clock = false
	case "timestamp_add", "timestamp_diff":
		clock = !shortUnit(args[0])
	case "date_trunc", "date_ceil":
		if len(args) == 2 && args[1].Type == ltz && x.zone() != zone.UTC {
			return x.truncate(e, "zone_"+strings.TrimPrefix(fn, "date_"), args, zoneName(x.zone()))
		}
		clock = false
	}
	for i, a := range args {
		switch {
		case clock && a.Type == ltz:
			args[i] = convert(a, stream.Timestamp)
		case !clock && a.Type == ltz, !clock && fn != "add" && a.Type.IsMoment():
			args[i] = relabel(convert(a, ltz), stream.Timestamp)
		}
	}
	out, err := x.overload(e, fn, args)
	switch {
	case err != nil || out.Type != stream.Timestamp:
		return out, err
	case clock:
		return convert(out, ltz), nil
	}
	return relabel(out, ltz), nil
}

// truncate is DATE_TRUNC or CEIL by the clock of a zone.
func (x *exprs) truncate(e *expr, fn string, args []*model.Expr, in *model.Expr) (*model.Expr, error) {
	out, err := x.overload(e, fn, []*model.Expr{args[0], relabel(convert(args[1], ltz), stream.Timestamp), in})
	if err != nil {
		return nil, err
	}
	return relabel(out, ltz), nil
}

// shortUnit: a unit that is as long by every clock.
func shortUnit(unit *model.Expr) bool {
	if !isText(unit) {
		return false
	}
	switch strings.ToLower(unit.Literal.S) {
	case "microsecond", "millisecond", "second", "minute", "hour":
		return true
	}
	return false
}

// cutDigits is the CAST of a time to fewer digits of the second's fraction.
func cutDigits(e *model.Expr, digits int) *model.Expr {
	t, in := e.Type, relabel(e, plain(e.Type))
	out := model.Call("time_cut", in.Type, in, model.Lit(stream.Int(int32(digits))))
	return relabel(out, t)
}

// atTimeZone is ts AT TIME ZONE zone: the instant at which that zone's clock shows a
// TIMESTAMP, and what it shows at the instant that a TIMESTAMP_LTZ is.
func (x *exprs) atTimeZone(e *expr, args []*model.Expr) (*model.Expr, error) {
	in, err := x.zoneArgument(e.args[1], args[1])
	if err != nil {
		return nil, err
	}
	switch a := settle(args[0]); {
	case isLiteral(a) && a.Literal.Null:
		return model.Lit(stream.NullOf(ltz)), nil
	case isText(in) && in.Literal.S == zone.UTC.String() && plain(a.Type) == stream.Timestamp:
		to := ltz
		if a.Type == ltz {
			to = stream.Timestamp
		}
		return relabel(a, to), nil
	case a.Type == ltz:
		return model.Call("zone_reading", stream.Timestamp, relabel(a, stream.Timestamp), in), nil
	case a.Type == stream.Timestamp || a.Type == stream.Date:
		return relabel(model.Call("zone_instant", stream.Timestamp, convert(a, stream.Timestamp), in), ltz), nil
	default:
		return nil, x.fail(e.args[0].span, "CAST it to TIMESTAMP or TIMESTAMP_LTZ", "AT TIME ZONE needs a timestamp, not %s", a.Type)
	}
}

// zoneArgument checks the name of a zone; one that is not a literal is looked up for
// every row.
func (x *exprs) zoneArgument(e *expr, arg *model.Expr) (*model.Expr, error) {
	arg = settle(arg)
	if arg.Type != stream.Varchar {
		return nil, x.fail(e.span, "write a name such as 'Europe/Zurich' or an offset such as '+02:00'", "a time zone is a text, not %s", arg.Type)
	}
	if !isText(arg) {
		return arg, nil
	}
	z, err := zone.Load(arg.Literal.S)
	if err != nil {
		return nil, x.fail(e.span, zoneHint(arg.Literal.S), "time zone %q does not exist", shorten(arg.Literal.S))
	}
	return zoneName(z), nil
}

// zoneHint is the name that was probably meant.
func zoneHint(name string) string {
	for _, n := range zone.Names() {
		if _, city, ok := strings.Cut(n, "/"); strings.EqualFold(n, name) || ok && strings.EqualFold(city, strings.ReplaceAll(name, " ", "_")) {
			return "did you mean " + n + "?"
		}
	}
	if hint := suggest(name, zone.Names()); hint != "" {
		return hint
	}
	return "write a name such as 'Europe/Zurich' or an offset such as '+02:00'"
}

// toTimestampLTZ is TO_TIMESTAMP_LTZ(number, precision) or (text [, pattern [, zone]]).
func (x *exprs) toTimestampLTZ(e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 && len(args) <= 3 && args[0].Type == stream.Varchar {
		in := zoneName(zone.UTC)
		if len(args) == 3 {
			if in, err = x.zoneArgument(e.args[2], args[2]); err != nil {
				return nil, err
			}
		}
		args = args[:min(2, len(args))]
		if err := x.checkTimePattern(e, "to_timestamp", args); err != nil {
			return nil, err
		}
		ts, err := x.overload(e, "to_timestamp", args)
		if err != nil || in.Kind == model.LiteralExpr && in.Literal.S == zone.UTC.String() {
			return relabelled(ts, err)
		}
		return relabel(model.Call("zone_instant", stream.Timestamp, ts, in), ltz), nil
	}
	if len(args) == 2 && isLiteral(args[1]) && args[1].Type == stream.Integer && args[1].Literal.I != 0 && args[1].Literal.I != 3 && args[1].Literal.I != 6 {
		return nil, x.fail(e.args[1].span, "write 0 for seconds, 3 for milliseconds or 6 for microseconds", "TO_TIMESTAMP_LTZ has no precision %d", args[1].Literal.I)
	}
	return relabelled(x.overload(e, "to_timestamp_ltz", args))
}

// relabelled is a timestamp that is an instant.
func relabelled(e *model.Expr, err error) (*model.Expr, error) {
	if err != nil {
		return nil, err
	}
	return relabel(e, ltz), nil
}

// convertTZ is CONVERT_TZ(text, from, to).
func (x *exprs) convertTZ(e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	if len(args) != 3 || settle(args[0]).Type != stream.Varchar {
		return nil, x.fail(e.span, "write CONVERT_TZ('2026-01-02 03:04:05', 'UTC', 'Europe/Zurich')", "CONVERT_TZ takes a text and two time zones")
	}
	zones := [2]*model.Expr{}
	for i := range zones {
		if zones[i], err = x.zoneArgument(e.args[i+1], args[i+1]); err != nil {
			return nil, err
		}
	}
	ts := model.Call("to_timestamp", stream.Timestamp, settle(args[0]))
	ts = model.Call("zone_instant", stream.Timestamp, ts, zones[0])
	ts = model.Call("zone_reading", stream.Timestamp, ts, zones[1])
	return model.Call("date_format", stream.Varchar, ts, model.Lit(stream.Text(function.DefaultTimePattern))), nil
}

// dateTruncIn is DATE_TRUNC(unit, ts, zone).
func (x *exprs) dateTruncIn(e *expr, args []*model.Expr) (*model.Expr, error) {
	in, err := x.zoneArgument(e.args[2], args[2])
	if err != nil {
		return nil, err
	}
	if !args[1].Type.IsMoment() && !(isLiteral(args[1]) && args[1].Literal.Null) {
		return nil, x.fail(e.args[1].span, "", "DATE_TRUNC with a time zone needs a timestamp, not %s", args[1].Type)
	}
	return x.truncate(e, "zone_trunc", args, in)
}
