package parquet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/millrace/millrace/stream"
)

// listed is a group of old writers that is annotated as a LIST.
type listed struct{ pq.Node }

func (listed) Type() pq.Type { return pq.List(pq.String()).Type() }

// The forms of lists that readers have to accept besides the usual one, as
// parquet-format's LogicalTypes.md has them, and rows that are read of each.
func TestOldForms(t *testing.T) {
	pair := pq.Group{"x": pq.String(), "y": pq.Optional(pq.Int(32))}
	text := func(s string, rep, def, column int) pq.Value {
		return pq.ByteArrayValue([]byte(s)).Level(rep, def, column)
	}
	number := func(n int32, rep, def, column int) pq.Value { return pq.Int32Value(n).Level(rep, def, column) }
	null := func(rep, def, column int) pq.Value { return pq.NullValue().Level(rep, def, column) }
	two := []pq.Row{{null(0, 0, 0)}, {text("a", 0, 1, 0), text("b", 1, 1, 0)}}
	for _, c := range []struct {
		form string
		node pq.Node
		want stream.Type
		rows []pq.Row
		json []string
	}{
		{"no LIST", pq.Repeated(pq.String()), stream.Array(stream.Varchar), two, []string{`[]`, `["a","b"]`}},
		{"repeated value", listed{pq.Group{"item": pq.Repeated(pq.String())}}, stream.Array(stream.Varchar), two, []string{`[]`, `["a","b"]`}},
		{"optional", pq.Optional(listed{pq.Group{"item": pq.Repeated(pq.String())}}), stream.Array(stream.Varchar),
			[]pq.Row{{null(0, 0, 0)}, {null(0, 1, 0)}, {text("a", 0, 2, 0)}}, []string{`NULL`, `[]`, `["a"]`}},
		{"repeated group of two", listed{pq.Group{"item": pq.Repeated(pair)}}, stream.Array(stream.RowOf(stream.Member{Name: "x", Type: stream.Varchar}, stream.Member{Name: "y", Type: stream.Integer})),
			[]pq.Row{{null(0, 0, 0), null(0, 0, 1)}, {text("a", 0, 1, 0), text("b", 1, 1, 0), number(7, 0, 2, 1), null(1, 1, 1)}},
			[]string{`[]`, `[{"x":"a","y":7},{"x":"b","y":null}]`}},
		{"repeated group called array", listed{pq.Group{"array": pq.Repeated(pq.Group{"x": pq.String()})}}, stream.Array(stream.RowOf(stream.Member{Name: "x", Type: stream.Varchar})), two,
			[]string{`[]`, `[{"x":"a"},{"x":"b"}]`}},
		{"repeated group called _tuple", listed{pq.Group{"c_tuple": pq.Repeated(pq.Group{"x": pq.String()})}}, stream.Array(stream.RowOf(stream.Member{Name: "x", Type: stream.Varchar})), two,
			[]string{`[]`, `[{"x":"a"},{"x":"b"}]`}},
		{"any names", listed{pq.Group{"bag": pq.Repeated(pq.Group{"array_element": pq.Optional(pq.String())})}}, stream.Array(stream.Varchar),
			[]pq.Row{{null(0, 0, 0)}, {text("a", 0, 2, 0), null(1, 1, 0)}}, []string{`[]`, `["a",null]`}},
		{"lists in two levels", listed{pq.Group{"item": pq.Repeated(listed{pq.Group{"item": pq.Repeated(pq.String())}})}}, stream.Array(stream.Array(stream.Varchar)),
			[]pq.Row{{null(0, 0, 0)}, {text("a", 0, 2, 0), text("b", 2, 2, 0), null(1, 1, 0), text("c", 1, 2, 0)}}, []string{`[]`, `[["a","b"],[],["c"]]`}},
		{"repeated group with a repeated value", listed{pq.Group{"item": pq.Repeated(pq.Group{"x": pq.Repeated(pq.String())})}}, stream.Array(stream.RowOf(stream.Member{Name: "x", Type: stream.Array(stream.Varchar)})),
			[]pq.Row{{null(0, 0, 0)}, {text("a", 0, 2, 0), text("b", 2, 2, 0), null(1, 1, 0)}}, []string{`[]`, `[{"x":["a","b"]},{"x":[]}]`}},
	} {
		var out bytes.Buffer
		w := pq.NewWriter(&out, pq.NewSchema("test", pq.Group{"c": c.node}))
		if _, err := w.WriteRows(c.rows); err != nil || w.Close() != nil {
			t.Fatal(c.form, err)
		}
		f, err := Open("test.parquet", bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		fields, skipped := f.Fields()
		if len(fields) != 1 || fields[0].Type != c.want || fields[0].NotNull != (c.json[0] != "NULL") {
			t.Errorf("%s: %v, %v", c.form, fields, skipped)
			continue
		}
		schema := stream.NewSchema(fields...)
		for i, row := range readUnits(t, openBytes(t, out.Bytes(), schema), out.Bytes(), schema, 1) {
			if got := row[0].String(); got != c.json[i] {
				t.Errorf("%s: row %d is %s, not %s", c.form, i, got, c.json[i])
			}
		}
	}
}

// Only what has a type here is read; the rest says what it is when it is asked for, and
// nothing of it is read if not.
func TestNestedColumnsWithoutType(t *testing.T) {
	group := pq.Group{"id": pq.Int(64), "m": pq.Map(pq.String(), pq.Int(32)), "lm": pq.List(pq.Map(pq.String(), pq.Int(32))), "r": pq.Group{"a": pq.Int(32), "Odd": pq.UUID(), "j": pq.JSON()}, "ok": pq.List(pq.Int(8))}
	var out bytes.Buffer
	w := pq.NewWriter(&out, pq.NewSchema("test", group))
	v := func(n int32, rep, def, column int) pq.Value { return pq.Int32Value(n).Level(rep, def, column) }
	b := func(s string, rep, def, column int) pq.Value {
		return pq.ByteArrayValue([]byte(s)).Level(rep, def, column)
	}
	row := pq.Row{pq.Int64Value(5).Level(0, 0, 0), b("k", 0, 2, 1), v(1, 0, 2, 2), b("k", 0, 1, 3), v(2, 0, 1, 4), v(-3, 0, 1, 5), pq.FixedLenByteArrayValue(make([]byte, 16)).Level(0, 0, 6), v(4, 0, 0, 7), b(`{"x": 1}`, 0, 0, 8)}
	_, err := w.WriteRows([]pq.Row{row})
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	f, err := Open("test.parquet", bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	fields, skipped := f.Fields()
	if fmt.Sprint(skipped) != `[lm (ARRAY of MAP) m (MAP) r (ROW with "Odd" FIXED_LEN_BYTE_ARRAY (UUID))]` || len(fields) != 2 || fields[1].Type != stream.Array(stream.TinyInt) {
		t.Errorf("%v %v", fields, skipped)
	}
	row1 := func(members ...stream.Member) stream.Type { return stream.RowOf(members...) }
	for _, c := range []struct {
		column string
		t      stream.Type
		want   string
	}{
		{"m", stream.Varchar, "it is MAP, which cannot be read yet; leave it out"},
		{"m", stream.Array(stream.Varchar), "it is MAP, which"},
		{"lm", stream.Array(stream.Varchar), "it is MAP, which cannot be read yet"},
		{"lm", stream.BigInt, "it is ARRAY of MAP, which cannot be read yet"},
		{"ok", stream.Varchar, "it is ARRAY<TINYINT>, which cannot be read as VARCHAR"},
		{"ok", stream.Array(stream.Varchar), "it is INT32 (INT8), which cannot be read as VARCHAR"},
		{"ok", stream.Array(stream.Array(stream.Integer)), "it is INT32 (INT8), which cannot be read as ARRAY<INTEGER>"},
		{"id", stream.Array(stream.BigInt), "it is INT64 (INT64), which cannot be read as ARRAY<BIGINT>"},
		{"r", row1(stream.Member{Name: "b", Type: stream.BigInt}), `the file has no member "b"`},
		{"r", row1(stream.Member{Name: "odd", Type: stream.Bytes}), `member "odd": it is FIXED_LEN_BYTE_ARRAY (UUID), which cannot be read as BYTEA`},
		{"r", row1(stream.Member{Name: "a", Type: stream.BigInt}, stream.Member{Name: "A", Type: stream.BigInt}), `member "A": the file has one member for two`},
	} {
		if err := f.Bind([]stream.Field{{Name: c.column, Type: c.t}}, nil, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %s: %v", c.column, c.t, err)
		}
	}
	read := stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "OK", Type: stream.Array(stream.BigInt)},
		stream.Field{Name: "r", Type: row1(stream.Member{Name: "j", Type: stream.Varchar}, stream.Member{Name: "A", Type: stream.Double})})
	got := readUnits(t, openBytes(t, out.Bytes(), read), out.Bytes(), read, 1)
	if len(got) != 1 || got[0][1].String() != "[-3]" || got[0][2].String() != `{"j":"{\"x\": 1}","A":4}` {
		t.Error(got)
	}
}
