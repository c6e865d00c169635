package sql

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Arrays meet in the type in which their elements do, rows of as many members in that in
// which these do, one by one; the names are those of the first.

// commonNested is commonType for nested types; Invalid if there is none.
func commonNested(a, b stream.Type) stream.Type {
	if a.IsArray() && b.IsArray() {
		if t := commonType(a.Element(), b.Element()); t != stream.Invalid {
			return stream.Array(t)
		}
		return stream.Invalid
	}
	left, right := a.Members(), b.Members()
	if len(left) != len(right) || len(left) == 0 {
		return stream.Invalid
	}
	members := make([]stream.Member, len(left))
	for i := range left {
		t := commonType(left[i].Type, right[i].Type)
		if t == stream.Invalid {
			return stream.Invalid
		}
		members[i] = stream.Member{Name: left[i].Name, Type: t}
	}
	return stream.RowOf(members...)
}

// widenNested is widenCost for nested types.
func widenNested(from, to stream.Type) int {
	if commonNested(to, from) != to {
		return 0
	}
	return 10
}

// array resolves ARRAY[..].
func (x *exprs) array(e *expr) (*model.Expr, error) {
	if len(e.args) == 0 {
		return nil, x.fail(e.span, "write CAST(ARRAY[] AS ARRAY<INTEGER>)", "an empty ARRAY needs a CAST that names its type")
	}
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	out, t, bad := unify(args)
	if out == nil {
		return nil, x.fail(e.args[bad[1]].span, "CAST one of them", "the elements of ARRAY have different types, %s and %s", args[bad[0]].Type, args[bad[1]].Type)
	}
	return x.nestedOf(e, "array", stream.Array(t), out)
}

// row resolves ROW(..).
func (x *exprs) row(e *expr) (*model.Expr, error) {
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	types := make([]stream.Type, len(args))
	for i := range args {
		args[i] = settle(args[i])
		types[i] = args[i].Type
	}
	return x.nestedOf(e, "row", function.RowType(types), args)
}

// unfitPart says why a part of t may not be in an ARRAY or a ROW, and what may instead;
// empty if all may. What instants read depends on the session, and parts have no session;
// nested values are compared, JSON is not.
func unfitPart(t stream.Type) (why, instead string) {
	parts := []stream.Type{t.Element()}
	for _, m := range t.Members() {
		parts = append(parts, m.Type)
	}
	switch {
	case slices.Contains(parts, ltz):
		return "TIMESTAMP_LTZ within ARRAY and ROW is not supported yet", "TIMESTAMP"
	case slices.Contains(parts, stream.JSON):
		return "JSON within ARRAY and ROW is not supported: they are compared, and JSON is not", "VARCHAR"
	}
	return "", ""
}

func (x *exprs) nestedOf(e *expr, fn string, t stream.Type, args []*model.Expr) (*model.Expr, error) {
	if why, instead := unfitPart(t); why != "" {
		return nil, x.fail(e.span, "CAST it to "+instead, "%s", why)
	}
	if !t.Valid() {
		return nil, x.fail(e.span, "", "a type nests at most %d deep, and a row has at most %d members", stream.NestingDepthMax, stream.RowMembersMax)
	}
	return model.Call(fn, t, args...), nil
}

// castParts resolves CAST(ARRAY[..] AS t) and CAST(ROW(..) AS t) part by part, so that
// parts without a type take that of t; ok is false for other forms.
func (x *exprs) castParts(e *expr) (out *model.Expr, ok bool, err error) {
	form, t := e.args[0], e.typ.typ
	switch {
	case e.try || form.kind != callExpr || !form.operator:
		return nil, false, nil
	case form.fn == "array" && t.IsArray() && len(form.args) == 0:
		return model.Lit(stream.Nested(t)), true, nil
	case form.fn == "array" && t.IsArray(), form.fn == "row" && len(form.args) == len(t.Members()):
	default:
		return nil, false, nil
	}
	args := make([]*model.Expr, len(form.args))
	for i, a := range form.args {
		part := typeNode{typ: t.Element(), span: e.typ.span}
		if members := t.Members(); members != nil {
			part.typ = members[i].Type
		}
		if args[i], err = x.cast(&expr{kind: castExpr, span: a.span, args: []*expr{a}, typ: part}); err != nil {
			return nil, true, err
		}
	}
	return model.Call(form.fn, t, args...), true, nil
}

// member resolves r.name behind any row.
func (x *exprs) member(e *expr) (*model.Expr, error) {
	row, err := x.resolve(e.args[0])
	if err != nil {
		return nil, err
	}
	return x.memberOf(row, e.path[0])
}

func (x *exprs) memberOf(row *model.Expr, n name) (*model.Expr, error) {
	members := row.Type.Members()
	var names []string
	for i, m := range members {
		if m.Name == n.text {
			return model.Call("member", m.Type, row, model.Lit(stream.Int(int32(i+1)))), nil
		}
		names = append(names, m.Name)
	}
	if members == nil {
		return nil, x.fail(n.span, "", "%s has no members, so there is no %q", row.Type, n.text)
	}
	hint := suggest(n.text, names)
	if hint == "" && len(names) <= 8 {
		hint = "it has " + strings.Join(names, ", ")
	}
	return nil, x.fail(n.span, hint, "the row has no member %q", n.text)
}

// path resolves relation.column.member.., and column.member.. where no relation has the
// first name.
func (x *exprs) path(path []name) (*model.Expr, error) {
	n := min(len(path), 2)
	if len(path) > 1 && (len(x.scope.named(path[0].text)) == 0) && x.isRow(path[0]) {
		n = 1
	}
	m, err := x.lookup(x.scope, path[:n])
	if err != nil {
		return nil, err
	}
	out := m.expr()
	for _, member := range path[n:] {
		if out, err = x.memberOf(out, member); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// isRow reports whether a column of the name is a row.
func (x *exprs) isRow(n name) bool {
	for _, t := range x.scope.tables {
		for _, i := range t.find(n.text) {
			if t.fields[i].Type.IsRow() {
				return true
			}
		}
	}
	return false
}

// joinArrays resolves || of which a side is an array.
func (x *exprs) joinArrays(e *expr, args []*model.Expr) (*model.Expr, error) {
	fn := "array_concat"
	if len(args) == 2 {
		a, b := args[0].Type, args[1].Type
		switch {
		case a.IsArray() && b.IsArray() && commonNested(a, b) != stream.Invalid:
		case a.IsArray() && (!b.IsArray() || commonType(a.Element(), b) != stream.Invalid):
			fn = "array_append"
		case b.IsArray():
			fn = "array_prepend"
			args[0], args[1] = args[1], args[0]
		}
	}
	c := *e
	c.fn, c.operator = fn, false
	return x.overload(&c, fn, args)
}

// ofArrays resolves a call of a function that takes arrays of any type: they meet, with
// the single elements among the arguments, in one type of elements.
func (x *exprs) ofArrays(e *expr, f *function.Function, args []*model.Expr) (*model.Expr, error) {
	counted := false
	for _, s := range f.Signatures {
		if len(args) < len(s.Args) || len(args) > len(s.Args) && !s.Variadic {
			continue
		}
		counted = true
		if out, types := arrayArguments(s, args); out != nil {
			return model.Call(f.Name, s.ResultFor(types), out...), nil
		}
	}
	if !counted {
		return nil, x.wrongCount(e, f, len(args))
	}
	return nil, x.fail(e.span, formsOf(f), "%s does not take (%s)", shownName(e, f), typeList(args))
}

func arrayArguments(s function.Signature, args []*model.Expr) (out []*model.Expr, types []stream.Type) {
	t := stream.Invalid
	for _, literals := range []bool{false, true} {
		for i, a := range args {
			want, has := s.Args[min(i, len(s.Args)-1)], a.Type
			switch {
			case isLiteral(a) != literals || has == stream.Invalid:
				continue
			case function.IsAnyArray(want):
				if has = has.Element(); has == stream.Invalid {
					return nil, nil
				}
			case want != stream.Invalid:
				continue
			}
			if literals && t != stream.Invalid && want == stream.Invalid {
				if _, ok := adapt(a, t); ok {
					continue
				}
			}
			if t = commonType(t, has); t == stream.Invalid {
				return nil, nil
			}
		}
	}
	switch t {
	case ltz, stream.JSON:
		return nil, nil
	case stream.Invalid:
		t = stream.Varchar
	}
	for i, a := range args {
		want := s.Args[min(i, len(s.Args)-1)]
		switch {
		case function.IsAnyArray(want):
			want = stream.Array(t)
		case want == stream.Invalid:
			want = t
		}
		n, ok := widen(a, want)
		if !ok {
			return nil, nil
		}
		out, types = append(out, n), append(types, want)
	}
	return out, types
}

// textElements gives ARRAY_JOIN the texts of other elements.
func textElements(fn string, args []*model.Expr) {
	texts := stream.Array(stream.Varchar)
	if fn == "array_join" && len(args) > 0 && args[0].Type.IsArray() && args[0].Type != texts && model.CastAllowed(args[0].Type, texts) {
		args[0] = model.Call("cast", texts, args[0])
	}
}
