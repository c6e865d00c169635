package connector

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/linkedin/goavro/v2"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/streamtest"
)

var foreignNested = stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "tags", Type: stream.Array(stream.Varchar)},
	stream.Field{Name: "grid", Type: stream.Array(stream.Array(stream.Integer))},
	stream.Field{Name: "at", Type: stream.RowOf(stream.Member{Name: "lat", Type: stream.Double}, stream.Member{Name: "day", Type: stream.Date}, stream.Member{Name: "price", Type: stream.Decimal(6, 2)})},
	stream.Field{Name: "items", Type: stream.Array(stream.RowOf(stream.Member{Name: "sku", Type: stream.Varchar}, stream.Member{Name: "n", Type: stream.Array(stream.BigInt)}))},
	stream.Field{Name: "pair", Type: stream.Array(stream.Integer)})

// Files with arrays and rows that other writers made (testdata/nested/make.py) hold the
// same rows, say their types, and can be gone on with behind every block.
func TestForeignNestedFiles(t *testing.T) {
	text, err := os.ReadFile("testdata/nested/rows.ndjson")
	files, globbed := filepath.Glob("testdata/nested/*.*")
	if err := errors.Join(err, globbed); err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, path := range files {
		if filepath.Ext(path) == ".py" {
			continue
		}
		for _, env := range []Env{{}, {BlockBytes: 300}} {
			src := open(t, testOptions(path), foreignNested, env)
			got := readAll(t, src, 0, Position{})
			if got.err != nil {
				t.Fatal(path, got.err)
			}
			sameLines(t, path, withoutPlaces(got.lines), want)
			for _, p := range positionsOf(t, src) {
				rest := readAll(t, src, 0, p.at)
				if rest.err != nil {
					t.Fatal(path, rest.err)
				}
				sameLines(t, path, withoutPlaces(rest.lines), want[p.rows:])
			}
		}
		if filepath.Ext(path) == ".ndjson" {
			continue
		}
		inferred, err := Infer(path)
		if err != nil || len(inferred.Left) > 0 {
			t.Fatal(inferred.Left, err)
		}
		for i, f := range foreignNested.Fields {
			if c := inferred.Columns[i]; c.Name != f.Name || c.Type != f.Type {
				t.Errorf("%s: %s is %s, not %s", path, c.Name, c.Type, f.Type)
			}
		}
	}
}

// Random values of random nested types are written to files of columns and read back, from
// any row on.
func TestNestedColumnFilesRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for n := range 40 {
		schema := stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt, NotNull: true})
		for i := range 3 {
			schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", i), Type: streamtest.Nested(r, 1+i)})
		}
		path := filepath.Join(t.TempDir(), []string{"a.arrow", "b.arrows", "c.parquet", "d.avro"}[n%4])
		sink, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": path}}, schema, schema.Visible(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for range 3 {
			b := stream.NewBatch(schema, nil)
			for row := range 100 {
				line := []stream.Value{stream.Big(int64(row))}
				for _, f := range schema.Fields[1:] {
					line = append(line, streamtest.Value(r, f.Type, 4))
				}
				b.AppendRow(line)
			}
			if err := sink.(BatchSink).WriteBatch(b, 5, 99); err != nil {
				t.Fatal(err)
			}
			for row := 5; row < 99; row++ {
				want = append(want, string(AppendJSONRow(nil, b, schema.Visible(), row)))
			}
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		got := readAll(t, open(t, testOptions(path), schema, Env{BlockBytes: 600}), 0, Position{})
		all := slices.Clone(got.lines)
		sameLines(t, path, withoutPlaces(got.lines), want)
		for i := 0; i < len(got.positions); i += 3 {
			rest := readAll(t, open(t, testOptions(path), schema, Env{}), 0, got.positions[i])
			sameLines(t, got.positions[i], rest.lines, all[got.before[i]:])
		}
		if f, err := Infer(path); err != nil || len(f.Left) > 0 || len(f.Columns) != schema.Len() {
			t.Errorf("%+v %v", f, err)
		}
	}
}

func withoutPlaces(lines []string) []string {
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, " @")
	}
	return lines
}

type position struct {
	at   Position
	rows int
}

// positionsOf are the places behind blocks, and how many rows are before them.
func positionsOf(t *testing.T, src Source) (out []position) {
	t.Helper()
	r, err := src.Reader(context.Background(), 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d, b, rows := src.NewDecoder(), Block{}, 0
	for {
		if err := r.Next(context.Background(), &b); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		batch := stream.NewBatch(foreignNested, nil)
		if _, err := d.Decode(&b, batch, nil); err != nil {
			t.Fatal(err)
		}
		rows += batch.Len
		out = append(out, position{b.End, rows})
	}
}

// Elements that are none of their type make error rows; lists of other kinds are told from
// what there is no type for.
func TestNestedArrowTypes(t *testing.T) {
	list := arrow.ListOf(arrow.PrimitiveTypes.Uint64)
	group := arrow.StructOf(arrow.Field{Name: "B", Type: arrow.BinaryTypes.String, Nullable: true}, arrow.Field{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8), Nullable: true})
	schema := arrow.NewSchema([]arrow.Field{{Name: "l", Type: list, Nullable: true}, {Name: "g", Type: group, Nullable: true},
		{Name: "v", Type: arrow.ListViewOf(arrow.PrimitiveTypes.Int8), Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	l := b.Field(0).(*array.ListBuilder)
	g := b.Field(1).(*array.StructBuilder)
	v := b.Field(2).(*array.ListViewBuilder)
	for row, text := range []string{"a", "\xff", "b", ""} {
		l.Append(row != 3)
		l.ValueBuilder().(*array.Uint64Builder).AppendValues([]uint64{1, []uint64{2, 3, math.MaxUint64, 4}[row]}, nil)
		g.Append(row != 3)
		g.FieldBuilder(0).(*array.StringBuilder).Append(text)
		g.FieldBuilder(1).AppendNull()
		v.AppendWithSize(row != 3, 1)
		v.ValueBuilder().(*array.Int8Builder).Append(int8(row))
	}
	path := filepath.Join(t.TempDir(), "x.arrow")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(b.NewRecordBatch()), w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	member := func(name string, of stream.Type) stream.Type {
		return stream.RowOf(stream.Member{Name: name, Type: of})
	}
	read := stream.NewSchema(stream.Field{Name: "l", Type: stream.Array(stream.BigInt)}, stream.Field{Name: "g", Type: member("b", stream.Varchar)}, stream.Field{Name: "v", Type: stream.Array(stream.Integer)})
	check(t, readAll(t, open(t, testOptions(path), read, Env{}), 0, Position{}).lines, []string{
		`{"l":[1,2],"g":{"b":"a"},"v":[0]} @1 {"l":[1,2],"g":{"b":"a"},"v":[0]}`,
		`error @2 column "g": invalid UTF-8: {"l":[1,3],"g":{"b":"` + "\ufffd" + `"},"v":[1]}`,
		`error @3 column "l": a value is out of the range of BIGINT: {"l":[1,-1],"g":{"b":"b"},"v":[2]}`,
		`{"l":null,"g":null,"v":null} @4 {"l":null,"g":null,"v":null}`,
	})
	f, err := Infer(path)
	if err != nil || len(f.Columns) != 2 || len(f.Left) != 1 || !strings.HasPrefix(f.Left[0], "g (struct<B: utf8 nullable, m: map<") {
		t.Errorf("%+v %v", f, err)
	}
	for _, wrong := range []stream.Field{{Name: "g", Type: member("c", stream.Varchar)}, {Name: "g", Type: member("m", stream.Varchar)}, {Name: "l", Type: stream.Array(stream.Integer)},
		{Name: "l", Type: stream.BigInt}, {Name: "g", Type: stream.RowOf(stream.Member{Name: "b", Type: stream.Varchar}, stream.Member{Name: "B", Type: stream.Varchar})}} {
		if _, err := CheckSource(testOptions(path), []stream.Field{wrong}); err == nil || !strings.Contains(err.Error(), "cannot be read as "+wrong.Type.String()) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

// A list that goes where there are no elements is an error that names the file.
func TestDamagedNestedArrow(t *testing.T) {
	data, err := os.ReadFile("testdata/nested/plain.arrow")
	if err != nil {
		t.Fatal(err)
	}
	var offsets []byte // of tags: the first rows have 3, 0, 0, 1 and 5
	for _, n := range []uint32{0, 3, 3, 3, 4, 9} {
		offsets = binary.LittleEndian.AppendUint32(offsets, n)
	}
	at := bytes.Index(data, offsets)
	if at < 0 {
		t.Fatal("no offsets")
	}
	for _, n := range []uint32{1 << 30, math.MaxUint32} {
		binary.LittleEndian.PutUint32(data[at+4*4:], n)
		path := filepath.Join(t.TempDir(), "x.arrow")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		src := open(t, testOptions(path), foreignNested, Env{})
		reader, err := src.Reader(context.Background(), 0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		if err = reader.Next(context.Background(), &b); err == nil {
			_, err = src.NewDecoder().Decode(&b, stream.NewBatch(foreignNested, nil), nil)
		}
		if err == nil || !strings.Contains(err.Error(), "x.arrow: ") || !strings.Contains(err.Error(), "damaged Arrow file") {
			t.Error(err)
		}
		_ = reader.Close()
	}
}

// Records of goavro in every form of names and unions are read; what has no type is told.
func TestNestedAvroTypes(t *testing.T) {
	const schema = `{"type":"record","name":"a.b.r","fields":[
		{"name":"p","type":{"type":"record","name":"point","fields":[{"name":"X","type":"int"},{"name":"tag","type":[{"type":"enum","name":"k","namespace":"z","symbols":["u","v"]},"null"]}]}},
		{"name":"q","type":["null","point"]}, {"name":"all","type":{"type":"array","items":["null","a.b.point"]}}, {"name":"ks","type":{"type":{"type":"array","items":["z.k"]}}},
		{"name":"tree","type":["null",{"type":"record","name":"tree","fields":[{"name":"below","type":{"type":"array","items":"tree"}}]}]},
		{"name":"maps","type":{"type":"array","items":{"type":"map","values":"int"}}},{"name":"words","type":{"type":"array","items":"string"}}]}`
	path := filepath.Join(t.TempDir(), "a.avro")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: f, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	point := func(x int, tag any) map[string]any { return map[string]any{"X": x, "tag": tag} }
	for i, word := range []string{"w", "\xff"} {
		if err := w.Append([]any{map[string]any{"p": point(i, nil), "q": goavro.Union("a.b.point", point(300, goavro.Union("z.k", "v"))), "all": []any{nil, goavro.Union("a.b.point", point(7, nil))},
			"ks": []any{goavro.Union("z.k", "u")}, "tree": nil, "maps": []any{}, "words": []any{"x", word}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Infer(path)
	if err != nil || strings.Join(got.Left, ", ") != `tree (record with "below" array of a record within itself), maps (array of map)` {
		t.Errorf("%q %v", got.Left, err)
	}
	lines := readAll(t, open(t, testOptions(path), stream.NewSchema(got.Columns...), Env{}), 0, Position{}).lines
	const row = `{"p":{"x":0,"tag":null},"q":{"x":300,"tag":"v"},"all":[null,{"x":7,"tag":null}],"ks":["u"],"words":["x","w"]}`
	if len(lines) != 2 || lines[0] != row+" @1 "+row || !strings.HasPrefix(lines[1], `error @2 column "words": invalid UTF-8: `) {
		t.Errorf("%q", lines)
	}
	small := stream.NewSchema(stream.Field{Name: "q", Type: stream.RowOf(stream.Member{Name: "x", Type: stream.TinyInt})})
	lines = readAll(t, open(t, testOptions(path), small, Env{}), 0, Position{}).lines
	if len(lines) != 2 || !strings.HasPrefix(lines[1], `error @2 column "q": a value is out of the range of TINYINT: `) {
		t.Errorf("%q", lines)
	}
	for _, wrong := range []stream.Field{{Name: "p", Type: stream.Array(stream.Integer)}, {Name: "all", Type: stream.RowOf(stream.Member{Name: "x", Type: stream.Integer})}, {Name: "words", Type: stream.Array(stream.BigInt)},
		{Name: "p", Type: stream.RowOf(stream.Member{Name: "y", Type: stream.Integer})}, {Name: "p", Type: stream.RowOf(stream.Member{Name: "x", Type: stream.Integer}, stream.Member{Name: "X", Type: stream.Integer})},
		{Name: "maps", Type: stream.Array(stream.Integer)}, {Name: "words", Type: stream.Varchar}} {
		if _, err := CheckSource(testOptions(path), []stream.Field{wrong}); err == nil || !strings.Contains(err.Error(), "cannot be read as "+wrong.Type.String()) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	for _, wrong := range []stream.Type{stream.RowOf(stream.Member{Name: "a b", Type: stream.Integer}), stream.Array(stream.RowOf(stream.Member{Name: "x", Type: stream.Integer}, stream.Member{Name: "x", Type: stream.Integer}))} {
		s := stream.NewSchema(stream.Field{Name: "c", Type: wrong})
		if _, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": filepath.Join(t.TempDir(), "b.avro")}}, s, s.Visible(), Env{}); err == nil || !strings.Contains(err.Error(), `column "c": member "`) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

// Bytes of a block that are damaged make an error, or other values; nothing panics.
func TestDamagedNestedAvro(t *testing.T) {
	data, err := os.ReadFile("testdata/nested/rows.avro")
	if err != nil {
		t.Fatal(err)
	}
	schema, r := foreignNested, rand.New(rand.NewPCG(4, 4))
	path, out := filepath.Join(t.TempDir(), "x.avro"), filepath.Join(t.TempDir(), "y.avro")
	sink, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": out}}, schema, schema.Visible(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := stream.NewBatch(schema, nil)
	for range 20 {
		var line []stream.Value
		for _, f := range schema.Fields {
			line = append(line, streamtest.Value(r, f.Type, 5))
		}
		b.AppendRow(line)
	}
	if err := errors.Join(sink.(BatchSink).WriteBatch(b, 0, b.Len), sink.Close()); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		bad := slices.Clone([][]byte{data, plain}[n%2])
		header := bytes.Index(bad, []byte("avro.schema")) + 1500
		bad[header+r.IntN(len(bad)-header)] ^= byte(1 + r.IntN(255))
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		src := open(t, testOptions(path), schema, Env{})
		reader, err := src.Reader(context.Background(), 0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		d, b := src.NewDecoder(), Block{}
		for err == nil {
			if err = reader.Next(context.Background(), &b); err == nil {
				_, err = d.Decode(&b, stream.NewBatch(schema, nil), nil)
			}
		}
		if err != io.EOF && !strings.Contains(err.Error(), "x.avro: ") {
			t.Error(err)
		}
		_ = reader.Close()
	}
}
