package parquet

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/millrace/millrace/stream"
)

// testColumn is a column of a file made by parquet-go's own writer, and what a stream
// should see of it.
type testColumn struct {
	node  pq.Node
	typ   stream.Type
	value func(r *rand.Rand, row int) (pq.Value, stream.Value)
}

func testColumns() map[string]testColumn {
	words := []string{"", "a", "Zürich", "a longer text that is there often", "x\x00y"}
	return map[string]testColumn{
		"flag": {pq.Leaf(pq.BooleanType), stream.Boolean, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			b := r.IntN(3) == 0
			return pq.BooleanValue(b), stream.Bool(b)
		}},
		"i32": {pq.Int(32), stream.Integer, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := int32(r.Uint32())
			return pq.Int32Value(v), stream.Int(v)
		}},
		"i32_wide": {pq.Int(32), stream.BigInt, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := int32(r.Uint32())
			return pq.Int32Value(v), stream.Big(int64(v))
		}},
		"u32": {pq.Uint(32), stream.BigInt, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := r.Uint32()
			return pq.Int32Value(int32(v)), stream.Big(int64(v))
		}},
		"i64": {pq.Int(64), stream.BigInt, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int64Value(int64(row)), stream.Big(int64(row))
		}},
		"few": {pq.Int(64), stream.BigInt, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := r.Int64N(5) - 2
			return pq.Int64Value(v), stream.Big(v)
		}},
		"f32": {pq.Leaf(pq.FloatType), stream.Real, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := float32(r.NormFloat64())
			return pq.FloatValue(v), stream.Float(v)
		}},
		"f32_wide": {pq.Leaf(pq.FloatType), stream.Double, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := float32(r.NormFloat64())
			return pq.FloatValue(v), stream.Dbl(float64(v))
		}},
		"f64": {pq.Leaf(pq.DoubleType), stream.Double, func(r *rand.Rand, row int) (pq.Value, stream.Value) {
			v := r.NormFloat64()
			if row%50 == 7 {
				v = math.NaN()
			}
			return pq.DoubleValue(v), stream.Dbl(v)
		}},
		"word": {pq.String(), stream.Varchar, func(r *rand.Rand, _ int) (pq.Value, stream.Value) {
			v := words[r.IntN(len(words))]
			return pq.ByteArrayValue([]byte(v)), stream.Text(v)
		}},
		"text": {pq.Leaf(pq.ByteArrayType), stream.Varchar, func(r *rand.Rand, row int) (pq.Value, stream.Value) {
			v := fmt.Sprint(row, strings.Repeat("x", r.IntN(20)))
			return pq.ByteArrayValue([]byte(v)), stream.Text(v)
		}},
		"ms": {pq.Timestamp(pq.Millisecond), stream.Timestamp, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int64Value(int64(row)*1000 - 5), stream.Time((int64(row)*1000 - 5) * 1000)
		}},
		"us": {pq.Timestamp(pq.Microsecond), stream.Timestamp, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int64Value(int64(row)), stream.Time(int64(row))
		}},
		"ns": {pq.Timestamp(pq.Nanosecond), stream.Timestamp, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int64Value(int64(row)*1000 - 1), stream.Time(int64(row) - 1)
		}},
		"day": {pq.Date(), stream.Timestamp, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int32Value(int32(row) - 3), stream.Time((int64(row) - 3) * stream.MicrosPerDay)
		}},
		"date": {pq.Date(), stream.Date, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int32Value(int32(row) - 3), stream.Value{Type: stream.Date, I: int64(row) - 3}
		}},
		"time_ms": {pq.Time(pq.Millisecond), stream.TimeOfDay, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int32Value(int32(row)), stream.Value{Type: stream.TimeOfDay, I: int64(row) * 1000}
		}},
		"time_ns": {pq.Time(pq.Nanosecond), stream.TimeOfDay, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int64Value(int64(row)*1000 + 999), stream.Value{Type: stream.TimeOfDay, I: int64(row)}
		}},
		"i8": {pq.Int(8), stream.TinyInt, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int32Value(int32(int8(row))), stream.Value{Type: stream.TinyInt, I: int64(int8(row))}
		}},
		"u8": {pq.Uint(8), stream.SmallInt, func(_ *rand.Rand, row int) (pq.Value, stream.Value) {
			return pq.Int32Value(int32(uint8(row))), stream.Value{Type: stream.SmallInt, I: int64(uint8(row))}
		}},
	}
}

// variant is a way to write a file.
type variant struct {
	name    string
	codec   compress.Codec
	encode  func(name string, n pq.Node) pq.Node
	nulls   bool
	options []pq.WriterOption
}

func plainly(_ string, n pq.Node) pq.Node { return n }

func dictionary(_ string, n pq.Node) pq.Node {
	if n.Type().Kind() == pq.Boolean {
		return n
	}
	return pq.Encoded(n, &pq.RLEDictionary)
}

func deltas(_ string, n pq.Node) pq.Node {
	e := map[pq.Kind]encoding.Encoding{pq.Int32: &pq.DeltaBinaryPacked, pq.Int64: &pq.DeltaBinaryPacked,
		pq.ByteArray: &pq.DeltaByteArray, pq.Float: &pq.ByteStreamSplit, pq.Double: &pq.ByteStreamSplit, pq.Boolean: &pq.RLE}[n.Type().Kind()]
	return pq.Encoded(n, e)
}

func variants() []variant {
	return []variant{
		{name: "plain", codec: &pq.Uncompressed, encode: plainly},
		{name: "plain v1 with NULLs", codec: &pq.Snappy, encode: plainly, nulls: true, options: []pq.WriterOption{pq.DataPageVersion(1)}},
		{name: "dictionary", codec: &pq.Zstd, encode: dictionary, options: []pq.WriterOption{pq.DataPageStatistics(true)}},
		{name: "dictionary v1 with NULLs", codec: &pq.Gzip, encode: dictionary, nulls: true, options: []pq.WriterOption{pq.DataPageVersion(1)}},
		{name: "dictionary with NULLs", codec: &pq.Lz4Raw, encode: dictionary, nulls: true},
		{name: "delta", codec: &pq.Brotli, encode: deltas},
		{name: "delta with NULLs", codec: &pq.Snappy, encode: deltas, nulls: true},
	}
}

// makeFile writes rows by parquet-go and returns the file and what a stream should read.
func makeFile(t testing.TB, v variant, rows, groupRows int) ([]byte, *stream.Schema, [][]stream.Value) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(rows)))
	group, columns := pq.Group{}, testColumns()
	for name, c := range columns {
		n := v.encode(name, c.node)
		if v.nulls {
			n = pq.Optional(n)
		}
		group[name] = pq.Compressed(n, v.codec)
	}
	schema := pq.NewSchema("test", group)
	var out bytes.Buffer
	w := pq.NewWriter(&out, append([]pq.WriterOption{schema, pq.PageBufferSize(1000), pq.MaxRowsPerRowGroup(int64(groupRows))}, v.options...)...)
	fields := &stream.Schema{}
	for _, f := range schema.Fields() {
		fields.Fields = append(fields.Fields, stream.Field{Name: f.Name(), Type: columns[f.Name()].typ})
	}
	var want [][]stream.Value
	for row := range rows {
		line, expected := pq.Row{}, []stream.Value{}
		for i, f := range fields.Fields {
			value, as := columns[f.Name].value(r, row)
			if v.nulls && r.IntN(4) == 0 {
				line, expected = append(line, pq.NullValue().Level(0, 0, i)), append(expected, stream.NullOf(f.Type))
				continue
			}
			level := 0
			if v.nulls {
				level = 1
			}
			line, expected = append(line, value.Level(0, level, i)), append(expected, as)
		}
		if _, err := w.WriteRows([]pq.Row{line}); err != nil {
			t.Fatal(err)
		}
		want = append(want, expected)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), fields, want
}

func openBytes(t testing.TB, data []byte, s *stream.Schema) *File {
	t.Helper()
	f, err := Open("test.parquet", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Bind(s.Fields, nil, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

// readUnits decodes all rows in units of `step` rows with a few decoders in turn.
func readUnits(t testing.TB, f *File, data []byte, s *stream.Schema, step int64) (rows [][]stream.Value) {
	t.Helper()
	decoders := []Decoder{{}, {}, {}}
	r, n := bytes.NewReader(data), 0
	for g := range f.Groups() {
		_, groupRows := f.Group(g)
		for at := int64(0); at < groupRows; at += step {
			out := stream.NewBatch(s, nil)
			failed, err := decoders[n%len(decoders)].Decode(f, r, Unit{g, at, min(at+step, groupRows)}, out)
			if err != nil {
				t.Fatal(err)
			}
			if len(failed) > 0 {
				t.Fatal(failed)
			}
			for i := range out.Len {
				rows = append(rows, out.Row(i))
			}
			n++
		}
	}
	return rows
}

func sameRows(t testing.TB, got, want [][]stream.Value, s *stream.Schema) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, not %d", len(got), len(want))
	}
	for i := range want {
		for c := range want[i] {
			g, w := got[i][c], want[i][c]
			if g.Null != w.Null || !w.Null && g != w && !(w.F != w.F && g.F != g.F) {
				t.Fatalf("row %d, column %s: %+v, not %+v", i, s.Fields[c].Name, g, w)
			}
		}
	}
}

// What parquet-go writes in any of its ways is read back, in units of any size.
func TestReadsEveryEncoding(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			data, schema, want := makeFile(t, v, 1500, 700)
			for _, index := range []bool{true, false} {
				for _, step := range []int64{1 << 20, 700, 64, 37} {
					f := openBytes(t, data, schema)
					if !index {
						forgetIndexes(f)
					}
					sameRows(t, readUnits(t, f, data, schema, step), want, schema)
				}
			}
		})
	}
}

// forgetIndexes makes a file one without page indexes, as some writers leave it.
func forgetIndexes(f *File) {
	for g := range f.groups {
		for i := range f.groups[g].chunks {
			m := *f.groups[g].chunks[i].meta
			m.OffsetIndexOffset, m.ColumnIndexOffset = 0, 0
			f.groups[g].chunks[i].meta = &m
		}
	}
}

// A damaged file is an error that names it; nothing panics and no row is made up where
// the file is cut off.
func TestDamagedFiles(t *testing.T) {
	for _, v := range variants() {
		data, schema, _ := makeFile(t, v, 300, 100)
		for cut := 0; cut < len(data); cut += 97 {
			if _, err := Open("cut.parquet", bytes.NewReader(data[:cut]), int64(cut)); err == nil || !strings.Contains(err.Error(), "cut.parquet: ") {
				t.Fatalf("%s cut to %d bytes: %v", v.name, cut, err)
			}
		}
		r := rand.New(rand.NewPCG(7, 7))
		for range 300 {
			bad := bytes.Clone(data)
			for range 1 + r.IntN(3) {
				bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
			}
			tryAll(t, bad, schema)
		}
		f := openBytes(t, data, schema)
		half := bytes.NewReader(data[:len(data)/2]) // the data is gone since the footer was read
		var d Decoder
		_, err := d.Decode(f, half, Unit{f.Groups() - 1, 0, 10}, stream.NewBatch(schema, nil))
		if err == nil || !strings.Contains(err.Error(), "test.parquet: row group 2, column") || !strings.Contains(err.Error(), "truncated") {
			t.Fatalf("%v", err)
		}
	}
}

func tryAll(t *testing.T, data []byte, schema *stream.Schema) {
	t.Helper()
	f, err := Open("bad.parquet", bytes.NewReader(data), int64(len(data)))
	if err != nil || f.Bind(schema.Fields, nil, 0) != nil || f.Rows > 10_000 {
		return
	}
	var d Decoder
	for g := range f.Groups() {
		if _, rows := f.Group(g); rows > 0 {
			_, _ = d.Decode(f, bytes.NewReader(data), Unit{g, 0, rows}, stream.NewBatch(schema, nil))
		}
	}
}

func TestRowsThatAreNone(t *testing.T) {
	type record struct {
		ID   uint64 `parquet:"id"`
		Name []byte `parquet:"name,optional,dict"`
		At   int64  `parquet:"at,timestamp(millisecond)"`
		Day  int32  `parquet:"day,date"`
	}
	var out bytes.Buffer
	w := pq.NewGenericWriter[record](&out)
	_, err := w.Write([]record{{1, []byte("a"), 0, 1}, {math.MaxUint64, []byte("b"), 0, 1}, {3, []byte("\xff"), 0, 1}, {4, nil, 0, 1},
		{5, []byte("c"), math.MaxInt64, 1}, {6, []byte("é"), 1, 1}, {7, []byte("d"), 1, math.MaxInt32}})
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	schema := stream.NewSchema(stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "ID", Type: stream.BigInt}, stream.Field{Name: "name", Type: stream.Varchar, NotNull: true},
		stream.Field{Name: "day", Type: stream.Date})
	f := openBytes(t, out.Bytes(), schema)
	var d Decoder
	failed, err := d.Decode(f, bytes.NewReader(out.Bytes()), Unit{0, 0, 7}, stream.NewBatch(schema, nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []Failure{{1, `column "ID": a value is out of the range of BIGINT`}, {2, `column "name": invalid UTF-8`},
		{3, `column "name" is NOT NULL`}, {4, `column "at": a value is out of the range of TIMESTAMP`}, {6, `column "day": a value is out of the range of DATE`}}
	if fmt.Sprint(failed) != fmt.Sprint(want) {
		t.Errorf("%v", failed)
	}
}
