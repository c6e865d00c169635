package sql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		pieces []string
		rest   string
	}{
		"nothing":        {"", nil, ""},
		"semicolons":     {" ; ;\n; ", nil, ""},
		"comments":       {"-- a;\n/* b; */ ;", nil, ""},
		"two and a half": {"SELECT 1; SELECT\n2; SELECT", []string{"SELECT 1;", "SELECT\n2;"}, "SELECT"},
		"texts":          {"SELECT 'a;''b', \"c;\", `d;`; x", []string{"SELECT 'a;''b', \"c;\", `d;`;"}, "x"},
		"open text":      {"SELECT 'a; b", nil, "SELECT 'a; b"},
		"open comment":   {"SELECT /* a; b", nil, "SELECT /* a; b"},
		"comment within": {"SELECT -- no; end\n 1;", []string{"SELECT -- no; end\n 1;"}, ""},
		"comment before": {"-- what it does\nSELECT 1;", []string{"-- what it does\nSELECT 1;"}, ""},
		"statement set": {"BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT CASE x WHEN 1 THEN 2 END; END; SELECT 2;",
			[]string{"BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT CASE x WHEN 1 THEN 2 END; END;", "SELECT 2;"}, ""},
		"execute set": {"execute statement\nset begin insert into a select 1; end; y",
			[]string{"execute statement\nset begin insert into a select 1; end;"}, "y"},
		"open set": {"BEGIN STATEMENT SET; INSERT INTO a SELECT 1;", nil, "BEGIN STATEMENT SET; INSERT INTO a SELECT 1;"},
		"commands": {"\\timing\nSELECT 1; \\i it's; here\nSELECT \\d 2", []string{"\\timing", "SELECT 1;", "\\i it's; here"}, "SELECT \\d 2"},
		"umlauts":  {"SELECT größe$late;", []string{"SELECT größe$late;"}, ""},
	} {
		pieces, rest := sql.Split(sql.Script{Name: "q", Text: c.text})
		var got []string
		for _, p := range pieces {
			got = append(got, strings.TrimSpace(p.Text))
		}
		if strings.Join(got, "|") != strings.Join(c.pieces, "|") || strings.TrimSpace(rest.Text) != c.rest {
			t.Errorf("%s: %q and %q, want %q and %q", name, got, rest.Text, c.pieces, c.rest)
		}
		if sql.IsBlank(c.text) != (len(c.pieces) == 0 && c.rest == "") {
			t.Errorf("%s: IsBlank is %v", name, sql.IsBlank(c.text))
		}
	}
}

// TestSplitKeepsPlaces finds a mistake of the third statement where it stands in the file.
func TestSplitKeepsPlaces(t *testing.T) {
	const file = "-- a file\nSELECT car FROM cars; SELECT\n speed FROM cars;  SELECT sped\nFROM cars;"
	pieces, _ := sql.Split(sql.Script{Name: "q.sql", Text: file})
	if len(pieces) != 3 {
		t.Fatalf("%d pieces", len(pieces))
	}
	_, err := sql.Resolve([]sql.Script{prelude(t), pieces[2]}, catalog{}, vars)
	var e *sql.Error
	if !errors.As(err, &e) || e.Line != 3 || e.Column != 27 {
		t.Errorf("%v, want line 3, column 27", err)
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		" SELECT 1;\n":                        "SELECT 1;",
		"SELECT a, -- the */ first\n  b\r\n;": "SELECT a, /* the * / first */ b ;",
		"SELECT 'a\nb', /* x\ny */ c;":        "SELECT 'a b', /* x y */ c;",
		"-- only\nSELECT 'it''s -- not';":     "/* only */ SELECT 'it''s -- not';",
	} {
		if got := sql.OneLine(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
