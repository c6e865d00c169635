package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/stream"
)

// outlineWidth is where lines of an outline are broken, in characters.
const outlineWidth = 78

// Outline is a model as people read it: what each operator does, in the words of SQL,
// without the columns and types of every edge, which Format has. If filled is not nil,
// it tells which columns of a source's schema are read at all.
func Outline(m *Model, filled func(source *Operator) []bool) string {
	var b strings.Builder
	for _, op := range m.Ops {
		fmt.Fprintf(&b, "  #%d %s %s", op.ID, op.Kind, op.Name)
		for i, e := range op.Inputs {
			b.WriteString([]string{" <- ", ", "}[min(i, 1)] + e.String())
		}
		b.WriteByte('\n')
		o := outliner{m: m, op: op}
		for _, parts := range o.lines(filled) {
			wrap(&b, parts)
		}
	}
	return b.String()
}

// wrap writes parts that are joined by ", " as indented lines.
func wrap(b *strings.Builder, parts []string) {
	const indent = "       "
	line := indent
	for i, part := range parts {
		part = oneLine(part)
		if i < len(parts)-1 {
			part += ","
		}
		if line != indent && len(line)+1+len(part) > outlineWidth {
			b.WriteString(line + "\n")
			line = indent + "  "
		} else if line != indent {
			line += " "
		}
		line += part
	}
	b.WriteString(line + "\n")
}

// outliner tells what one operator does.
type outliner struct {
	m  *Model
	op *Operator
}

func (o *outliner) lines(filled func(*Operator) []bool) (out [][]string) {
	in := o.fields()
	if len(o.op.Filter) > 0 {
		var all []string
		for _, e := range o.op.Filter {
			all = append(all, e.SQL(in))
		}
		out = append(out, []string{"WHERE " + strings.Join(all, " AND ")})
	}
	switch {
	case o.op.Source != nil:
		return append(out, o.source(filled)...)
	case o.op.Sink != nil:
		return append(out, o.sink()...)
	case o.op.Window != nil:
		return append(out, []string{o.window()})
	case o.op.Aggregate != nil:
		return append(out, o.aggregate(in)...)
	case o.op.Join != nil:
		return append(out, []string{map[bool]string{true: "LEFT JOIN "}[o.op.Join.Outer] + "ON " + strings.Join(o.conditions(in), " AND ")})
	case o.op.Sort != nil:
		return append(out, o.sort(in)...)
	case o.op.Unnest != nil:
		return append(out, []string{o.op.Unnest.sql(in)})
	case o.op.Kind == EmitOp:
		return append(out, []string{strings.ToUpper(o.op.Emit.String())})
	case o.op.Kind == ProjectOp:
		return append(out, o.project(in))
	}
	return out
}

// fields are what expressions read; those of a join tell the sides apart.
func (o *outliner) fields() []stream.Field {
	f := formatter{m: o.m}
	if o.op.Join == nil {
		return f.inputFields(o.op)
	}
	var out []stream.Field
	for i, side := range []string{"left", "right"} {
		for _, field := range f.fieldsOf(o.op.Inputs[i]) {
			field.Name = side + "." + field.Name
			out = append(out, field)
		}
	}
	return out
}

func (o *outliner) source(filled func(*Operator) []bool) (out [][]string) {
	s, r := o.op.Source, &o.op.Relation
	out = append(out, options(s.Connector, s.Options))
	if r.Time >= 0 {
		time := []string{"event time " + r.Schema.Fields[r.Time].Name, stream.FormatInterval(s.WatermarkDelayMicros) + " of disorder allowed"}
		if s.Late == LateDrop {
			time = append(time, "late rows are dropped")
		}
		out = append(out, time)
	}
	if s.OnError == ErrorsFail {
		out = append(out, []string{"fails at the first record that cannot be read"})
	}
	var read, passed []string
	var need []bool
	if filled != nil {
		need = filled(o.op)
	}
	for i, f := range r.Schema.Fields {
		switch {
		case i < len(s.Computed) && s.Computed[i] != nil:
			read = append(read, f.Name+" = "+s.Computed[i].SQL(r.Schema.Fields))
		case need == nil || i < len(need) && need[i]:
			read = append(read, f.Name)
		default:
			passed = append(passed, f.Name)
		}
	}
	if len(read) > 0 {
		read[0] = "reads " + read[0]
		out = append(out, read)
	}
	if len(passed) > 0 {
		passed[0] = "does not read " + passed[0]
		out = append(out, passed)
	}
	return out
}

func options(connector string, options map[string]string) []string {
	out := []string{connector}
	for i, k := range slices.Sorted(maps.Keys(options)) {
		text := k + " = '" + options[k] + "'"
		if i == 0 {
			out[0] += ": " + text
			continue
		}
		out = append(out, text)
	}
	return out
}

// sink lists the columns with their types: what the script is for.
func (o *outliner) sink() (out [][]string) {
	if o.op.Sink.Connector != ResultConnector {
		out = append(out, options(o.op.Sink.Connector, o.op.Sink.Options))
	}
	if o.op.Sink.OnError == ErrorsFail {
		out = append(out, []string{"fails at the first row that cannot be computed"})
	}
	var columns []string
	for _, c := range o.op.Relation.Schema.Visible() {
		f := o.op.Relation.Schema.Fields[c]
		columns = append(columns, f.Name+" "+f.Type.String())
	}
	return append(out, columns)
}

func (o *outliner) window() string {
	w := o.op.Window
	size, slide, unit := fmt.Sprint(w.Size), fmt.Sprint(w.Slide), "ROWS "
	if w.Kind == Cumulate {
		return "CUMULATE up to " + stream.FormatInterval(w.Size) + " by " + stream.FormatInterval(w.Slide)
	}
	if w.Kind.Timed() {
		size, slide, unit = stream.FormatInterval(w.Size), stream.FormatInterval(w.Slide), "RANGE "
	}
	text := unit + size
	if !w.Kind.Instant() {
		text += " SLIDE " + slide
	} else {
		text += ", after each instant"
	}
	if w.Kind == Session {
		text = "SESSION " + size
	}
	if len(w.PartitionBy) == 0 {
		return text
	}
	var by []string
	for _, c := range w.PartitionBy {
		by = append(by, (&Expr{Kind: ColumnExpr, Column: c}).SQL(o.fields()))
	}
	return "PARTITION BY " + strings.Join(by, ", ") + " " + text
}

func (o *outliner) aggregate(in []stream.Field) (out [][]string) {
	var keys, aggs []string
	for _, k := range o.op.Aggregate.Keys {
		keys = append(keys, k.SQL(in))
	}
	for _, g := range o.op.Aggregate.Aggs {
		aggs = append(aggs, g.sql(in))
	}
	switch {
	case len(aggs) == 0 && len(keys) > 0:
		keys[0] = "DISTINCT " + keys[0]
	case len(keys) > 0:
		keys[0] = "GROUP BY " + keys[0]
	}
	for _, parts := range [][]string{aggs, keys} {
		if len(parts) > 0 {
			out = append(out, parts)
		}
	}
	if p := o.op.Aggregate.Peak; p != nil {
		out = append(out, []string{"only groups with the " + map[AggFunc]string{Max: "greatest ", Min: "least "}[p.Func] + o.op.Relation.Schema.Fields[p.Column].Name})
	}
	return out
}

func (o *outliner) conditions(in []stream.Field) (out []string) {
	j := o.op.Join
	left := len((&formatter{m: o.m}).fieldsOf(o.op.Inputs[0]))
	for i := range min(len(j.LeftKeys), len(j.RightKeys)) {
		out = append(out, j.LeftKeys[i].SQL(in)+" = "+j.RightKeys[i].SQL(in[min(left, len(in)):]))
	}
	for _, e := range j.On {
		out = append(out, e.SQL(in))
	}
	return out
}

// project shows visible columns, renamed ones with AS.
func (o *outliner) project(in []stream.Field) (out []string) {
	for _, c := range o.op.Relation.Schema.Visible() {
		name, text := o.op.Relation.Schema.Fields[c].Name, o.op.Project[c].SQL(in)
		if text != name {
			text += " AS " + name
		}
		out = append(out, text)
	}
	return out
}
