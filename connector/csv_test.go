package connector

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var threeTexts = stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar},
	stream.Field{Name: "b", Type: stream.Varchar}, stream.Field{Name: "c", Type: stream.Integer})

func rowsOf(t testing.TB, text string, schema *stream.Schema, pairs ...string) []string {
	t.Helper()
	src := open(t, testOptions(writeFile(t, "in.csv", text), append([]string{"header", "false"}, pairs...)...), schema, Env{})
	out := readAll(t, src, 0, Position{})
	if out.err != nil {
		t.Fatal(out.err)
	}
	for i, l := range out.lines { // rows without their source text
		if strings.HasPrefix(l, "{") {
			out.lines[i] = l[:strings.LastIndex(l, " @")]
		}
	}
	return out.lines
}

func TestCSVRecords(t *testing.T) {
	for _, c := range []struct {
		name, in string
		options  []string
		want     []string
	}{
		{"plain", "x,y,1\nz,,2\n", nil, []string{`{"a":"x","b":"y","c":1}`, `{"a":"z","b":null,"c":2}`}},
		{"no last line end", "x,y,1", nil, []string{`{"a":"x","b":"y","c":1}`}},
		{"carriage returns", "x,y,1\r\nx,y,\r\n\r\n\"x\",y,\"3\"\r\nx,y,4\r", nil,
			[]string{`{"a":"x","b":"y","c":1}`, `{"a":"x","b":"y","c":null}`, `{"a":"x","b":"y","c":3}`, `{"a":"x","b":"y","c":4}`}},
		{"blank lines", "\n\nx,y,1\n\n\"x\",y,2\n\n", nil, []string{`{"a":"x","b":"y","c":1}`, `{"a":"x","b":"y","c":2}`}},
		{"quotes", `"a,b","say ""hi""",1` + "\n" + `"two` + "\n" + `lines","",2` + "\n", nil,
			[]string{`{"a":"a,b","b":"say \"hi\"","c":1}`, `{"a":"two\nlines","b":"","c":2}`}},
		{"only quotes", `"""","",1` + "\n" + `"""a""","""",2` + "\n", nil, []string{`{"a":"\"","b":"","c":1}`, `{"a":"\"a\"","b":"\"","c":2}`}},
		{"quote inside a bare field", "5\" pipe,x\"y\",1\n", nil, []string{`{"a":"5\" pipe","b":"x\"y\"","c":1}`}},
		{"text after a quote", "\"x\"y,z,1\nx,y,2\n", nil, []string{`error @1 text after the closing quote of a field: "x"y,z,1`, `{"a":"x","b":"y","c":2}`}},
		{"too few", "x,y\nx,y,1\n\"x\"\n", nil, []string{"error @1 expected 3 fields, found 2: x,y", `{"a":"x","b":"y","c":1}`, `error @3 expected 3 fields, found 1: "x"`}},
		{"too many", "x,y,1,2\nx,y,1\nx,y,1,\"2\",3\n", nil, []string{"error @1 expected 3 fields, found 4: x,y,1,2", `{"a":"x","b":"y","c":1}`, `error @3 expected 3 fields, found 5: x,y,1,"2",3`}},
		{"bad number", "x,y,1\nx,y,one\nx,y,3\nx,y,\"\"\n", nil,
			[]string{`{"a":"x","b":"y","c":1}`, `error @2 column "c": cannot read "one" as INTEGER: x,y,one`, `{"a":"x","b":"y","c":3}`, `error @4 column "c": cannot read "" as INTEGER: x,y,""`}},
		{"range", "x,y,2147483648\n", nil, []string{`error @1 column "c": cannot read "2147483648" as INTEGER: x,y,2147483648`}},
		{"blanks around a number", "x, y ,  7 \n", nil, []string{`{"a":"x","b":" y ","c":7}`}},
		{"not UTF-8", "x,\xff,1\né,y,2\n", nil, []string{"error @1 column \"b\": invalid UTF-8: x,\uFFFD,1", `{"a":"é","b":"y","c":2}`}},
		{"NUL", "x,a\x00b,1\nx,y,2\n", nil, []string{"error @1 binary data (a NUL byte): x,a\x00b,1", `{"a":"x","b":"y","c":2}`}},
		{"unclosed quote", "x,y,1\n\"x,y,2\nx,y,3\n", nil, []string{`{"a":"x","b":"y","c":1}`, `error @2 quoted field is not closed: "x,y,2`, `{"a":"x","b":"y","c":3}`}},
		{"delimiter and quote", "'x;y';z;1\n'it''s';\"z\";2\n", []string{"delimiter", ";", "quote", "'"}, []string{`{"a":"x;y","b":"z","c":1}`, `{"a":"it's","b":"\"z\"","c":2}`}},
		{"tabs", "x\ty,z\t1\n", []string{"csv.field-delimiter", `\t`}, []string{`{"a":"x","b":"y,z","c":1}`}},
		{"no quotes", "\"x\",\"y,1\n", []string{"quote", ""}, []string{`{"a":"\"x\"","b":"\"y","c":1}`}},
		{"null text", "NA,\"NA\",NA\n,NAN,1\n", []string{"null", "NA"}, []string{`{"a":null,"b":"NA","c":null}`, `{"a":null,"b":"NAN","c":1}`}},
		{"null text, no quotes", "NA,NAN,NA\r\n", []string{"null", "NA"}, []string{`{"a":null,"b":"NAN","c":null}`}},
		{"byte order mark", "\xef\xbb\xbfx,y,1\n", nil, []string{`{"a":"x","b":"y","c":1}`}},
		{"empty", "", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, rowsOf(t, c.in, threeTexts, c.options...), c.want) })
	}
}

func TestCSVNotNull(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar, NotNull: true}, stream.Field{Name: "b", Type: stream.Integer, NotNull: true})
	check(t, rowsOf(t, "x,1\n,2\nx,\n\"\",3\n", schema), []string{`{"a":"x","b":1}`, `error @2 column "a" is NOT NULL: ,2`,
		`error @3 column "b" is NOT NULL: x,`, `{"a":"","b":3}`})
}

// randomCSV writes records of n fields, good and bad.
func randomCSV(r *rand.Rand, records, n int, quotes bool) string {
	var out strings.Builder
	alphabet := []string{"a", "b", "7", "-", ".", " ", "é", "x\"y", "longer text than eight bytes", "\r", ""}
	for range records {
		fields := n
		if r.IntN(20) == 0 {
			fields = 1 + r.IntN(2*n)
		}
		for f := range fields {
			if f > 0 {
				out.WriteByte(',')
			}
			if quotes && r.IntN(4) == 0 {
				fmt.Fprintf(&out, `"%s"`, strings.ReplaceAll([]string{"", "a,b", "line\nend", `q"q`, "\r\n", "é,"}[r.IntN(6)], `"`, `""`))
				continue
			}
			for range r.IntN(4) {
				piece := alphabet[r.IntN(len(alphabet))]
				if !quotes {
					piece = strings.ReplaceAll(piece, `"`, "")
				}
				out.WriteString(piece)
			}
		}
		out.WriteString([]string{"\n", "\n", "\r\n", "\n\n"}[r.IntN(4)])
	}
	return out.String()
}

// Both scanners must see the same records in text that has no quotes.
func TestCSVScannersAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 300 {
		columns := 1 + r.IntN(9)
		var fields []stream.Field
		var l layout
		for i := range columns {
			fields = append(fields, stream.Field{Name: fmt.Sprint("c", i), Type: stream.Varchar})
			l.fields = append(l.fields, i)
		}
		schema := stream.NewSchema(fields...)
		need := make([]bool, columns)
		for i := range need {
			need[i] = r.IntN(3) > 0
		}
		data := []byte(randomCSV(r, r.IntN(600), columns, false))
		var texts [2]string
		for way := range texts {
			d := newCSVDecoder(schema, dialect{delimiter: ',', quote: '"'}, csvReaders(schema, 0))
			out := stream.NewBatch(schema, need)
			d.begin(data)
			d.arrange(&l, out)
			if way == 0 {
				d.scanPlain(data)
			} else {
				d.scanQuoted(data, false)
			}
			errs := d.finish(&Block{Data: data}, out, nil)
			var lines []string
			for i := range out.Len {
				text, line := d.Record(i)
				lines = append(lines, fmt.Sprint(string(AppendJSONRow(nil, out, schema.Visible(), i)), line, text))
			}
			texts[way] = fmt.Sprint(strings.Join(lines, "\n"), errs)
		}
		if texts[0] != texts[1] {
			t.Fatalf("round %d:\n%s\nnot\n%s", round, texts[0], texts[1])
		}
	}
}

func TestHeader(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.BigInt}, stream.Field{Name: "name", Type: stream.Varchar})
	for _, c := range []struct {
		name, in, header string
		want             []string
		warning, err     string
	}{
		{"by name", "name,ts\nx,1\n", "", []string{`{"ts":1,"name":"x"}`}, "", ""},
		{"other case, more fields", "Extra, NAME ,TS\n9,x,1\n", "", []string{`{"ts":1,"name":"x"}`}, "", ""},
		{"quoted", "\xef\xbb\xbf\"name\",\"ts\"\r\nx,1\r\n", "true", []string{`{"ts":1,"name":"x"}`}, "", ""},
		{"by position", "time,name\n1,x\n", "true", []string{`{"ts":1,"name":"x"}`}, "columns are matched by position", ""},
		{"guessed by position", "time,title\n1,x\n", "", []string{`{"ts":1,"name":"x"}`}, "first line is taken as a header", ""},
		{"none", "1,x\n2,y\n", "", []string{`{"ts":1,"name":"x"}`, `{"ts":2,"name":"y"}`}, "", ""},
		{"none, first row bad", "1,x,3\n2,y\n", "", []string{"error @1 expected 2 fields, found 3: 1,x,3", `{"ts":2,"name":"y"}`}, "", ""},
		{"said there is none", "ts,name\n2,y\n", "false", []string{`error @1 column "ts": cannot read "ts" as BIGINT: ts,name`, `{"ts":2,"name":"y"}`}, "", ""},
		{"wrong number", "a,b,c\n1,x\n", "true", nil, "", "the header has 3 fields (a, b, c), the stream 2 columns (ts, name)"},
		{"blank lines first", "\n\nname,ts\nx,1\n", "", []string{`{"ts":1,"name":"x"}`}, "", ""},
		{"header only", "name,ts", "", nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := testOptions(writeFile(t, "in.csv", c.in))
			if c.header != "" {
				options["header"] = c.header
			}
			src := open(t, options, schema, Env{})
			out := readAll(t, src, 0, Position{})
			for i, l := range out.lines {
				if strings.HasPrefix(l, "{") {
					out.lines[i] = l[:strings.LastIndex(l, " @")]
				}
			}
			check(t, out.lines, c.want)
			if w := fmt.Sprint(src.Warnings()); c.warning == "" && w != "[]" || !strings.Contains(w, c.warning) {
				t.Errorf("warnings %s, want %q", w, c.warning)
			}
			if fmt.Sprint(out.err) == "<nil>" != (c.err == "") || c.err != "" && !strings.Contains(out.err.Error(), c.err) {
				t.Errorf("error %v, want %q", out.err, c.err)
			}
		})
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b,c\n", "\"a\",b,\"\"\"c\"\n", "a,\"b\nc\",d\n\n1,2,3", "a,b\n\"", "a\"b,c,d\n", ",,\n", "\"\",\"\",\"\"\n", "a,b,c,d\n"} {
		f.Add(s)
	}
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar}, stream.Field{Name: "b", Type: stream.Varchar}, stream.Field{Name: "c", Type: stream.Varchar})
	f.Fuzz(func(t *testing.T, text string) {
		d := newCSVDecoder(schema, dialect{delimiter: ',', quote: '"'}, csvReaders(schema, 0))
		out := stream.NewBatch(schema, nil)
		errs, err := d.Decode(&Block{Data: []byte(text), layout: &layout{fields: []int{0, 1, 2}}}, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out.Len {
			d.Record(i)
		}
		if strings.Contains(text, "\r") || len(errs) > 0 {
			return // line ends inside quotes are kept here and changed by encoding/csv
		}
		oracle := csv.NewReader(strings.NewReader(text))
		oracle.FieldsPerRecord, oracle.LazyQuotes = 3, false
		records, err := oracle.ReadAll()
		if err != nil {
			return // a quote in a bare field is text here, an error there
		}
		if len(records) != out.Len {
			t.Fatalf("%d rows, want %d", out.Len, len(records))
		}
		for i, record := range records {
			for c, want := range record {
				if got := out.Cols[c].Value(i); got.S != want || got.Null && want != "" {
					t.Fatalf("row %d: %q, want %q", i, got.S, want)
				}
			}
		}
	})
}
