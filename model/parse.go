package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/stream"
)

// ParseError is a mistake in a model's text form.
type ParseError struct {
	Line, Column int // 1-based; columns count bytes
	Message      string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("model:%d:%d: %s", e.Line, e.Column, e.Message)
}

// Parse reads the text form that Format writes. What it returns is well-formed text,
// not yet a model that makes sense: call Verify before running it. Errors are
// *ParseError.
func Parse(text string) (*Model, error) {
	p := &parser{m: &Model{}}
	for i, line := range strings.Split(text, "\n") {
		p.scanner = scanner{line: strings.TrimSuffix(line, "\r"), number: i + 1}
		p.next()
		p.parseLine()
		if p.err != nil {
			return nil, p.err
		}
	}
	if !p.header {
		return nil, &ParseError{Line: 1, Column: 1, Message: fmt.Sprintf("a model begins with the line %q", TextHeader)}
	}
	p.finish()
	return p.m, nil
}

// parser reads one line at a time; op is the operator whose block it is in.
type parser struct {
	scanner
	m      *Model
	op     *Operator
	header bool
	exprs  []*Expr // behind the "=" of the operator's columns so far
}

func (p *parser) parseLine() {
	switch {
	case p.tok.kind == endOfLine:
	case !p.header:
		if strings.TrimSpace(p.line) != TextHeader {
			p.fail("a model begins with the line %q", TextHeader)
		}
		p.header = true
	case p.tok.kind == hashToken:
		p.finish()
		p.operator()
		p.end()
	case p.op == nil:
		p.fail("an operator begins with # and its number")
	default:
		p.attribute()
		p.end()
	}
}

func (p *parser) operator() {
	id := p.hash()
	if p.err == nil && int(id) != len(p.m.Ops) {
		p.fail("this is operator #%d, not #%d", len(p.m.Ops), id)
	}
	kindText := p.word("the kind of operator")
	kind, ok := ParseKind(kindText)
	if p.err == nil && !ok {
		p.fail("there is no operator kind %q", kindText)
	}
	op := &Operator{ID: id, Kind: kind, Name: p.name("the operator's name"), Relation: Relation{Schema: &stream.Schema{}, Time: -1}}
	if p.skip("<-") {
		op.Inputs = append(op.Inputs, p.edge())
		for p.skip(",") {
			op.Inputs = append(op.Inputs, p.edge())
		}
	}
	switch kind {
	case SourceOp:
		op.Source = &Source{}
	case AggregateOp:
		op.Aggregate = &Aggregate{}
	case JoinOp, LookupOp:
		op.Join = &Join{}
	case SinkOp:
		op.Sink = &Sink{}
	case SortOp:
		op.Sort = &Sort{Limit: -1}
	case UnnestOp:
		op.Unnest = &Unnest{}
	}
	p.op, p.exprs = op, nil
}

// finish ends the block that is open.
func (p *parser) finish() {
	op := p.op
	if op == nil {
		return
	}
	switch op.Kind {
	case SourceOp:
		op.Source.Computed = p.exprs
	case ProjectOp:
		op.Project = p.exprs
	}
	p.m.Ops = append(p.m.Ops, op)
	p.op = nil
}

func (p *parser) edge() Edge {
	e := Edge{Op: p.hash(), Port: Out}
	if p.skip(".") {
		e.Port = Port(p.word("a port"))
	}
	return e
}

// attributes reads the rest of an indented line, by its first word.
var attributes map[string]func(p *parser)

func init() {
	attributes = map[string]func(p *parser){
		"connector": (*parser).connector,
		"option":    (*parser).option,
		"watermark": func(p *parser) {
			p.expect("delay")
			p.micros(func(s *Source) *int64 { return &s.WatermarkDelayMicros })
		},
		"jump":      func(p *parser) { p.expect("max"); p.micros(func(s *Source) *int64 { return &s.MaxJumpMicros }) },
		"idle":      func(p *parser) { p.expect("timeout"); p.micros(func(s *Source) *int64 { return &s.IdleTimeoutMicros }) },
		"late":      (*parser).late,
		"result":    (*parser).result,
		"where":     func(p *parser) { p.op.Filter = append(p.op.Filter, p.expr()) },
		"window":    func(p *parser) { p.op.Window = p.window() },
		"key":       (*parser).key,
		"agg":       (*parser).agg,
		"peak":      (*parser).peak,
		"match":     (*parser).match,
		"on":        (*parser).on,
		"outer":     (*parser).outer,
		"elements":  func(p *parser) { p.unnest(func(u *Unnest) { u.Array = p.expr() }) },
		"numbered":  func(p *parser) { p.unnest(func(u *Unnest) { u.Ordinality = true }) },
		"emit":      (*parser).emit,
		"column":    (*parser).column,
		"as":        (*parser).asInput,
		"time":      func(p *parser) { p.op.Relation.Time = p.index() },
		"carries":   func(p *parser) { p.op.Relation.Window = p.window() },
		"bounded":   func(p *parser) { p.op.Relation.Bounded = true },
		"order":     (*parser).order,
		"offset":    func(p *parser) { p.sorted(func(s *Sort) { s.Offset = p.int64("a number of rows") }) },
		"limit":     func(p *parser) { p.sorted(func(s *Sort) { s.Limit = p.int64("a number of rows") }) },
		"groups":    func(p *parser) { p.sorted(func(s *Sort) { s.Groups = int(p.int64("a number of keys")) }) },
		"number":    func(p *parser) { p.sorted(func(s *Sort) { s.Number = true }) },
		"changelog": func(p *parser) { p.op.Relation.Changelog = true },
	}
}

func (p *parser) attribute() {
	at := p.tok.column
	keyword := p.word("a line of an operator")
	read, ok := attributes[keyword]
	if p.err == nil && !ok {
		p.failAt(at, "there is no line %q in an operator", keyword)
	}
	if p.err == nil {
		read(p)
	}
}

func (p *parser) connector() {
	name := p.name("the connector's name")
	switch {
	case p.op.Source != nil:
		p.op.Source.Connector = name
	case p.op.Sink != nil:
		p.op.Sink.Connector = name
	default:
		p.fail("a %s has no connector", p.op.Kind)
	}
}

func (p *parser) option() {
	var options *map[string]string
	switch {
	case p.op.Source != nil:
		options = &p.op.Source.Options
	case p.op.Sink != nil:
		options = &p.op.Sink.Options
	default:
		p.fail("a %s has no options", p.op.Kind)
		return
	}
	if *options == nil {
		*options = map[string]string{}
	}
	key := p.name("an option")
	(*options)[key] = p.text("the option's value")
}

func (p *parser) micros(field func(*Source) *int64) {
	if p.op.Source == nil {
		p.fail("a %s has no times; they belong to a source", p.op.Kind)
		return
	}
	*field(p.op.Source) = p.int64("microseconds")
}

func (p *parser) late() {
	p.expect("drop")
	if p.op.Source == nil {
		p.fail("a %s has no late rows", p.op.Kind)
		return
	}
	p.op.Source.Late = LateDrop
}

func (p *parser) result() {
	n := p.index()
	if p.op.Sink == nil {
		p.fail("a %s is no result", p.op.Kind)
		return
	}
	p.op.Sink.Result = n
}

// on is a join's condition, or "on error fail".
func (p *parser) on() {
	if p.tok.kind == wordToken && p.tok.text == "error" && !p.followedBy('(') {
		p.next()
		p.expect("fail")
		switch {
		case p.op.Source != nil:
			p.op.Source.OnError = ErrorsFail
		case p.op.Sink != nil:
			p.op.Sink.OnError = ErrorsFail
		default:
			p.fail("a %s has no error policy", p.op.Kind)
		}
		return
	}
	e := p.expr()
	if p.op.Join == nil {
		p.fail("a %s has no join condition", p.op.Kind)
		return
	}
	p.op.Join.On = append(p.op.Join.On, e)
}

func (p *parser) match() {
	left := p.expr()
	p.expect("=")
	right := p.expr()
	if p.op.Join == nil {
		p.fail("a %s has no join keys", p.op.Kind)
		return
	}
	p.op.Join.LeftKeys = append(p.op.Join.LeftKeys, left)
	p.op.Join.RightKeys = append(p.op.Join.RightKeys, right)
}

func (p *parser) unnest(set func(u *Unnest)) {
	if p.op.Unnest == nil {
		p.fail("a %s has no elements", p.op.Kind)
		return
	}
	set(p.op.Unnest)
}

func (p *parser) outer() {
	if p.op.Unnest != nil {
		p.op.Unnest.Outer = true
		return
	}
	if p.op.Join == nil {
		p.fail("a %s is no join", p.op.Kind)
		return
	}
	p.op.Join.Outer = true
}

func (p *parser) key() {
	e := p.expr()
	if p.op.Aggregate == nil {
		p.fail("a %s has no keys", p.op.Kind)
		return
	}
	p.op.Aggregate.Keys = append(p.op.Aggregate.Keys, e)
}

func (p *parser) agg() {
	g := Agg{Func: AggFunc(p.name("an aggregate function"))}
	p.expect("(")
	if !p.skip("*") {
		if p.tok.kind == wordToken && p.tok.text == "distinct" && !p.followedBy('(') {
			p.next()
			g.Distinct = true
		}
		if !g.Distinct || !p.skip("*") {
			g.Arg = p.expr()
		}
	}
	p.expect(")")
	p.expect(":")
	g.Type = p.sqlType()
	if p.skip("by") {
		g.By = p.expr()
		g.Descending, g.NullsFirst = p.skip("desc"), p.skip("nulls-first")
	}
	for p.skip("with") {
		if e := p.expr(); e.Kind == LiteralExpr {
			g.Params = append(g.Params, e.Literal)
		} else {
			p.fail("a parameter is a literal")
		}
	}
	if p.skip("filter") {
		g.Filter = p.expr()
	}
	if p.op.Aggregate == nil {
		p.fail("a %s has no aggregates", p.op.Kind)
		return
	}
	p.op.Aggregate.Aggs = append(p.op.Aggregate.Aggs, g)
}

func (p *parser) peak() {
	peak := &Peak{Func: AggFunc(p.name("max or min"))}
	peak.Column = p.index()
	if p.op.Aggregate == nil {
		p.fail("a %s has no peak", p.op.Kind)
		return
	}
	p.op.Aggregate.Peak = peak
}

func (p *parser) emit() {
	mode := p.word("istream, rstream or dstream")
	for i, name := range emitModeNames {
		if name == mode {
			p.op.Emit = EmitMode(i)
			return
		}
	}
	p.fail("there is no emit mode %q; it is istream, rstream or dstream", mode)
}

func (p *parser) window() *Window {
	form := p.word("the form of the window")
	kind, ok := ParseWindowKind(form)
	if p.err == nil && !ok {
		p.fail("there is no window form %q", form)
	}
	w := &Window{Kind: kind}
	p.expect("size")
	w.Size = p.int64("a size")
	if p.skip("slide") {
		w.Slide = p.int64("a slide")
	}
	if p.skip("by") {
		w.PartitionBy = append(w.PartitionBy, p.columnNumber())
		for p.skip(",") {
			w.PartitionBy = append(w.PartitionBy, p.columnNumber())
		}
	}
	return w
}

func (p *parser) column() {
	fields := &p.op.Relation.Schema.Fields
	if i := p.index(); p.err == nil && i != len(*fields) {
		p.fail("this is column %d, not %d", len(*fields), i)
	}
	f := stream.Field{Name: p.name("the column's name"), Type: p.sqlType()}
	if p.skip("not") {
		p.expect("null")
		f.NotNull = true
	}
	f.Hidden = p.skip("hidden")
	if p.skip("role") {
		name := p.word("a role")
		role, ok := stream.ParseRole(name)
		if p.err == nil && !ok {
			p.fail("there is no role %q", name)
		}
		f.Role = role
	}
	var e *Expr
	if p.skip("=") {
		e = p.expr()
	}
	*fields = append(*fields, f)
	switch {
	case p.op.Kind == SourceOp || e != nil && p.op.Kind == ProjectOp:
		p.exprs = append(p.exprs, e)
	case p.op.Kind == ProjectOp:
		p.fail("a projection's column needs = and an expression")
	case e != nil:
		p.fail("a column of a %s has no expression", p.op.Kind)
	}
}

func (p *parser) asInput() {
	p.expect("input")
	if p.err != nil {
		return
	}
	if len(p.op.Inputs) == 0 {
		p.fail("the operator has no input")
		return
	}
	e := p.op.Inputs[0]
	if int(e.Op) >= len(p.m.Ops) {
		p.fail("#%d is not an operator before this one", e.Op)
		return
	}
	p.op.Relation = p.m.EdgeRelation(e)
	p.op.Relation.Schema = stream.NewSchema(slices.Clone(p.op.Relation.Schema.Fields)...) // lines below may add to it
}
