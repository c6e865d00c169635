package connector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

func typedSchema() *stream.Schema {
	s := &stream.Schema{}
	for _, t := range stream.Types {
		if t.IsNested() {
			continue // refused
		}
		s.Fields = append(s.Fields, stream.Field{Name: strings.ToLower(t.String()), Type: t})
	}
	return s
}

func typedBatch(r *rand.Rand, s *stream.Schema, rows int) *stream.Batch {
	b := stream.NewBatch(s, nil)
	for range rows {
		line := make([]stream.Value, s.Len())
		for i, f := range s.Fields {
			line[i] = stream.Value{Type: f.Type, I: int64(r.IntN(100)), F: float64(r.IntN(1000)) / 8, S: strings.Repeat("é", r.IntN(4))}
			switch {
			case r.IntN(4) == 0:
				line[i] = stream.NullOf(f.Type)
			case f.Type == stream.Boolean:
				line[i] = stream.Bool(r.IntN(2) == 0)
			case f.Type == stream.Bytes:
				line[i] = stream.Blob(line[i].S[:r.IntN(len(line[i].S)+1)])
			case f.Type == stream.JSON:
				line[i] = stream.Value{Type: f.Type, S: fmt.Sprintf(`{"a":[%d,null,%q]}`, line[i].I, line[i].S)}
			case f.Type == stream.Varchar:
				line[i] = stream.Text(line[i].S)
			case f.Type.IsDecimal():
				line[i] = randomDecimal(r, f.Type)
			case f.Type.IsFloat():
				line[i] = stream.Value{Type: f.Type, F: line[i].F}
			default:
				line[i] = stream.Value{Type: f.Type, I: line[i].I}
			}
		}
		b.AppendRow(line)
	}
	return b
}

// randomDecimal is a small number or an extreme.
func randomDecimal(r *rand.Rand, t stream.Type) stream.Value {
	text := []string{strings.Repeat("9", t.Precision()-t.Scale()) + "." + strings.Repeat("9", t.Scale()), "0", fmt.Sprint(r.IntN(200)) + ".5"}[r.IntN(3)]
	if r.IntN(2) == 0 {
		text = "-" + text
	}
	x, fits, _ := stream.ParseDecimal(t, text)
	if !fits {
		x, _, _ = stream.ParseDecimal(t, "0")
	}
	return stream.DecimalOf(t, x)
}

// Every type is written to files of columns and read back, from any row on.
func TestColumnFilesRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct{ name, codec string }{{"a.arrow", "none"}, {"b.arrow", "zstd"}, {"c.arrows", "lz4"}, {"d.parquet", "snappy"},
		{"e.avro", "none"}, {"f.avro", "deflate"}, {"g.avro", "snappy"}} {
		schema := typedSchema()
		schema.Fields = append(schema.Fields, stream.Field{Name: "d1", Type: stream.Decimal(1, 0)}, stream.Field{Name: "d9", Type: stream.Decimal(9, 9)},
			stream.Field{Name: "d38", Type: stream.Decimal(38, 0)}, stream.Field{Name: "all", Type: stream.Decimal(38, 38)}, stream.Field{Name: "d18", Type: stream.Decimal(18, 1)})
		for i := range schema.Fields { // names of Avro
			schema.Fields[i].Name = strings.NewReplacer("(", "_", ",", "_", ")", "").Replace(schema.Fields[i].Name)
		}
		path := filepath.Join(t.TempDir(), c.name)
		sink, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": path, "compression": c.codec}}, schema, schema.Visible(), Env{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for range 4 {
			b := typedBatch(r, schema, 300)
			if err := sink.(BatchSink).WriteBatch(b, 7, 300); err != nil {
				t.Fatal(err)
			}
			for row := 7; row < 300; row++ {
				want = append(want, string(AppendJSONRow(nil, b, schema.Visible(), row)))
			}
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
		src := open(t, testOptions(path), schema, Env{BlockBytes: 5000})
		got := readAll(t, src, 0, Position{})
		var lines []string
		for _, line := range got.lines {
			lines = append(lines, line[:strings.Index(line, " @")])
		}
		sameLines(t, c.name, lines, want)
		for i := 0; i < len(got.positions); i += 5 {
			rest := readAll(t, src, 0, got.positions[i])
			sameLines(t, got.positions[i], rest.lines, got.lines[got.before[i]:])
		}
		f, err := Infer(path)
		if err != nil || len(f.Left) > 0 || len(f.Columns) != schema.Len() {
			t.Errorf("%+v %v", f, err)
		}
	}
}

// What arrow-go writes in other types and as dictionaries is read; a value that does not
// fit is an error row.
func TestArrowTypes(t *testing.T) {
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "u", Type: arrow.PrimitiveTypes.Uint64}, {Name: "word", Type: dict, Nullable: true},
		{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_ns}, {Name: "bin", Type: arrow.BinaryTypes.Binary},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Uint64Builder).AppendValues([]uint64{1, math.MaxUint64, 3}, nil)
	words := b.Field(1).(*array.BinaryDictionaryBuilder)
	for _, w := range []string{"x", "y"} {
		if err := words.AppendString(w); err != nil {
			t.Fatal(err)
		}
	}
	words.AppendNull()
	b.Field(2).(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{-1, 0, 2_000_999}, nil)
	b.Field(3).(*array.BinaryBuilder).AppendValues([][]byte{{1}, {2}, {3}}, nil)
	path := filepath.Join(t.TempDir(), "a.arrow")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	columns := stream.NewSchema(stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "U", Type: stream.BigInt}, stream.Field{Name: "word", Type: stream.Varchar})
	got := readAll(t, open(t, testOptions(path), columns, Env{}), 0, Position{})
	check(t, got.lines, []string{
		`{"at":"1969-12-31T23:59:59.999999Z","U":1,"word":"x"} @1 {"at":"1969-12-31T23:59:59.999999Z","U":1,"word":"x"}`,
		`error @2 column "U": a value is out of the range of BIGINT: {"at":"1970-01-01T00:00:00Z","U":-1,"word":"y"}`,
		`{"at":"1970-01-01T00:00:00.002Z","U":3,"word":null} @3 {"at":"1970-01-01T00:00:00.002Z","U":3,"word":null}`,
	})
	_, err = CheckSource(testOptions(path), []stream.Field{{Name: "bin", Type: stream.Varchar}})
	if err == nil || !strings.Contains(err.Error(), `column "bin": it is binary, which cannot be read as VARCHAR`) {
		t.Error(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += 31 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := CheckSource(testOptions(path), columns.Fields); err == nil || !strings.Contains(fmt.Sprint(err), "Arrow file") {
			t.Fatalf("cut to %d bytes: %v", cut, err)
		}
	}
}
