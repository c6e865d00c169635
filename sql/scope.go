package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// scopeTable is one relation that names in an expression can mean.
type scopeTable struct {
	alias    string
	describe string // for messages: stream vehicles
	fields   []stream.Field
	at       []int // column of the operator's input for each field
	// fresh: the window is written on this very relation, so that a column of the same
	// name as one of the window's is something else.
	fresh bool
	// window: its columns are part of SELECT *.
	window bool
	// instant: the window is looked at with each row.
	instant bool
	// left are the columns of a file for which there is no type, each with its own in parentheses.
	left []string
}

// scope is what an expression can name.
type scope struct {
	tables []*scopeTable
	// sameStart: all windows joined have one size, so that their starts are equal, too.
	sameStart bool
	// swapped: SELECT * lists the first two tables in the other order.
	swapped bool
	// later are names that the SELECT list gives, which its own clauses do not know.
	later map[string]bool
}

// match is a column found by name.
type match struct {
	table *scopeTable
	field int
}

func (m match) expr() *model.Expr {
	return model.Col(m.table.at[m.field], m.table.fields[m.field].Type)
}

func (t *scopeTable) find(name string) (found []int) {
	for i, f := range t.fields {
		if f.Name == name && !f.Hidden {
			found = append(found, i)
		}
	}
	role, isRole := stream.ParseRole(name)
	if !isRole || role == stream.NoRole || len(found) > 0 && !t.fresh {
		return found
	}
	for i, f := range t.fields {
		if f.Role == role {
			if len(found) == 0 || found[0] != i {
				found = append(found, i)
			}
			break
		}
	}
	return found
}

// star lists the fields of SELECT *.
func (t *scopeTable) star() []int {
	var out []int
	for i, f := range t.fields {
		if !f.Hidden || t.window && f.Role != stream.NoRole {
			out = append(out, i)
		}
	}
	return out
}

func (s *scope) columnNames() []string {
	var out []string
	for _, t := range s.tables {
		for _, f := range t.fields {
			if !f.Hidden || f.Role != stream.NoRole {
				out = append(out, f.Name)
			}
		}
	}
	return out
}

func (s *scope) describe() string {
	var out []string
	for _, t := range s.tables {
		if t.describe != "" {
			out = append(out, t.describe)
		}
	}
	return strings.Join(out, " or ")
}

// lookup finds a column. It returns the error's parts when there is not exactly one.
func (r *resolver) lookup(s *scope, path []name) (match, error) {
	column := path[len(path)-1]
	var found []match
	tables := s.tables
	if len(path) == 2 {
		tables = s.named(path[0].text)
		if len(tables) == 0 {
			return match{}, r.unknownAlias(s, path[0])
		}
	}
	for _, t := range tables {
		for _, i := range t.find(column.text) {
			found = append(found, match{t, i})
		}
	}
	at := path[0].span.join(column.span)
	switch {
	case len(found) == 1 || len(found) > 1 && s.same(found):
		return found[0], nil
	case len(found) == 0:
		in := (&scope{tables: tables}).describe()
		if in != "" {
			in = " in " + in
		}
		return match{}, r.fail(column.span, r.unknownColumnHint(s, tables, column), "column %q does not exist%s", column.text, in)
	case found[0].table == found[1].table && found[0].table.fresh:
		return match{}, r.fail(at, "rename the column in a sub-query", "%q is both a column and the window's own %s", column.text, column.text)
	case found[0].table == found[1].table:
		return match{}, r.fail(at, "give the columns different names in the sub-query", "column %q is there more than once", column.text)
	}
	hint := "rename one of them in a sub-query"
	if a, b := found[0].table.alias, found[1].table.alias; a != "" && b != "" {
		hint = fmt.Sprintf("write %s.%s or %s.%s", a, column.text, b, column.text)
	}
	return match{}, r.fail(at, hint, "column %q is ambiguous", column.text)
}

func (r *resolver) unknownColumnHint(s *scope, tables []*scopeTable, n name) string {
	column := n.text
	if hint := suggest(column, (&scope{tables: tables}).columnNames()); hint != "" {
		return hint
	}
	for _, t := range tables {
		for _, left := range t.left {
			if name, its, ok := strings.Cut(left, " ("); ok && strings.EqualFold(name, column) {
				return "the file has it, but " + strings.TrimSuffix(its, ")") + " cannot be read yet"
			}
		}
	}
	if s.later[column] {
		return "the SELECT list, which gives this name, comes after this clause; repeat its expression, or filter in a SELECT around this one"
	}
	if written := r.written(n.span); written != "" && (written[0] == '"' || written[0] == '`') {
		return "a text is written '" + shorten(strings.ReplaceAll(column, "'", "''")) + "'; double quotes and backticks are for names"
	}
	if role, ok := stream.ParseRole(column); ok && role != stream.NoRole {
		if slices.ContainsFunc(tables, func(t *scopeTable) bool { return t.instant }) {
			return "a window without SLIDE is looked at with each row and has no borders; [RANGE 10 SECONDS SLIDE 10 SECONDS] has"
		}
		return "put a window on the stream: FROM s [RANGE 10 SECONDS SLIDE 1 SECOND]"
	}
	for _, t := range s.tables {
		if t.alias == column {
			return "a relation is no value; write " + column + ".column"
		}
	}
	return ""
}

func (s *scope) named(alias string) []*scopeTable {
	var out []*scopeTable
	for _, t := range s.tables {
		if t.alias == alias {
			out = append(out, t)
		}
	}
	return out
}

func (r *resolver) unknownAlias(s *scope, n name) error {
	var aliases []string
	for _, t := range s.tables {
		if t.alias != "" {
			aliases = append(aliases, t.alias)
		}
	}
	hint := suggest(n.text, aliases)
	if hint == "" && len(aliases) > 0 {
		hint = "it has " + strings.Join(aliases, ", ")
	}
	return r.fail(n.span, hint, "relation %q is not part of this FROM", n.text)
}

// same: all are the same column of windows that are joined by it.
func (s *scope) same(found []match) bool {
	role := found[0].table.fields[found[0].field].Role
	for i, m := range found {
		if m.table.fields[m.field].Role != role || i > 0 && m.table == found[i-1].table {
			return false
		}
	}
	return role != stream.NoRole && (role != stream.WindowStart || s.sameStart)
}
