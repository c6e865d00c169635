package optest

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// nested returns a value of an ARRAY or a ROW.
func (g *Gen) nested(t stream.Type) stream.Value {
	var items []stream.Value
	for _, m := range t.Members() {
		items = append(items, g.Value(m.Type, 20))
	}
	if t.IsArray() {
		for range g.IntN(5) {
			items = append(items, g.Value(t.Element(), 20))
		}
	}
	return stream.Nested(t, items...)
}

// addNested enters the functions that no signature describes.
func (g *Gen) addNested(f *function.Function) {
	for _, t := range stream.Types {
		switch {
		case !t.IsRow():
		case f.Name == "row":
			g.byType[t] = append(g.byType[t], call{f: f, generic: t})
		case f.Name == "member":
			for _, m := range t.Members() {
				g.byType[m.Type] = append(g.byType[m.Type], call{f: f, generic: t})
			}
		}
	}
}

// rowOf is ROW(..) of type t.
func (g *Gen) rowOf(t stream.Type, depth int) *model.Expr {
	var args []*model.Expr
	for _, m := range t.Members() {
		args = append(args, g.Expr(m.Type, depth-1))
	}
	return model.Call("row", t, args...)
}

// memberOf is a member of type t of a row.
func (g *Gen) memberOf(row, t stream.Type, depth int) *model.Expr {
	for {
		n := g.IntN(len(row.Members()))
		if row.Members()[n].Type == t {
			return model.Call("member", t, g.Expr(row, depth-1), model.Lit(stream.Int(int32(n+1))))
		}
	}
}

// filled is what a type of a signature is if stream.Invalid is t there.
func filled(a, t stream.Type) stream.Type {
	switch {
	case a == stream.Invalid:
		return t
	case function.IsAnyArray(a):
		return stream.Array(t)
	}
	return a
}

func isGeneric(a stream.Type) bool { return a == stream.Invalid || function.IsAnyArray(a) }
