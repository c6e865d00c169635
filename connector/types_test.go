package connector

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var carried = stream.NewSchema(
	stream.Field{Name: "ti", Type: stream.TinyInt}, stream.Field{Name: "sm", Type: stream.SmallInt}, stream.Field{Name: "dt", Type: stream.Date},
	stream.Field{Name: "tm", Type: stream.TimeOfDay}, stream.Field{Name: "dc", Type: stream.Decimal(6, 2)}, stream.Field{Name: "dw", Type: stream.Decimal(30, 4)})

// TestCarriedTypes reads values of types that are carried as others are, and refuses what
// is out of their range.
func TestCarriedTypes(t *testing.T) {
	good := `{"ti":-128,"sm":32767,"dt":"9999-12-31","tm":"23:59:59.999999","dc":-1234.50,"dw":98765432109876543210.1234}`
	nulls := `{"ti":null,"sm":null,"dt":null,"tm":null,"dc":null,"dw":null}`
	csv := "ti,sm,dt,tm,dc,dw\n-128, 32767 ,9999-12-31,23:59:59.999999,-1.2345e3,98765432109876543210.12339\n,,,,,\n128,,,,,\n,-32769,,,,\n,,2026-02-30,,,\n,,,24:00,,\n,,,,10000,\n,,,,,x\n"
	check(t, rowsOf(t, csv, carried, "header", "true"), []string{good, nulls,
		`error @4 column "ti": cannot read "128" as TINYINT: 128,,,,,`, `error @5 column "sm": cannot read "-32769" as SMALLINT: ,-32769,,,,`,
		`error @6 column "dt": cannot read "2026-02-30" as DATE: ,,2026-02-30,,,`, `error @7 column "tm": cannot read "24:00" as TIME: ,,,24:00,,`,
		`error @8 column "dc": cannot read "10000" as DECIMAL(6,2): ,,,,10000,`, `error @9 column "dw": cannot read "x" as DECIMAL(30,4): ,,,,,x`})
	json := good + "\n" + nulls + "\n" + `{"dc":"-1234.495","dw":"98765432109876543210.1234"}` + "\n" + `{"ti":1.5}` + "\n" + `{"dt":20260101}` + "\n" + `{"dc":true}` + "\n" + `{"dw":[1]}` + "\n"
	check(t, jsonRows(t, json, carried), []string{good, nulls, `{"ti":null,"sm":null,"dt":null,"tm":null,"dc":-1234.50,"dw":98765432109876543210.1234}`,
		`error @4 column "ti": cannot read 1.5 as TINYINT: {"ti":1.5}`, `error @5 column "dt": cannot read 20260101 as DATE: {"dt":20260101}`,
		`error @6 column "dc": cannot read true as DECIMAL(6,2): {"dc":true}`, `error @7 column "dw": cannot read [1] as DECIMAL(30,4): {"dw":[1]}`})
}

func TestDatagenOfCarriedTypes(t *testing.T) {
	lines := generate(t, carried, Position{}, "number-of-rows", "3", "seed", "1", "fields.ti.start", "126", "fields.sm.min", "-3", "fields.sm.max", "-3",
		"fields.dt.start", "2026-02-27", "fields.tm.start", "23:59:59", "fields.dc.start", "9999.98", "fields.dc.step", "0.01", "fields.dw.min", "2.5", "fields.dw.max", "2.5")
	text := strings.Join(lines, "\n")
	for _, want := range []string{
		`{"ti":126,"sm":-3,"dt":"2026-02-27","tm":"23:59:59","dc":9999.98,"dw":2.5000}`,
		`{"ti":127,"sm":-3,"dt":"2026-02-28","tm":"00:00:00","dc":9999.99,"dw":2.5000}`,
		`{"ti":-128,"sm":-3,"dt":"2026-03-01","tm":"00:00:01","dc":-9999.99,"dw":2.5000}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %s", text, want)
		}
	}
}

var blobs = stream.NewSchema(stream.Field{Name: "b", Type: stream.Bytes}, stream.Field{Name: "j", Type: stream.JSON})

// BYTEA is base64 in texts; JSON is checked, kept without blanks, and put out nested.
func TestBytesAndJSON(t *testing.T) {
	rows := []string{`{"b":"AP8=","j":{"a":[1,"x",null]}}`, `{"b":"","j":"s\"é"}`, `{"b":null,"j":null}`, `{"b":"YQ==","j":1.50e3}`, `{"b":null,"j":true}`}
	check(t, jsonRows(t, strings.Join(rows, "\n")+"\n"+`{"j": { "a" : [ ] }, "b":"Y\u0051=="}`+"\n"+`{"b":"x"}`+"\n"+`{"b":12}`+"\n"+"{\"j\":\"\xff\"}\n"+"{\"j\":[\"\xff\"]}\n", blobs), append(slices.Clone(rows),
		`{"b":"YQ==","j":{"a":[]}}`, `error @7 column "b": cannot read string "x" as BYTEA: {"b":"x"}`, `error @8 column "b": cannot read 12 as BYTEA: {"b":12}`,
		"error @9 column \"j\": cannot read string \"\ufffd\" as JSON: {\"j\":\"\ufffd\"}", "error @10 column \"j\": cannot read [\"\ufffd\"] as JSON: {\"j\":[\"\ufffd\"]}"))
	csv := "b,j\nAP8=,\"{\"\"a\"\": [1,\"\"x\"\",null]}\"\n\"\",\"\"\"s\\\"\"é\"\"\"\n,\nYQ==,1.50e3\n,true\n%,\n,{\n"
	check(t, rowsOf(t, csv, blobs, "header", "true"), append(slices.Clone(rows), `error @7 column "b": cannot read "%" as BYTEA: %,`, `error @8 column "j": cannot read "{" as JSON: ,{`))
	lines := generate(t, blobs, Position{}, "number-of-rows", "3", "seed", "1", "fields.b.length", "3", "fields.j.kind", "sequence")
	if text := strings.Join(lines, "\n"); !strings.Contains(text, `"j":2}`) || !strings.Contains(text, `{"b":"`) {
		t.Error(text)
	}
	lines = generate(t, blobs, Position{}, "number-of-rows", "3", "seed", "1", "fields.b.values", "AA==, /w==", "fields.j.length", "2")
	if text := strings.Join(lines, "\n"); !strings.Contains(text, `","j":{"id":`) || !strings.Contains(text, `{"b":"/w=="`) {
		t.Error(text)
	}
}

// Nested columns are made of random parts, the same ones every time.
func TestDatagenOfNestedTypes(t *testing.T) {
	point := stream.RowOf(stream.Member{Name: "x", Type: stream.Integer}, stream.Member{Name: "tags", Type: stream.Array(stream.Varchar)})
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Array(stream.Integer)}, stream.Field{Name: "p", Type: point},
		stream.Field{Name: "all", Type: stream.Array(point)}, stream.Field{Name: "at", Type: stream.Array(stream.Timestamp)})
	options := []string{"number-of-rows", "200", "fields.a.length", "5", "fields.a.var-len", "true", "fields.p.null-rate", "0.5", "fields.all.length", "0"}
	src := open(t, withOptions(map[string]string{"connector": "datagen"}, options), schema, Env{})
	r, err := src.Reader(context.Background(), 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	var b Block
	if err := r.Next(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	first, again := stream.NewBatch(schema, nil), stream.NewBatch(schema, nil)
	for _, out := range []*stream.Batch{first, again} {
		if _, err := src.NewDecoder().Decode(&b, out, nil); err != nil {
			t.Fatal(err)
		}
	}
	lengths, nulls, numbers := map[int]int{}, 0, map[int64]int{}
	for row := range 200 {
		for i, f := range schema.Fields {
			v := first.Cols[i].Value(row)
			if v != again.Cols[i].Value(row) || !v.Null && !stream.ValidNested(f.Type, []byte(v.S)) {
				t.Fatalf("row %d: %s", row, v)
			}
		}
		a, p, at := first.Cols[0].Value(row).Items(), first.Cols[1].Value(row), first.Cols[3].Value(row).Items()
		lengths[len(a)]++
		for _, v := range a {
			numbers[v.I]++
		}
		if p.Null {
			nulls++
		} else if tags := p.Items()[1].Items(); len(tags) != 2 || len(tags[0].S) != textLength || tags[0] == tags[1] {
			t.Errorf("row %d: %s", row, p)
		}
		if first.Cols[2].Value(row).String() != "[]" || len(at) != 3 || at[0].I < startMicros {
			t.Errorf("row %d: %v %v", row, first.Cols[2].Value(row), at)
		}
	}
	if len(lengths) != 6 || lengths[5] < 10 || nulls < 60 || nulls > 140 || len(numbers) < 150 {
		t.Error(lengths, nulls, len(numbers))
	}
	for _, wrong := range [][]string{{"fields.a.length", "1001"}, {"fields.p.length", "2"}, {"fields.a.kind", "sequence"}, {"fields.a.values", "1,2"}, {"fields.a.start", "2"}, {"fields.a.min", "2"}} {
		if _, err := CheckSource(withOptions(map[string]string{"connector": "datagen"}, wrong), schema.Fields); err == nil || !strings.Contains(err.Error(), wrong[0]) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func withOptions(options map[string]string, pairs []string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		options[pairs[i]] = pairs[i+1]
	}
	return options
}
