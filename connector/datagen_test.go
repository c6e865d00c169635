package connector

import (
	"context"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/stream"
)

func generate(t *testing.T, schema *stream.Schema, at Position, pairs ...string) []string {
	t.Helper()
	options := testOptions("", pairs...)
	options["connector"] = "datagen"
	delete(options, "path")
	return readAll(t, open(t, options, schema, Env{}), 0, at).lines
}

func TestDatagenIsAFunctionOfTheRow(t *testing.T) {
	options := []string{"number-of-rows", "20000", "fields.i.kind", "zipf", "fields.s.null-rate", "0.5", "fields.d.kind", "normal",
		"fields.t.max-past", "5 s", "fields.l.values", "3,1,2"}
	all := generate(t, everyType, Position{}, options...)
	if len(all) != 20000 {
		t.Fatalf("%d rows", len(all))
	}
	sameLines(t, "again", generate(t, everyType, Position{}, options...), all)
	sameLines(t, "from the middle", generate(t, everyType, Position{Offset: 12345, Line: 12345}, options...), all[12345:])
	if other := generate(t, everyType, Position{}, append(options, "seed", "2")...); other[0] == all[0] {
		t.Error("the seed makes no difference")
	}
}

func TestDatagenValues(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "n", Type: stream.BigInt}, stream.Field{Name: "ts", Type: stream.Timestamp},
		stream.Field{Name: "s", Type: stream.Varchar}, stream.Field{Name: "w", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Double})
	lines := generate(t, schema, Position{}, "fields.n.start", "10", "fields.n.end", "14", "fields.n.step", "2", "fields.ts.start", "2026-02-03 00:00:00",
		"fields.ts.step", "500 ms", "fields.s.length", "20", "fields.w.values", "red, blue", "fields.w.kind", "sequence", "fields.x.start", "0.5")
	for i, want := range []string{`{"n":10,"ts":"2026-02-03T00:00:00Z","s":"`, `{"n":12,"ts":"2026-02-03T00:00:00.500Z","s":"`, `{"n":14,"ts":"2026-02-03T00:00:01Z","s":"`} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], want) || !strings.Contains(lines[i], []string{`"w":"red","x":0.5`, `"w":"blue","x":1.5`, `"w":"red","x":2.5`}[i]) {
			t.Fatalf("row %d of %v", i, lines)
		}
	}
	src := open(t, map[string]string{"connector": "datagen", "number_of_rows": "50000", "fields.l.kind": "zipf", "fields.l.max": "100", "fields.d.kind": "normal",
		"fields.d.mean": "10", "fields.d.stddev": "2", "fields.i.min": "-3", "fields.i.max": "3", "fields.f.max": "4", "fields.b.null_rate": "0.25"}, everyType, Env{})
	d, sum, square, nulls, counts, zipf := src.NewDecoder(), 0.0, 0.0, 0, map[int32]int{}, map[int64]int{}
	out := stream.NewBatch(everyType, nil)
	if _, err := d.Decode(&Block{Rows: 50000}, out, nil); err != nil {
		t.Fatal(err)
	}
	for i := range out.Len {
		x := out.Cols[4].F64[i]
		sum, square = sum+x, square+x*x
		counts[out.Cols[1].I32[i]]++
		zipf[out.Cols[2].I64[i]]++
		if f := out.Cols[3].F32[i]; f < 0 || f >= 4 {
			t.Fatalf("f is %v", f)
		}
		if out.Cols[0].IsNull(i) {
			nulls++
		}
	}
	mean := sum / 50000
	if dev := math.Sqrt(square/50000 - mean*mean); math.Abs(mean-10) > .05 || math.Abs(dev-2) > .05 {
		t.Errorf("mean %v, deviation %v", mean, dev)
	}
	if len(counts) != 7 || counts[0] < 6500 || counts[-3] < 6500 || counts[3] < 6500 {
		t.Errorf("counts %v", counts)
	}
	if zipf[0] < zipf[1] || zipf[1] < zipf[5] || zipf[5] < zipf[60] || len(zipf) > 101 {
		t.Errorf("zipf %v", zipf)
	}
	if nulls < 12000 || nulls > 13000 {
		t.Errorf("%d NULLs", nulls)
	}
}

func TestDatagenPace(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "n", Type: stream.BigInt})
	src := open(t, map[string]string{"connector": "datagen", "rows_per_second": "2000", "number_of_rows": "200"}, schema, Env{})
	if !src.Live() || !src.Bounded() {
		t.Error("a paced generator may pause")
	}
	r, _ := src.Reader(context.Background(), 0, Position{})
	var b Block
	begin, rows := time.Now(), 0
	for {
		err := r.Next(context.Background(), &b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows
	}
	if took := time.Since(begin); rows != 200 || took < 95*time.Millisecond {
		t.Errorf("%d rows in %v", rows, took)
	}
	endless := open(t, map[string]string{"connector": "datagen", "rows_per_second": "0.1"}, schema, Env{})
	r, _ = endless.Reader(context.Background(), 0, Position{})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	r.Next(ctx, &b)
	if err := r.Next(ctx, &b); err != context.DeadlineExceeded || endless.Bounded() {
		t.Error(err)
	}
}

// Texts that vary have every length from 1 on.
func TestDatagenVaryingLength(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "s", Type: stream.Varchar})
	seen := map[int]int{}
	for _, line := range generate(t, schema, Position{}, "number-of-rows", "400", "fields.s.length", "4", "fields.s.var-len", "true") {
		row, _, _ := strings.Cut(line, " @")
		seen[len(row)-len(`{"s":""}`)]++
	}
	for n := 1; n <= 4; n++ {
		if seen[n] < 50 {
			t.Errorf("%d of 400 have %d letters: %v", seen[n], n, seen)
		}
	}
	if len(seen) != 4 {
		t.Errorf("lengths %v", seen)
	}
}
