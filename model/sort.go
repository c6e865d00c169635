package model

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/stream"
)

// Sort orders the rows of each window by Keys, the first one first; rows that are equal
// by all of them stay in the order they come in. Of that order the rows from number
// Offset (0 is the first) are put out, at most Limit of them. Without Keys the order is
// the input's.
//
// The first Groups keys divide a window's rows into groups, of rows that are equal by
// them; Offset and Limit then count in each group. Number adds a column behind the others:
// the number of the row in its group, from 1.
//
// A relation that carries no window is one window, which closes at the end of the input;
// sorted by keys it has no event time any more, because it is not ordered by it.
type Sort struct {
	Keys          []SortKey
	Groups        int
	Offset, Limit int64 // Limit < 0: all
	Number        bool
}

// SortKey is a column of the input. Numbers and times are in their order, NaN being the
// greatest number and equal to itself and 0 equal to -0, FALSE comes before TRUE, and
// text is in the order of its bytes.
type SortKey struct {
	Column     int
	Descending bool
	NullsFirst bool
}

// Limited reports whether the number of rows that a window puts out is bounded.
func (s *Sort) Limited() bool { return s.Limit >= 0 }

func equalSort(a, b *Sort) bool {
	if a.Groups != b.Groups || a.Number != b.Number || a.Offset != b.Offset || a.Limit != b.Limit || len(a.Keys) != len(b.Keys) {
		return false
	}
	for i := range a.Keys {
		if a.Keys[i] != b.Keys[i] {
			return false
		}
	}
	return true
}

func (v *verifier) sort() string {
	in, r, s := v.in[0], &v.op.Relation, v.op.Sort
	if in.Instant() {
		return "a sort of per-instant rows; an emit operator must come before it"
	}
	if in.Window == nil && !in.Bounded && (len(s.Keys) > 0 || s.Offset != 0 || s.Limited() || s.Number) {
		return "sorting an unbounded stream needs a window"
	}
	want := in.Schema.Fields
	if s.Number {
		want = append(slices.Clone(want), stream.Field{Type: stream.BigInt, NotNull: true})
	}
	if msg := sameColumns(r.Schema.Fields, want); msg != "" {
		return "output: " + msg
	}
	if !sameWindow(r.Window, in.Window) {
		return "a sort keeps the window of its input"
	}
	time := in.Time
	if in.Window == nil && len(s.Keys) > 0 {
		time = -1
	}
	if r.Time != time {
		return fmt.Sprintf("its time column is %d, not %d", r.Time, time)
	}
	if s.Groups < 0 || s.Groups > len(s.Keys) {
		return fmt.Sprintf("%d keys cannot divide it into groups by %d", len(s.Keys), s.Groups)
	}
	if s.Offset < 0 || s.Limit < -1 {
		return "offset and limit must not be negative"
	}
	for _, k := range s.Keys {
		if k.Column < 0 || k.Column >= in.Schema.Len() {
			return fmt.Sprintf("sort key $%d does not exist", k.Column)
		}
	}
	return ""
}

// sortWords is a key in the text form: $3 desc nulls first.
func (k SortKey) words() []string {
	words := []string{"order", fmt.Sprintf("$%d", k.Column)}
	if k.Descending {
		words = append(words, "desc")
	}
	if k.NullsFirst {
		words = append(words, "nulls", "first")
	}
	return words
}

func (f *formatter) sort(s *Sort, in []stream.Field) {
	for _, k := range s.Keys {
		words := k.words()
		if k.Column >= 0 && k.Column < len(in) {
			words = append(words, "--", oneLine(in[k.Column].Name))
		}
		f.line(words...)
	}
	if s.Groups != 0 {
		f.line("groups", fmt.Sprint(s.Groups))
	}
	if s.Number {
		f.line("number")
	}
	if s.Offset != 0 {
		f.line("offset", fmt.Sprint(s.Offset))
	}
	if s.Limited() {
		f.line("limit", fmt.Sprint(s.Limit))
	}
}

// sorted runs read on the operator's sort, or fails where there is none.
func (p *parser) sorted(read func(s *Sort)) {
	if p.op.Sort == nil {
		p.fail("a %s has no order", p.op.Kind)
		return
	}
	read(p.op.Sort)
}

func (p *parser) order() {
	p.sorted(func(s *Sort) {
		k := SortKey{Column: p.columnNumber()}
		k.Descending = p.skip("desc")
		if p.skip("nulls") {
			p.expect("first")
			k.NullsFirst = true
		}
		s.Keys = append(s.Keys, k)
	})
}

// sort says what is put out in which order, in the words of SQL.
func (o *outliner) sort(in []stream.Field) (out [][]string) {
	var groups, keys []string
	for i, k := range o.op.Sort.Keys {
		text := (&Expr{Kind: ColumnExpr, Column: k.Column}).SQL(in)
		if k.Descending {
			text += " DESC"
		}
		if k.NullsFirst != k.Descending {
			text += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst]
		}
		if i < o.op.Sort.Groups {
			groups = append(groups, text)
		} else {
			keys = append(keys, text)
		}
	}
	if len(groups) > 0 {
		groups[0] = "PARTITION BY " + groups[0]
		out = append(out, groups)
	}
	if len(keys) > 0 {
		keys[0] = "ORDER BY " + keys[0]
		out = append(out, keys)
	}
	if fields := o.op.Relation.Schema.Fields; o.op.Sort.Number && len(fields) > 0 {
		out = append(out, []string{"ROW_NUMBER AS " + fields[len(fields)-1].Name})
	}
	rows := ""
	if o.op.Sort.Limited() {
		rows = fmt.Sprintf("LIMIT %d", o.op.Sort.Limit)
	}
	if o.op.Sort.Offset > 0 {
		rows += fmt.Sprintf(" OFFSET %d", o.op.Sort.Offset)
	}
	if rows != "" {
		out = append(out, []string{rows})
	}
	return out
}
