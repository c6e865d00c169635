package sql

import (
	"github.com/millrace/millrace/internal/zone"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// erase gives the operators of a model the types that are known behind the front end; see
// zone.go.
func (r *resolver) erase(m *model.Model) {
	for _, op := range m.Ops {
		*op = *r.erased(op)
	}
}

// erased is an operator without TIMESTAMP_LTZ.
func (r *resolver) erased(op *model.Operator) *model.Operator {
	out := *op
	out.Relation.Schema = stream.NewSchema(plainFields(op.Relation.Schema.Fields)...)
	out.Filter, out.Project = r.erasedAll(op.Filter), r.erasedAll(op.Project)
	if op.Source != nil {
		source := *op.Source
		source.Computed = r.erasedAll(source.Computed)
		out.Source = &source
	}
	if op.Aggregate != nil {
		agg := *op.Aggregate
		agg.Keys, agg.Aggs = r.erasedAll(agg.Keys), append([]model.Agg(nil), agg.Aggs...)
		for i := range agg.Aggs {
			a := &agg.Aggs[i]
			a.Arg, a.By, a.Filter, a.Type = r.erasedExpr(a.Arg), r.erasedExpr(a.By), r.erasedExpr(a.Filter), plain(a.Type)
		}
		out.Aggregate = &agg
	}
	if op.Join != nil {
		join := *op.Join
		join.LeftKeys, join.RightKeys, join.On = r.erasedAll(join.LeftKeys), r.erasedAll(join.RightKeys), r.erasedAll(join.On)
		out.Join = &join
	}
	if op.Unnest != nil {
		unnest := *op.Unnest
		unnest.Array = r.erasedExpr(unnest.Array)
		out.Unnest = &unnest
	}
	return &out
}

func plainFields(fields []stream.Field) []stream.Field {
	out := cloneFields(fields)
	for i := range out {
		out[i].Type = plain(out[i].Type)
	}
	return out
}

func (r *resolver) erasedAll(exprs []*model.Expr) []*model.Expr {
	if exprs == nil {
		return nil
	}
	out := make([]*model.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = r.erasedExpr(e)
	}
	return out
}

// erasedExpr is an expression without TIMESTAMP_LTZ; nodes that have nothing to do with it
// are shared.
func (r *resolver) erasedExpr(e *model.Expr) *model.Expr {
	if e == nil {
		return nil
	}
	c := *e
	changed := e.Type == ltz
	c.Type = plain(e.Type)
	if e.Kind == model.LiteralExpr {
		c.Literal.Type = plain(e.Literal.Type)
	}
	if len(e.Args) > 0 {
		c.Args = r.erasedAll(e.Args)
	}
	for i, a := range e.Args {
		changed = changed || c.Args[i] != a
	}
	switch {
	case !changed && e.Func != sameInstant:
		return e
	case e.Func == sameInstant:
		return c.Args[0]
	case (e.Func == "cast" || e.Func == "try_cast") && len(e.Args) == 1:
		return r.erasedCast(&c, e.Args[0].Type, e.Type)
	}
	return &c
}

// erasedCast is a cast from or to TIMESTAMP_LTZ; c has its erased argument.
func (r *resolver) erasedCast(c *model.Expr, from, to stream.Type) *model.Expr {
	arg, z := c.Args[0], r.zone()
	inZone := func(fn string, e *model.Expr) *model.Expr {
		if z == zone.UTC {
			return e
		}
		return model.Call(fn, stream.Timestamp, e, zoneName(z))
	}
	switch {
	case from != ltz && to != ltz || from == to:
		return c
	case to == ltz && isText(arg):
		if t, ok := zone.Parse(arg.Literal.S, z, stream.ParseTimestamp); ok {
			return model.Lit(stream.Time(t))
		}
	case to == ltz && isLiteral(arg) && from == stream.Timestamp && !arg.Literal.Null:
		if t, ok := z.Instant(arg.Literal.I); ok {
			return model.Lit(stream.Time(t))
		}
	}
	switch {
	case from == stream.Varchar && c.Func == "cast":
		return model.Call("zone_read", stream.Timestamp, arg, zoneName(z))
	case from == stream.Varchar:
		return model.Call("zone_try_read", stream.Timestamp, arg, zoneName(z))
	case from == stream.Timestamp:
		return inZone("zone_instant", arg)
	case from == stream.Date:
		return inZone("zone_instant", c)
	case to == stream.Varchar && z != zone.UTC:
		return model.Call("zone_text", stream.Varchar, arg, zoneName(z))
	case to == stream.Timestamp:
		return inZone("zone_reading", arg)
	}
	c.Args = []*model.Expr{inZone("zone_reading", arg)} // its DATE or TIME
	return c
}
