package model

import "github.com/millrace/millrace/stream"

// ExprKind tells the three forms of an expression.
type ExprKind uint8

// The forms.
const (
	ColumnExpr  ExprKind = iota // column Column of the operator's input row
	LiteralExpr                 // Literal, already of the expression's Type
	CallExpr                    // Func applied to Args; see model/function for every name
)

// Expr is a typed scalar expression over the rows of one relation (for a join's
// residual condition: the left row's columns followed by the right's). It is
// immutable; rewriting makes new nodes.
//
// Operators, CASE and CAST are calls too: "add", "eq", "and", "case" (condition,
// value, condition, value, .., else), "cast" and "try_cast" (to Type). The resolver
// inserts casts so that arguments have exactly the types a signature names.
type Expr struct {
	Kind    ExprKind
	Type    stream.Type
	Column  int
	Literal stream.Value
	Func    string
	Args    []*Expr
}

// Col returns a reference to column i of type t.
func Col(i int, t stream.Type) *Expr { return &Expr{Kind: ColumnExpr, Column: i, Type: t} }

// Lit returns a literal.
func Lit(v stream.Value) *Expr { return &Expr{Kind: LiteralExpr, Literal: v, Type: v.Type} }

// Call returns f(args..) of type t.
func Call(f string, t stream.Type, args ...*Expr) *Expr {
	return &Expr{Kind: CallExpr, Func: f, Type: t, Args: args}
}

// Walk calls f for e and everything below it, parents first.
func (e *Expr) Walk(f func(*Expr)) {
	if e == nil {
		return
	}
	f(e)
	for _, a := range e.Args {
		a.Walk(f)
	}
}

// Columns calls f with every column that e reads, repeats included.
func (e *Expr) Columns(f func(column int)) {
	e.Walk(func(x *Expr) {
		if x.Kind == ColumnExpr {
			f(x.Column)
		}
	})
}

// Rewrite returns e with f applied bottom-up to every node; nodes f returns unchanged
// are shared.
func (e *Expr) Rewrite(f func(*Expr) *Expr) *Expr {
	if e == nil {
		return nil
	}
	args, changed := e.Args, false
	for i, a := range e.Args {
		if n := a.Rewrite(f); n != a {
			if !changed {
				args, changed = append([]*Expr(nil), e.Args...), true
			}
			args[i] = n
		}
	}
	if changed {
		c := *e
		c.Args = args
		e = &c
	}
	return f(e)
}

// Equal reports whether two expressions are the same.
func (e *Expr) Equal(o *Expr) bool {
	if e == nil || o == nil {
		return e == o
	}
	if e.Kind != o.Kind || e.Type != o.Type || e.Column != o.Column || e.Func != o.Func || len(e.Args) != len(o.Args) || !equalLiteral(e.Literal, o.Literal) {
		return false
	}
	for i := range e.Args {
		if !e.Args[i].Equal(o.Args[i]) {
			return false
		}
	}
	return true
}
