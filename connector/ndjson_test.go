package connector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

func jsonRows(t testing.TB, text string, schema *stream.Schema, pairs ...string) []string {
	t.Helper()
	src := open(t, testOptions(writeFile(t, "in.ndjson", text), pairs...), schema, Env{})
	out := readAll(t, src, 0, Position{})
	if out.err != nil {
		t.Fatal(out.err)
	}
	for i, l := range out.lines {
		if strings.HasPrefix(l, "{") {
			out.lines[i] = l[:strings.LastIndex(l, " @")]
		}
	}
	return out.lines
}

func TestNDJSONRecords(t *testing.T) {
	deep := strings.Repeat("[", nestingMax+5) + strings.Repeat("]", nestingMax+5)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"plain", `{"a":"x","b":"y","c":1}` + "\n" + `{ "c" : 2 , "a" : "z" }` + "\r\n", []string{`{"a":"x","b":"y","c":1}`, `{"a":"z","b":null,"c":2}`}},
		{"null and unknown", `{"a":null,"x":{"y":[1,"]",{"a":"no"}]},"c":3,"z":[]}`, []string{`{"a":null,"b":null,"c":3}`}},
		{"escapes", `{"a":"q\"\\\/\b\f\n\r\té","b":"\ud83d\ude00 \ud800","c":1}`, []string{`{"a":"q\"\\/\u0008\u000c\n\r\té","b":"😀 ` + "\uFFFD" + `","c":1}`}},
		{"escaped key", `{"\u0061":"x","c":1}`, []string{`{"a":"x","b":null,"c":1}`}},
		{"duplicate key", `{"a":"x","a":"y","c":1,"c":null}`, []string{`{"a":"y","b":null,"c":null}`}},
		{"whole numbers", `{"c":1.0}` + "\n" + `{"c":1e3}` + "\n" + `{"c":1.5}`, []string{`{"a":null,"b":null,"c":1}`, `{"a":null,"b":null,"c":1000}`, `error @3 column "c": cannot read 1.5 as INTEGER: {"c":1.5}`}},
		{"wrong types", `{"c":"12"}` + "\n" + `{"c":true}` + "\n" + `{"c":[1]}` + "\n" + `{"a":"ok"}`, []string{`error @1 column "c": cannot read string "12" as INTEGER: {"c":"12"}`,
			`error @2 column "c": cannot read true as INTEGER: {"c":true}`, `error @3 column "c": cannot read [1] as INTEGER: {"c":[1]}`, `{"a":"ok","b":null,"c":null}`}},
		{"text from other values", `{"a":{"x": [1, 2]},"b":1.50}` + "\n" + `{"a":true,"b":[]}` + "\n" + `{"a":` + deep + `}`,
			[]string{`{"a":"{\"x\": [1, 2]}","b":"1.50","c":null}`, `{"a":"true","b":"[]","c":null}`, `{"a":"` + deep + `","b":null,"c":null}`}},
		{"malformed", `{"a":"x"` + "\n" + `{"a" "x"}` + "\n" + `nonsense` + "\n" + `[1]` + "\n" + `{"c":01}` + "\n" + `{"c":1}x` + "\n" + `{"c":1}`,
			[]string{`error @1 invalid JSON: unexpected end of JSON input: {"a":"x"`, `error @2 invalid JSON: invalid character '"' after object key: {"a" "x"}`,
				`error @3 expected a JSON object: nonsense`, `error @4 expected a JSON object: [1]`, `error @5 invalid JSON: invalid character '1' after object key:value pair: {"c":01}`,
				`error @6 invalid JSON: invalid character 'x' after top-level value: {"c":1}x`, `{"a":null,"b":null,"c":1}`}},
		{"not UTF-8", "{\"a\":\"\xff\"}\n{\"a\":\"\\n\xff\"}\n{\"z\":\"\xff\"}", []string{"error @1 column \"a\": invalid UTF-8: {\"a\":\"\uFFFD\"}",
			"error @2 column \"a\": invalid UTF-8: {\"a\":\"\\n\uFFFD\"}", `{"a":null,"b":null,"c":null}`}},
		{"blank lines", "\n  \n{}\n\t\r\n{ }\n", []string{`{"a":null,"b":null,"c":null}`, `{"a":null,"b":null,"c":null}`}},
		{"NUL", "{\"a\":\"\x00\"}\n", []string{"error @1 binary data (a NUL byte): {\"a\":\"\x00\"}"}},
		{"byte order mark", "\xef\xbb\xbf{\"c\":1}\n", []string{`{"a":null,"b":null,"c":1}`}},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, jsonRows(t, c.in, threeTexts), c.want) })
	}
}

func TestNDJSONTypes(t *testing.T) {
	in := `{"b":false,"i":-5,"l":9007199254740993,"f":0.1,"d":-1e-7,"s":"","t":"2026-01-02T03:04:05+01:00","v":"-00:00:01.5"}` + "\n" +
		`{"f":"NaN","d":"-Infinity"}` + "\n" + `{"b":"true"}` + "\n" + `{"t":5}` + "\n" + `{"d":"1"}` + "\n" + `{"f":1e60}`
	check(t, jsonRows(t, in, everyType), []string{
		`{"b":false,"i":-5,"l":9007199254740993,"f":0.1,"d":-1e-07,"s":"","t":"2026-01-02T02:04:05Z","v":"-00:00:01.5"}`,
		`{"b":null,"i":null,"l":null,"f":"NaN","d":"-Infinity","s":null,"t":null,"v":null}`,
		`error @3 column "b": cannot read string "true" as BOOLEAN: {"b":"true"}`,
		`error @4 column "t": cannot read 5 as TIMESTAMP: {"t":5}`,
		`error @5 column "d": cannot read string "1" as DOUBLE: {"d":"1"}`,
		`error @6 column "f": cannot read 1e60 as REAL: {"f":1e60}`})
	times := stream.NewSchema(stream.Field{Name: "t", Type: stream.Timestamp})
	for unit, number := range map[string]string{"s": "1767323045", "ms": "1767323045000", "us": "1767323045000000", "ns": "1767323045000000999"} {
		in := `{"t":` + number + `}` + "\n" + `{"t":"2026-01-02 03:04:05"}`
		check(t, jsonRows(t, in, times, "timestamp_unit", unit), []string{`{"t":"2026-01-02T03:04:05Z"}`, `{"t":"2026-01-02T03:04:05Z"}`})
		check(t, rowsOf(t, number+"\n2026-01-02 03:04:05\n", times, "timestamp_unit", unit), []string{`{"t":"2026-01-02T03:04:05Z"}`, `{"t":"2026-01-02T03:04:05Z"}`})
	}
}

// A number where a time is wanted says which option reads it; what looks like none does not.
func TestUnitHint(t *testing.T) {
	times := stream.NewSchema(stream.Field{Name: "t", Type: stream.Timestamp})
	const hint = "; the option timestamp_unit says what numbers count"
	check(t, jsonRows(t, `{"t":1767323045000}`+"\n"+`{"t":"1767323045000"}`+"\n"+`{"t":17673230.5}`, times), []string{
		`error @1 column "t": cannot read 1767323045000 as TIMESTAMP` + hint + `: {"t":1767323045000}`,
		`error @2 column "t": cannot read string "1767323045000" as TIMESTAMP: {"t":"1767323045000"}`,
		`error @3 column "t": cannot read 17673230.5 as TIMESTAMP: {"t":17673230.5}`})
	check(t, rowsOf(t, "1767323045000\n17673230450x\n", times), []string{
		`error @1 column "t": cannot read "1767323045000" as TIMESTAMP` + hint + `: 1767323045000`,
		`error @2 column "t": cannot read "17673230450x" as TIMESTAMP: 17673230450x`})
}

// What the encoders write, the decoders read back.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	batch := stream.NewBatch(everyType, nil)
	texts := []string{"", "x", "a,b", "q\"", "line\nend", "é😀", " blank ", "\t", "NULL", "\\", "\r\n"}
	for range 500 {
		row := []stream.Value{stream.Bool(r.IntN(2) == 0), stream.Int(int32(r.Uint32())), stream.Big(int64(r.Uint64())), stream.Float(r.Float32()),
			stream.Dbl(r.NormFloat64() * 1e9), stream.Text(texts[r.IntN(len(texts))]), stream.Time(r.Int64N(4e15)), stream.Duration(r.Int64N(1e12) - 5e11)}
		for i := range row {
			if r.IntN(5) == 0 {
				row[i] = stream.NullOf(row[i].Type)
			}
		}
		batch.AppendRow(row)
	}
	visible := everyType.Visible()
	for _, format := range []string{FormatCSV, FormatNDJSON} {
		e, err := NewEncoder(format, everyType, visible, "")
		if err != nil {
			t.Fatal(err)
		}
		text := e.Encode(nil, batch, 0, batch.Len)
		src := open(t, testOptions(writeFile(t, "in."+format, string(text))), everyType, Env{})
		got := readAll(t, src, 0, Position{})
		if len(got.lines) != batch.Len {
			t.Fatalf("%s: %d rows of %d: %s", format, len(got.lines), batch.Len, got.lines)
		}
		for i, line := range got.lines {
			if want := string(AppendJSONRow(nil, batch, visible, i)); !strings.HasPrefix(line, want+" @") {
				t.Fatalf("%s row %d: %s, want %s", format, i, line, want)
			}
		}
	}
}

func TestQueryNameInRows(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: `a"b`, Type: stream.Integer}, stream.Field{Name: "h", Type: stream.Integer, Hidden: true})
	b := stream.NewBatch(schema, []bool{true, false})
	b.AppendRow([]stream.Value{stream.Int(1), {}})
	for query, want := range map[string]string{"": `{"a\"b":1}`, "q1": `{"_query":"q1","a\"b":1}`} {
		e, _ := NewEncoder(FormatNDJSON, schema, schema.Visible(), query)
		if got := string(e.Encode(nil, b, 0, 1)); got != want+"\n" {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(AppendCSVHeader(nil, schema, schema.Visible())); got != "\"a\"\"b\"\n" {
		t.Errorf("header %s", got)
	}
	if _, err := NewEncoder("xml", schema, nil, ""); err == nil {
		t.Error("a format that does not exist has an encoder")
	}
}

func FuzzNDJSON(f *testing.F) {
	for _, s := range []string{`{"a":"x","b":1,"c":true}`, `{"a":"\u00e9\n","b":1e3}`, `{ "a" : null , "z" : [ {} , [] , "}" ] }`, `{"b":-0.0}`,
		`{"\u0061":1}`, `{}`, `[]`, `{"a":"x"} `, `{"a":{"b":[1,2]}}`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"b":12345678901234567890}`,
		`{"c":""}`, `{"d":"","e":7}`, `{"e":"2020-01-01 00:00:00"}`, `{"e":"","g":"1 HOUR"}`, `{"g":"","d":-5}`} {
		f.Add(s)
	}
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar}, stream.Field{Name: "b", Type: stream.Double}, stream.Field{Name: "c", Type: stream.Boolean},
		stream.Field{Name: "d", Type: stream.Integer}, stream.Field{Name: "e", Type: stream.Timestamp}, stream.Field{Name: "g", Type: stream.Interval})
	needed := []bool{true, true, true, true, true, true}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n\x00") {
			return
		}
		d := newJSONDecoder(schema, needed, jsonReaders(schema, 0))
		var lines [2]string
		for round := range lines { // the second time keys are predicted
			out := stream.NewBatch(schema, nil)
			errs, err := d.Decode(&Block{Data: []byte(text + "\n" + text)}, out, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range out.Len {
				lines[round] += string(AppendJSONRow(nil, out, schema.Visible(), i)) + "\n"
			}
			lines[round] += fmt.Sprint(errs)
			compare(t, text, out, len(errs))
		}
		if lines[0] != lines[1] {
			t.Fatalf("%s, then %s", lines[0], lines[1])
		}
	})
}

// compare checks row 0 of out against encoding/json.
func compare(t *testing.T, text string, out *stream.Batch, failed int) {
	var want map[string]any
	oracle := json.NewDecoder(strings.NewReader(text))
	oracle.UseNumber()
	if oracle.Decode(&want) != nil || !json.Valid([]byte(text)) || want == nil {
		if out.Len > 0 {
			t.Fatal("accepted, but it is not a JSON object")
		}
		return
	}
	if failed > 0 {
		return
	}
	if out.Len != 2 {
		t.Fatalf("%d rows", out.Len)
	}
	a, b, c := out.Cols[0].Value(0), out.Cols[1].Value(0), out.Cols[2].Value(0)
	if s, ok := want["a"].(string); ok && (a.Null || a.S != s) || want["a"] == nil && !a.Null {
		t.Fatalf("a is %q, want %v", a.S, want["a"])
	}
	if n, ok := want["b"].(json.Number); ok {
		if f, err := n.Float64(); err != nil || b.F != f {
			t.Fatalf("b is %v, want %v", b.F, n)
		}
	} else if want["b"] == nil && !b.Null {
		t.Fatalf("b is %v, want NULL", b.F)
	}
	if v, ok := want["c"].(bool); ok && (c.I != 0) != v || want["c"] == nil && !c.Null {
		t.Fatalf("c is %v, want %v", c.I, want["c"])
	}
}
