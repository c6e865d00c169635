package function

import (
	"slices"
	"testing"

	"github.com/millrace/millrace/stream"
)

func TestTableIsComplete(t *testing.T) {
	all := All()
	names := map[string]bool{}
	for i, f := range all {
		if names[f.Name] {
			t.Errorf("%s stands twice in the table", f.Name)
		}
		names[f.Name] = true
		if f.SQL == "" || f.Category == "" || f.Doc == "" {
			t.Errorf("%s lacks its SQL form, category or description", f.Name)
		}
		if len(f.Signatures) == 0 && f.Name != "case" && f.Name != "row" && f.Name != "member" {
			t.Errorf("%s has no signature", f.Name)
		}
		if got, ok := Lookup(f.Name); !ok || got != f {
			t.Errorf("%s is not found by its name", f.Name)
		}
		if i > 0 && (all[i-1].Category > f.Category || all[i-1].Category == f.Category && all[i-1].Name >= f.Name) {
			t.Errorf("%s is listed behind %s", f.Name, all[i-1].Name)
		}
		for n, s := range f.Signatures {
			if s.Variadic && len(s.Args) == 0 {
				t.Errorf("signature %d of %s repeats an argument it does not have", n, f.Name)
			}
			if s.Result == stream.Invalid && !slices.Contains(s.Args, stream.Invalid) && !slices.Contains(s.Args, array) {
				t.Errorf("signature %d of %s has the type of an argument it does not have", n, f.Name)
			}
		}
	}
	if _, ok := Lookup("no_such_function"); ok {
		t.Error("a function that does not exist is found")
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []stream.Type
		result stream.Type // Invalid: no signature fits
	}{
		{"add", []stream.Type{stream.Integer, stream.Integer}, stream.Integer},
		{"add", []stream.Type{stream.Integer, stream.BigInt}, stream.Invalid},
		{"add", []stream.Type{stream.Timestamp, stream.Interval}, stream.Timestamp},
		{"sub", []stream.Type{stream.Timestamp, stream.Timestamp}, stream.Interval},
		{"eq", []stream.Type{stream.Varchar, stream.Varchar}, stream.Boolean},
		{"eq", []stream.Type{stream.Varchar, stream.Real}, stream.Invalid},
		{"eq", []stream.Type{stream.Varchar}, stream.Invalid},
		{"in", []stream.Type{stream.Real, stream.Real, stream.Real, stream.Real}, stream.Boolean},
		{"in", []stream.Type{stream.Real}, stream.Invalid},
		{"in", []stream.Type{stream.Real, stream.Real, stream.Double}, stream.Invalid},
		{"coalesce", []stream.Type{stream.Interval}, stream.Interval},
		{"coalesce", nil, stream.Invalid},
		{"concat", []stream.Type{stream.Varchar, stream.Varchar, stream.Varchar}, stream.Varchar},
		{"element_at", []stream.Type{stream.Array(stream.Date), stream.BigInt}, stream.Date},
		{"element_at", []stream.Type{stream.Date, stream.BigInt}, stream.Invalid},
		{"array_append", []stream.Type{stream.Array(stream.Date), stream.Date}, stream.Array(stream.Date)},
		{"array_append", []stream.Type{stream.Array(stream.Date), stream.Real}, stream.Invalid},
		{"equals_any", []stream.Type{stream.Date, stream.Array(stream.Date)}, stream.Boolean},
		{"equals_any", []stream.Type{stream.Array(stream.Date), stream.Array(stream.Date)}, stream.Invalid},
		{"array", []stream.Type{stream.Real, stream.Real}, stream.Array(stream.Real)},
		{"not", []stream.Type{stream.Boolean, stream.Boolean}, stream.Invalid},
	} {
		f, ok := Lookup(c.name)
		if !ok {
			t.Fatalf("no function %s", c.name)
		}
		got := stream.Invalid
		for _, s := range f.Signatures {
			if s.Match(c.args) {
				got = s.ResultFor(c.args)
				break
			}
		}
		if got != c.result {
			t.Errorf("%s(%v) is %s, not %s", c.name, c.args, got, c.result)
		}
	}
}
