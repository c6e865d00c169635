package parquet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/streamtest"
)

// nestedRows writes random rows of random nested types beside a flat column.
func nestedRows(t testing.TB, r *rand.Rand, rows, longest int, codec string, groupRows int64) ([]byte, *stream.Schema, [][]stream.Value) {
	t.Helper()
	schema := stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt, NotNull: true})
	for i := range 4 {
		schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", i), Type: streamtest.Nested(r, 1+i), NotNull: i == 2})
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, schema.Visible(), codec, groupRows)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]stream.Value
	for len(all) < rows {
		b := stream.NewBatch(schema, nil)
		for range min(1+r.IntN(300), rows-len(all)) {
			line := []stream.Value{stream.Big(int64(len(all)))}
			for _, f := range schema.Fields[1:] {
				v := streamtest.Value(r, f.Type, longest)
				for f.NotNull && v.Null {
					v = streamtest.Value(r, f.Type, longest)
				}
				line = append(line, v)
			}
			b.AppendRow(line)
			all = append(all, line)
		}
		if err := w.Write(b, 0, b.Len); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), schema, all
}

// Random values of random nested types are read back as they were written, in units of
// any size, over the borders of row groups and pages, with page indexes and without.
func TestNestedValuesAreReadBack(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 21))
		codec := []string{"none", "snappy", "zstd", "gzip"}[seed%4]
		data, schema, want := nestedRows(t, r, r.IntN(700), 1+r.IntN(6), codec, int64(1+r.IntN(300)))
		for _, step := range []int64{1 << 20, int64(1 + r.IntN(100))} {
			f := openBytes(t, data, schema)
			if step < 1000 {
				forgetIndexes(f)
			}
			sameRows(t, readUnits(t, f, data, schema, step), want, schema)
			if g := r.IntN(f.Groups() + 1); g < f.Groups() { // any rows, as after a restart
				first, rows := f.Group(g)
				from := r.Int64N(rows)
				to := from + 1 + r.Int64N(rows-from)
				var d Decoder
				for range 2 {
					out := stream.NewBatch(schema, nil)
					if failed, err := d.Decode(f, bytes.NewReader(data), Unit{g, from, to}, out); err != nil || len(failed) > 0 {
						t.Fatal(failed, err)
					}
					for i := range out.Len {
						sameRows(t, [][]stream.Value{out.Row(i)}, want[first+from+int64(i):][:1], schema)
					}
				}
			}
		}
		fields, skipped := openBytes(t, data, schema).Fields()
		for i, f := range fields {
			if w := schema.Fields[i]; f.Type != w.Type && !strings.Contains(w.Type.String(), `"D"`) && !strings.Contains(w.Type.String(), "INTERVAL") {
				t.Errorf("seed %d: %s is %s, not %s", seed, f.Name, f.Type, w.Type)
			}
		}
		if len(skipped) > 0 || len(fields) != schema.Len() {
			t.Error(skipped)
		}
	}
}

// Pages of long arrays end between rows, and one value can be longer than a page.
func TestLongArrays(t *testing.T) {
	list := stream.Array(stream.Varchar)
	schema := stream.NewSchema(stream.Field{Name: "a", Type: list}, stream.Field{Name: "b", Type: stream.Array(stream.BigInt)})
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, []int{0, 1}, "snappy", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]stream.Value
	b := stream.NewBatch(schema, nil)
	for row := range 3000 {
		n := row % 50
		if row%1000 == 17 {
			n = 200_000
		}
		texts, numbers := make([]stream.Value, n), make([]stream.Value, n)
		for i := range n {
			texts[i], numbers[i] = stream.Text(fmt.Sprint("text ", row*i)), stream.Big(int64(i))
		}
		line := []stream.Value{stream.Nested(list, texts...), stream.Nested(schema.Fields[1].Type, numbers...)}
		b.AppendRow(line)
		want = append(want, line)
	}
	if err := w.Write(b, 0, b.Len); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for _, step := range []int64{1000, 33} {
		f := openBytes(t, out.Bytes(), schema)
		if pages := pagesOf(t, f, out.Bytes()); pages < 12 {
			t.Errorf("%d pages", pages)
		}
		sameRows(t, readUnits(t, f, out.Bytes(), schema, step), want, schema)
	}
	f := openBytes(t, out.Bytes(), schema)
	if step, err := f.Step(bytes.NewReader(out.Bytes()), 0, nil, 65536); err != nil || step < nestedRowsMin || step >= 1000 {
		t.Errorf("units of %d rows: %v", step, err)
	}
	if step, err := f.Step(bytes.NewReader(out.Bytes()), 0, []bool{false, false}, 65536); err != nil || step != 65536 {
		t.Errorf("units of %d rows: %v", step, err)
	}
}

func pagesOf(t *testing.T, f *File, data []byte) (n int) {
	t.Helper()
	for g := range f.groups {
		for i := range f.groups[g].chunks {
			c := &f.groups[g].chunks[i]
			if err := c.load(bytes.NewReader(data), f.groups[g].rows); err != nil {
				t.Fatal(err)
			}
			n += len(c.pages)
		}
	}
	return n
}

// What parquet-go writes of nested Go values in any of its ways is read, rows that go over
// pages included.
func TestReadsNestedOfParquetGo(t *testing.T) {
	type inner struct {
		Name string   `parquet:"name,dict"`
		Tags []string `parquet:"tags,list"`
		N    *int64   `parquet:"n,optional"`
	}
	type record struct {
		ID   int64    `parquet:"id"`
		Bare []int32  `parquet:"bare"`
		List []inner  `parquet:"list,list"`
		Sub  *inner   `parquet:"sub,optional"`
		Opt  []string `parquet:"opt,list,optional"`
	}
	part := stream.RowOf(stream.Member{Name: "name", Type: stream.Varchar}, stream.Member{Name: "tags", Type: stream.Array(stream.Varchar)}, stream.Member{Name: "n", Type: stream.BigInt})
	schema := stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "bare", Type: stream.Array(stream.Integer)},
		stream.Field{Name: "list", Type: stream.Array(part)}, stream.Field{Name: "sub", Type: part}, stream.Field{Name: "opt", Type: stream.Array(stream.Varchar)})
	texts := func(words []string) stream.Value {
		var items []stream.Value
		for _, w := range words {
			items = append(items, stream.Text(w))
		}
		return stream.Nested(stream.Array(stream.Varchar), items...)
	}
	row := func(i inner) stream.Value {
		n := stream.NullOf(stream.BigInt)
		if i.N != nil {
			n = stream.Big(*i.N)
		}
		return stream.Nested(part, stream.Text(i.Name), texts(i.Tags), n)
	}
	for _, options := range [][]pq.WriterOption{{pq.DataPageVersion(1), pq.PageBufferSize(200)}, {pq.DataPageVersion(2), pq.PageBufferSize(100)}} {
		r := rand.New(rand.NewPCG(3, 4))
		var out bytes.Buffer
		w := pq.NewGenericWriter[record](&out, append(options, pq.MaxRowsPerRowGroup(250))...)
		var want [][]stream.Value
		for id := range 600 {
			draw := func() inner {
				i := inner{Name: fmt.Sprint("name", r.IntN(9))}
				for range r.IntN(4) {
					i.Tags = append(i.Tags, fmt.Sprint("t", r.IntN(100)))
				}
				if n := r.Int64N(9); r.IntN(2) == 0 {
					i.N = &n
				}
				return i
			}
			rec := record{ID: int64(id)}
			line := []stream.Value{stream.Big(rec.ID), {}, {}, stream.NullOf(part), stream.NullOf(stream.Array(stream.Varchar))}
			var bare, list []stream.Value
			for range r.IntN(5) {
				n := r.Int32N(100)
				rec.Bare, bare = append(rec.Bare, n), append(bare, stream.Int(n))
				i := draw()
				rec.List, list = append(rec.List, i), append(list, row(i))
			}
			line[1], line[2] = stream.Nested(schema.Fields[1].Type, bare...), stream.Nested(schema.Fields[2].Type, list...)
			if r.IntN(3) > 0 {
				i := draw()
				rec.Sub, line[3] = &i, row(i)
			}
			if r.IntN(3) > 0 {
				rec.Opt = draw().Tags
			}
			if len(rec.Opt) > 0 { // of an empty one, parquet-go writes NULL
				line[4] = texts(rec.Opt)
			}
			if _, err := w.Write([]record{rec}); err != nil {
				t.Fatal(err)
			}
			want = append(want, line)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, index := range []bool{true, false} {
			f := openBytes(t, out.Bytes(), schema)
			if !index {
				forgetIndexes(f)
			}
			sameRows(t, readUnits(t, f, out.Bytes(), schema, 41), want, schema)
		}
	}
}

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

// Values that are none of the type of their part are error rows of their own.
func TestNestedRowsThatAreNone(t *testing.T) {
	type record struct {
		Names [][]byte `parquet:"names,list"`
		IDs   []uint64 `parquet:"ids,list"`
	}
	var out bytes.Buffer
	w := pq.NewGenericWriter[record](&out)
	_, err := w.Write([]record{{[][]byte{[]byte("a"), []byte("b")}, []uint64{1}}, {[][]byte{[]byte("a"), []byte("\xff")}, nil}, {nil, []uint64{1, 1 << 63}}, {nil, nil}})
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	schema := stream.NewSchema(stream.Field{Name: "names", Type: stream.Array(stream.Varchar)}, stream.Field{Name: "ids", Type: stream.Array(stream.BigInt)})
	f := openBytes(t, out.Bytes(), schema)
	var d Decoder
	failed, err := d.Decode(f, bytes.NewReader(out.Bytes()), Unit{0, 0, 4}, stream.NewBatch(schema, nil))
	if want := "[{1 column \"names\": invalid UTF-8} {2 column \"ids\": a value is out of the range of BIGINT}]"; err != nil || fmt.Sprint(failed) != want {
		t.Errorf("%v %v", failed, err)
	}
}

// Only the chunks of the columns and members that are asked for are read.
func TestNestedProjection(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	data, schema, _ := nestedRows(t, r, 400, 4, "none", 100)
	f := openBytes(t, data, schema)
	for i := range schema.Fields {
		need := make([]bool, schema.Len())
		need[i] = true
		out := stream.NewBatch(schema, need)
		from := &touched{bytes.NewReader(data), nil}
		var d Decoder
		if _, err := d.Decode(f, from, Unit{1, 10, 60}, out); err != nil {
			t.Fatal(err)
		}
		for _, at := range from.at {
			inside := at >= f.groups[1].chunks[0].meta.MetaData.DataPageOffset && at > f.groups[3].chunks[0].start() // page indexes
			for _, k := range f.chunksOf(&f.bound[i]) {
				m := &f.groups[1].chunks[k].meta.MetaData
				inside = inside || at >= f.groups[1].chunks[k].start() && at < f.groups[1].chunks[k].start()+m.TotalCompressedSize
			}
			if !inside {
				t.Errorf("column %d: byte %d is read", i, at)
			}
		}
	}
}

// touched notes where is read.
type touched struct {
	*bytes.Reader
	at []int64
}

func (r *touched) ReadAt(p []byte, at int64) (int, error) {
	r.at = append(r.at, at)
	return r.Reader.ReadAt(p, at)
}

// A damaged file is an error, or rows; nothing panics. Files of other writers have no
// checksums of pages, so that levels are damaged, too.
func TestDamagedNestedFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, name := range []string{"split", "names", "pages", ""} {
		data, schema, _ := nestedRows(t, r, 120, 3, "none", 50)
		if name != "" {
			var err error
			if data, err = os.ReadFile("../testdata/nested/" + name + ".parquet"); err != nil {
				t.Fatal(err)
			}
			f, err := Open(name, bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			fields, _ := f.Fields()
			schema = stream.NewSchema(fields...)
		}
		for range 700 {
			bad := bytes.Clone(data)
			for range 1 + r.IntN(3) {
				bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
			}
			tryAll(t, bad, schema)
		}
	}
}

// Pages of the old form may begin in the middle of a row, and hold nothing but a part of
// one. Old writers made such files.
func TestPagesThatBeginWithinRows(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 77))
		schema := stream.NewSchema(stream.Field{Name: "c", Type: stream.Array(streamtest.Nested(r, 3))}, stream.Field{Name: "d", Type: streamtest.Nested(r, 3)})
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, []int{0, 1}, "none", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]stream.Value
		for range 60 {
			line := []stream.Value{streamtest.Value(r, schema.Fields[0].Type, 6), streamtest.Value(r, schema.Fields[1].Type, 6)}
			for k, v := range line {
				if v.Null {
					w.missing(&w.nests[k], 0, 0)
				} else {
					w.put(&w.nests[k], v.Type, []byte(v.S), 0)
				}
			}
			want = append(want, line)
		}
		w.rows = int64(len(want))
		for i := range w.columns {
			splitPages(t, r, &w.columns[i])
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, step := range []int64{60, 7, 1} {
			f := openBytes(t, out.Bytes(), schema)
			forgetIndexes(f)
			sameRows(t, readUnits(t, f, out.Bytes(), schema, step), want, schema)
			goesOn := false
			for i := range f.groups[0].chunks {
				goesOn = goesOn || slices.ContainsFunc(f.groups[0].chunks[i].pages, func(p page) bool { return p.goesOn && p.rows == 0 })
			}
			if !goesOn {
				t.Error("no page is a part of a row")
			}
		}
	}
}

// splitPages makes small pages of all that a leaf has.
func splitPages(t *testing.T, r *rand.Rand, c *columnWriter) {
	t.Helper()
	all, values := *c.nested, c.page
	c.page = stream.Column{}
	for at, value := 0, 0; at < len(all.reps); {
		end := min(at+1+r.IntN(4), len(all.reps))
		c.nested.reps, c.nested.defs, c.nested.values = all.reps[at:end], all.defs[at:end], 0
		for i := range c.nested.reps {
			if int(c.nested.defs[i]) == all.def {
				c.nested.values++
			}
		}
		c.page.Reset(values.Type)
		c.page.AppendRange(&values, value, value+c.nested.values, 0)
		value, at = value+c.nested.values, end
		if err := c.flush(); err != nil {
			t.Fatal(err)
		}
	}
}
