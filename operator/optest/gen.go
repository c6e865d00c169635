package optest

import (
	"flag"
	"math/rand/v2"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// FirstSeed is where random tests begin: go test ./operator -optest.seed=N repeats a run
// that failed with seed N as its first, and other values look elsewhere.
var FirstSeed = flag.Uint64("optest.seed", 0, "first seed of random tests")

// Gen makes random expressions over a schema. The same seed makes the same ones.
type Gen struct {
	*rand.Rand
	Schema *stream.Schema
	// NoErr makes expressions that cannot fail.
	NoErr  bool
	byType map[stream.Type][]call
}

// call is an overload that gives a type, generic arguments being of type generic.
type call struct {
	f       *function.Function
	sig     function.Signature
	generic stream.Type
}

// NewGen returns a generator of expressions over the schema.
func NewGen(seed uint64, schema *stream.Schema) *Gen {
	g := &Gen{Rand: rand.New(rand.NewPCG(seed, 0x6d696c6c)), Schema: schema, byType: map[stream.Type][]call{}}
	for _, f := range function.All() {
		for range weight(f) {
			for _, s := range f.Signatures {
				g.addCalls(f, s)
			}
		}
		g.addNested(f)
		if f.Name == "case" {
			for _, t := range stream.Types {
				g.byType[t] = append(g.byType[t], call{f: f, generic: t})
			}
		}
	}
	return g
}

// weight is how much more often a function is drawn: what queries are made of must not be
// seldom among the many functions that they sometimes call.
func weight(f *function.Function) int {
	switch f.Category {
	case "arithmetic", "comparison", "logic", "conditional":
		return 4
	}
	return 1
}

// addCalls enters an overload under every type it can give.
func (g *Gen) addCalls(f *function.Function, s function.Signature) {
	if !slices.ContainsFunc(s.Args, isGeneric) {
		g.byType[s.Result] = append(g.byType[s.Result], call{f, s, stream.Invalid})
		return
	}
	for _, t := range stream.Types {
		if t == stream.JSON && slices.ContainsFunc(s.Args, function.IsAnyArray) {
			continue // no part of an array
		}
		result := filled(s.Result, t)
		g.byType[result] = append(g.byType[result], call{f, s, t})
	}
}

// Type returns any type.
func (g *Gen) Type() stream.Type { return stream.Types[g.IntN(len(stream.Types))] }

// Expr returns an expression of type t, at most depth calls deep.
func (g *Gen) Expr(t stream.Type, depth int) *model.Expr {
	if depth <= 0 || g.IntN(8) == 0 {
		return g.leaf(t)
	}
	calls := g.byType[t]
	for {
		e := g.call(calls[g.IntN(len(calls))], t, depth)
		if e == nil || g.NoErr && e.MayErr() {
			if g.IntN(4) == 0 {
				return g.leaf(t)
			}
			continue
		}
		return e
	}
}

// leaf is a column of the type, or a literal.
func (g *Gen) leaf(t stream.Type) *model.Expr {
	var columns []int
	for i, f := range g.Schema.Fields {
		if f.Type == t {
			columns = append(columns, i)
		}
	}
	if len(columns) > 0 && g.IntN(4) != 0 {
		return model.Col(columns[g.IntN(len(columns))], t)
	}
	return model.Lit(g.Value(t, 10))
}

func (g *Gen) call(c call, t stream.Type, depth int) *model.Expr {
	switch c.f.Name {
	case "cast", "try_cast":
		if arg := g.decimals(depth - 1); g.IntN(4) == 0 && model.CastAllowed(arg.Type, t) {
			return model.Call(c.f.Name, t, arg)
		}
		from := g.Type()
		if !model.CastAllowed(from, t) {
			return nil
		}
		return model.Call(c.f.Name, t, g.Expr(from, depth-1))
	case "case":
		return g.caseOf(t, depth)
	case "row":
		return g.rowOf(t, depth)
	case "member":
		return g.memberOf(c.generic, t, depth)
	}
	var args []*model.Expr
	count := len(c.sig.Args)
	if c.sig.Variadic {
		count += g.IntN(4)
		if c.f.Name == "in" && g.IntN(4) == 0 {
			return g.inList(c.generic, depth)
		}
	}
	for i := range count {
		a := filled(c.sig.Args[min(i, len(c.sig.Args)-1)], c.generic)
		args = append(args, g.argument(c.f.Name, i, a, depth))
	}
	return model.Call(c.f.Name, t, args...)
}

// argument prefers values that make sense where others would only ever fail.
func (g *Gen) argument(f string, i int, t stream.Type, depth int) *model.Expr {
	if g.IntN(8) != 0 {
		if e := g.sensible(f, i, t); e != nil {
			return e
		}
		switch {
		case f == "to_timestamp_ltz" && i == 1:
			return model.Lit(stream.Int([]int32{0, 3, 6}[g.IntN(3)]))
		case f == "like" && i == 1:
			return model.Lit(stream.Text(g.pattern()))
		case f == "like" && i == 2:
			return model.Lit(stream.Text("#"))
		case f == "substring" && i > 0:
			return model.Lit(stream.Big(g.Int64N(8) - 1))
		}
	}
	return g.Expr(t, depth-1)
}

func (g *Gen) pattern() string {
	parts := []string{"%", "_", "a", "b", "ab", "é", `\%`, "#_", "世", ""}
	out := ""
	for range g.IntN(5) {
		out += parts[g.IntN(len(parts))]
	}
	return out
}

func (g *Gen) caseOf(t stream.Type, depth int) *model.Expr {
	var args []*model.Expr
	for range g.IntN(3) {
		args = append(args, g.Expr(stream.Boolean, depth-1), g.Expr(t, depth-1))
	}
	return model.Call("case", t, append(args, g.Expr(t, depth-1))...)
}

// inList is IN with many constants.
func (g *Gen) inList(t stream.Type, depth int) *model.Expr {
	args := []*model.Expr{g.Expr(t, depth-1)}
	for range 6 + g.IntN(10) {
		args = append(args, model.Lit(g.Value(t, 20)))
	}
	return model.Call("in", stream.Boolean, args...)
}

// CallOf returns a call of the named function, at most depth calls deep below it, or
// nil if luck was against it.
func (g *Gen) CallOf(name string, depth int) *model.Expr {
	for range 50 {
		t := g.Type()
		var calls []call
		for _, c := range g.byType[t] {
			if c.f.Name == name {
				calls = append(calls, c)
			}
		}
		if len(calls) == 0 {
			continue
		}
		if e := g.call(calls[g.IntN(len(calls))], t, depth); e != nil {
			return e
		}
	}
	return nil
}

// decimalTypes are types of the arguments of decimal arithmetic, beside those that columns
// have.
var decimalTypes = []stream.Type{stream.Decimal(12, 3), stream.Decimal(30, 8), stream.Decimal(1, 1), stream.Decimal(4, 0), stream.Decimal(18, 6),
	stream.Decimal(19, 0), stream.Decimal(38, 0), stream.Decimal(38, 38), stream.Decimal(38, 18)}

// decimals is a call that computes a DECIMAL, of the type that follows from its arguments.
func (g *Gen) decimals(depth int) *model.Expr {
	name := []string{"add", "sub", "mul", "div", "mod", "neg", "abs", "floor", "ceil", "round"}[g.IntN(10)]
	var args []*model.Expr
	for range 2 - g.IntN(2)*g.IntN(2) {
		args = append(args, g.decimalArgument(depth))
	}
	types := []stream.Type{args[0].Type}
	if _, ok := function.Decimal(name, types); ok {
		args = args[:1]
	} else {
		for len(args) < 2 {
			args = append(args, g.decimalArgument(depth))
		}
		types = append(types, args[1].Type)
	}
	t, _ := function.Decimal(name, types)
	return model.Call(name, t, args...)
}

func (g *Gen) decimalArgument(depth int) *model.Expr {
	t := decimalTypes[g.IntN(len(decimalTypes))]
	switch g.IntN(4) {
	case 0:
		return g.leaf(t)
	case 1:
		return model.Call("cast", t, g.leaf(g.numeric()))
	}
	return g.Expr(decimalTypes[g.IntN(2)], depth-1)
}

func (g *Gen) numeric() stream.Type {
	for {
		if t := g.Type(); t.IsNumeric() {
			return t
		}
	}
}
