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
