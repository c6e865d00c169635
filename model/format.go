package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/stream"
)

// The text form of a model: a header line, then a block per operator - a line with its
// number, kind, name and inputs, and indented lines of what it does and what it puts
// out. "--" begins a comment; Format writes expressions and times there as people
// read them, and Parse skips them.
//
//	millrace model 1
//
//	#0 source vehicles
//	  connector file
//	  option path "vehicles.csv"
//	  watermark delay 5000000 -- 5s
//	  column 0 ts TIMESTAMP
//	  column 1 speed REAL
//	  time 0
//	  bounded
//
//	#1 filter slow <- #0
//	  where lt($1:REAL, 40:REAL):BOOLEAN -- speed < 40
//	  as input
//
// An input is #1 (port out) or #0.late. A column is $ and its number in the operator's
// input; everything has its type behind a colon. "as input" says that the relation is
// that of the first input; otherwise there is a line for each column (behind "=": the
// expression of a projection's or computed column), and where they apply "time" (the
// event-time column), "carries" (a window) and "bounded".

// TextHeader is the first line of the text form.
const TextHeader = "millrace model 1"

// Format returns the model's text form. Parse reads it back to an equal model, if the
// model is one that Verify accepts.
func Format(m *Model) string {
	f := &formatter{m: m}
	f.b.WriteString(TextHeader + "\n")
	for _, op := range m.Ops {
		f.operator(op)
	}
	return f.b.String()
}

// FormatOperator returns one operator's block.
func FormatOperator(m *Model, op *Operator) string {
	f := &formatter{m: m}
	f.operator(op)
	return strings.TrimPrefix(f.b.String(), "\n")
}

type formatter struct {
	m *Model
	b strings.Builder
}

// line writes words between blanks, indented.
func (f *formatter) line(words ...string) {
	f.b.WriteString("  " + strings.Join(words, " ") + "\n")
}

func (f *formatter) operator(op *Operator) {
	f.b.WriteString("\n#" + strconv.Itoa(int(op.ID)) + " " + op.Kind.String() + " " + word(op.Name))
	for i, e := range op.Inputs {
		f.b.WriteString([]string{" <- ", ", "}[min(i, 1)] + e.String())
	}
	f.b.WriteByte('\n')
	in := f.inputFields(op)
	switch {
	case op.Source != nil:
		f.source(op)
	case op.Window != nil:
		f.line(windowWords("window", op.Window)...)
	case op.Aggregate != nil:
		f.aggregate(op.Aggregate, in)
	case op.Join != nil:
		f.join(op, in)
	case op.Sink != nil:
		f.sink(op.Sink)
	case op.Sort != nil:
		f.sort(op.Sort, in)
	case op.Unnest != nil:
		f.unnest(op.Unnest, in)
	case op.Kind == EmitOp:
		f.line("emit", op.Emit.String())
	}
	for _, e := range op.Filter {
		f.line(exprWords("where", e, in)...)
	}
	f.relation(op, in)
}

// inputFields are the columns that the operator's expressions read: the first input's,
// for a join both inputs', for a source its own.
func (f *formatter) inputFields(op *Operator) []stream.Field {
	if op.Kind == SourceOp && op.Relation.Schema != nil {
		return op.Relation.Schema.Fields
	}
	var out []stream.Field
	for i := range op.Inputs {
		if i == 0 || op.Join != nil {
			out = append(out, f.fieldsOf(op.Inputs[i])...)
		}
	}
	return out
}

func (f *formatter) fieldsOf(e Edge) []stream.Field {
	if e.Op < 0 || int(e.Op) >= len(f.m.Ops) {
		return nil
	}
	if s := f.m.Schema(e); s != nil {
		return s.Fields
	}
	return nil
}

// String is how the text form and messages name an edge: #3, or #3.late.
func (e Edge) String() string {
	s := "#" + strconv.Itoa(int(e.Op))
	if e.Port != Out {
		s += "." + string(e.Port)
	}
	return s
}

func (f *formatter) source(op *Operator) {
	s := op.Source
	f.connector(s.Connector, s.Options)
	for _, t := range []struct {
		name   string
		micros int64
	}{{"watermark delay", s.WatermarkDelayMicros}, {"jump max", s.MaxJumpMicros}, {"idle timeout", s.IdleTimeoutMicros}} {
		if t.micros != 0 {
			f.line(t.name, strconv.FormatInt(t.micros, 10), "--", stream.FormatInterval(t.micros))
		}
	}
	if s.OnError == ErrorsFail {
		f.line("on error fail")
	}
	if s.Late == LateDrop {
		f.line("late drop")
	}
}

func (f *formatter) sink(s *Sink) {
	f.connector(s.Connector, s.Options)
	if s.OnError == ErrorsFail {
		f.line("on error fail")
	}
	if s.Connector == ResultConnector || s.Result != 0 {
		f.line("result", strconv.Itoa(s.Result))
	}
}

func (f *formatter) connector(name string, options map[string]string) {
	f.line("connector", word(name))
	for _, k := range slices.Sorted(maps.Keys(options)) {
		f.line("option", word(k), strconv.Quote(options[k]))
	}
}

func (f *formatter) unnest(u *Unnest, in []stream.Field) {
	f.line(exprWords("elements", u.Array, in)...)
	if u.Ordinality {
		f.line("numbered")
	}
	if u.Outer {
		f.line("outer")
	}
}

func (f *formatter) aggregate(a *Aggregate, in []stream.Field) {
	for _, k := range a.Keys {
		f.line(exprWords("key", k, in)...)
	}
	for _, g := range a.Aggs {
		arg := "*"
		if g.Arg != nil {
			arg = g.Arg.String()
		}
		if g.Distinct {
			arg = "distinct " + arg
		}
		words := []string{"agg", word(string(g.Func)) + "(" + arg + "):" + g.Type.String()}
		words = append(words, g.extraWords()...)
		if g.Filter != nil {
			words = append(words, "filter", g.Filter.String())
		}
		if g.Arg != nil || g.Filter != nil {
			words = append(words, "--", oneLine(g.sql(in)))
		}
		f.line(words...)
	}
	if p := a.Peak; p != nil {
		f.line("peak", word(string(p.Func)), strconv.Itoa(p.Column))
	}
}

func (f *formatter) join(op *Operator, in []stream.Field) {
	j := op.Join
	if j.Outer {
		f.line("outer")
	}
	for i := range min(len(j.LeftKeys), len(j.RightKeys)) {
		f.line("match", j.LeftKeys[i].String(), "=", j.RightKeys[i].String())
	}
	for _, e := range j.On {
		f.line(exprWords("on", e, in)...)
	}
}

// exprWords are an expression and, for a call, how people read it.
func exprWords(keyword string, e *Expr, in []stream.Field) []string {
	words := []string{keyword, e.String()}
	if e != nil && e.Kind == CallExpr {
		words = append(words, "--", oneLine(e.SQL(in)))
	}
	return words
}

func windowWords(keyword string, w *Window) []string {
	words := []string{keyword, w.Kind.String(), "size", strconv.FormatInt(w.Size, 10)}
	if !w.Kind.Instant() && w.Kind != Session {
		words = append(words, "slide", strconv.FormatInt(w.Slide, 10))
	}
	for i, c := range w.PartitionBy {
		words = append(words, []string{"by", ","}[min(i, 1)], "$"+strconv.Itoa(c))
	}
	if w.Kind.Timed() {
		words = append(words, "--", stream.FormatInterval(w.Size))
		if w.Kind.Spans() && w.Kind != Session {
			words = append(words, "every", stream.FormatInterval(w.Slide))
		}
	}
	return words
}

func (f *formatter) relation(op *Operator, in []stream.Field) {
	r := op.Relation
	if f.asInput(op) {
		f.line("as input")
		return
	}
	if r.Schema == nil {
		return
	}
	for i, field := range r.Schema.Fields {
		words := []string{"column", strconv.Itoa(i), word(field.Name), field.Type.String()}
		if field.NotNull {
			words = append(words, "not null")
		}
		if field.Hidden {
			words = append(words, "hidden")
		}
		if field.Role != stream.NoRole {
			words = append(words, "role", field.Role.String())
		}
		if e := op.columnExpr(i); e != nil {
			words = append(words, exprWords("=", e, in)...)
		}
		f.line(words...)
	}
	if r.Time >= 0 {
		f.line("time", strconv.Itoa(r.Time))
	}
	if r.Window != nil {
		f.line(windowWords("carries", r.Window)...)
	}
	if r.Bounded {
		f.line("bounded")
	}
	if r.Changelog {
		f.line("changelog")
	}
}

// columnExpr is what output column i is computed from; nil where that is no expression
// of its own.
func (op *Operator) columnExpr(i int) *Expr {
	switch {
	case op.Kind == ProjectOp && i < len(op.Project):
		return op.Project[i]
	case op.Source != nil && i < len(op.Source.Computed):
		return op.Source.Computed[i]
	}
	return nil
}

// asInput: the relation is the first input's, and the operator puts nothing on columns.
func (f *formatter) asInput(op *Operator) bool {
	if len(op.Inputs) == 0 || op.Kind == ProjectOp || op.Relation.Schema == nil {
		return false
	}
	e := op.Inputs[0]
	if e.Op < 0 || e.Op >= op.ID || int(e.Op) >= len(f.m.Ops) {
		return false
	}
	in := f.m.EdgeRelation(e)
	return in.Schema != nil && equalRelation(&in, &op.Relation)
}

// word writes a name: bare if it looks like one, else quoted.
func word(s string) string {
	if isWord(s) {
		return s
	}
	return strconv.Quote(s)
}

func isWord(s string) bool {
	for i := range len(s) {
		if !wordByte(s[i], i == 0) {
			return false
		}
	}
	return s != ""
}

func wordByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '$':
		return true
	case c >= '0' && c <= '9', c == '.', c == '/':
		return !first
	}
	return false
}

// CommentBytesMax is how long a comment of Format grows; the rest is cut.
const CommentBytesMax = 200

// oneLine makes text fit for a comment: no line ends, no odd characters, not long.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "?")
	clean := strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	clean = strings.TrimSpace(clean)
	if len(clean) <= CommentBytesMax {
		return clean
	}
	return strings.ToValidUTF8(clean[:CommentBytesMax], "") + "..."
}
