package random

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace/millrace"
)

// cell is one value of a row: its text, and whether JSON writes it as a string.
type cell struct {
	text   string
	null   bool
	quoted bool
}

// write makes a file of the stream, compressed if the stream is.
func (d *data) write(r *rand.Rand, dir, file string) error {
	times := d.times(r, d.rows(r))
	var b bytes.Buffer
	if !d.json {
		b.WriteString(strings.Join(d.columns, ",") + "\n")
	}
	for i, t := range times {
		if d.disorder == farAhead && i == len(times)*2/3 {
			t += 50 * 365 * 86_400_000
		}
		d.record(r, &b, d.row(r, t))
	}
	file += map[bool]string{false: ".csv", true: ".ndjson"}[d.json]
	if d.compress != "" {
		file += "." + d.compress
	}
	path := filepath.Join(dir, file)
	d.files = append(d.files, path)
	packed, err := compress(d.compress, b.Bytes())
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, packed, 0o644); err != nil || d.packed == "" {
		return err
	}
	return d.convert(path)
}

// convert writes the rows of an NDJSON file as a file of columns, in its place.
func (d *data) convert(path string) error {
	var columns []string
	for _, c := range d.columns {
		columns = append(columns, c+" "+columnTypes[c])
	}
	out := strings.TrimSuffix(path, ".ndjson") + "." + d.packed
	list, more := strings.Join(columns, ", "), ""
	if d.packed == "parquet" {
		more = ", row_group_rows = 50"
	}
	script := fmt.Sprintf("CREATE STREAM f (%s) WITH (connector = 'file', path = '%s');\nCREATE STREAM o (%s) WITH (connector = 'file', path = '%s'%s);\nINSERT INTO o SELECT * FROM f;\n", list, path, list, out, more)
	plan, err := millrace.Prepare([]millrace.Script{{Name: "convert.sql", Text: script}}, millrace.Options{Engine: millrace.EngineReference, Errors: io.Discard})
	if err != nil {
		return err
	}
	job, err := plan.Start(context.Background())
	if err != nil {
		return err
	}
	if _, err = job.Wait(); err != nil {
		return err
	}
	d.files[len(d.files)-1] = out
	return os.Remove(path)
}

func compress(how string, plain []byte) ([]byte, error) {
	var out bytes.Buffer
	var w io.WriteCloser
	switch how {
	case "gz":
		w = gzip.NewWriter(&out)
	case "zst":
		z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstd.MinWindowSize))
		if err != nil {
			return nil, err
		}
		w = z
	default:
		return plain, nil
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// record writes a row, and now and then a record that cannot be read.
func (d *data) record(r *rand.Rand, b *bytes.Buffer, row map[string]cell) {
	if d.json {
		d.jsonRecord(r, b, row)
	} else {
		d.csvRecord(b, row)
	}
	rare := 200
	if d.fail {
		rare = 40
	}
	if r.IntN(rare) != 0 {
		return
	}
	if d.json {
		b.WriteString([]string{`{"ms": 1, "k"` + "\n", "[1, 2]\n", `{"k": "seven"}` + "\n"}[r.IntN(3)])
	} else {
		b.WriteString([]string{"this,is,malformed\n", `"no end` + "\n", "\n", `"a"b,` + "\n"}[r.IntN(4)])
	}
}

func (d *data) csvRecord(b *bytes.Buffer, row map[string]cell) {
	for i, c := range d.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := row[c]; {
		case v.null:
		case c == "g" || c == "js" || slices.Contains(nestedColumns, c):
			b.WriteString(`"` + strings.ReplaceAll(v.text, `"`, `""`) + `"`)
		default:
			b.WriteString(v.text)
		}
	}
	b.WriteByte('\n')
}

func (d *data) jsonRecord(r *rand.Rand, b *bytes.Buffer, row map[string]cell) {
	b.WriteByte('{')
	first := true
	for _, c := range d.columns {
		v := row[c]
		if v.null && r.IntN(2) == 0 {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		fmt.Fprintf(b, "%q: ", c)
		switch {
		case v.null:
			b.WriteString("null")
		case v.quoted || v.text == "NaN":
			b.WriteString(strconv.Quote(v.text))
		default:
			b.WriteString(v.text)
		}
	}
	b.WriteString("}\n")
}

var texts = []string{"red", "green", "blue", "", "Zoë", `quo"te`, "a,b", "green ", "two\nlines", "12", "2026-01-01 00:00:09"}

// row draws the values of a row.
func (d *data) row(r *rand.Rand, ms int64) map[string]cell {
	null := func() bool { return d.nulls && r.IntN(6) == 0 }
	text := texts[r.IntN(len(texts))]
	if r.IntN(40) == 0 {
		text = fmt.Sprint("t", r.IntN(1000))
	}
	noTime := d.timed && r.IntN(150) == 0
	row := map[string]cell{
		"ms": {text: fmt.Sprint(ms), null: noTime},
		"k":  {text: fmt.Sprint(r.IntN(6)), null: null()},
		"g":  {text: text, null: null(), quoted: true},
		"x":  {text: fmt.Sprint(integer(r)), null: null()},
		"y":  {text: fmt.Sprint(bigint(r)), null: null()},
		"r":  {text: fmt.Sprint(float64(r.IntN(400)-200) / 4), null: null()},
		"d":  {text: double(r), null: null()},
		"b":  {text: fmt.Sprint(r.IntN(2) == 0), null: null()},
		"w":  {text: timestamp(r, ms), null: null(), quoted: true},
		"v":  {text: intervalText(r), null: null(), quoted: true},
	}
	d.typedRow(r, row, ms, null)
	nestedRow(r, row, null)
	if d.iso {
		row["ts"] = cell{text: isoText(ms*1000 + int64(r.IntN(3))), null: noTime, quoted: true}
	}
	return row
}

func isoText(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// timestamp is near the row's event time, or odd.
func timestamp(r *rand.Rand, ms int64) string {
	switch r.IntN(60) {
	case 0:
		return "1969-12-31 23:59:59.999999"
	case 1:
		return "0001-01-01"
	case 2:
		return "not a time"
	}
	return isoText((ms/2000*2000 + int64(r.IntN(4))*500) * 1000)
}

func intervalText(r *rand.Rand) string {
	switch r.IntN(40) {
	case 0:
		return "-3 00:00:00.000001"
	case 1:
		return "100000000 00:00:00"
	}
	return fmt.Sprintf("%s00:%02d:%02d", []string{"", "", "-"}[r.IntN(3)], r.IntN(3), 15*r.IntN(4))
}

func integer(r *rand.Rand) int {
	if r.IntN(60) == 0 {
		return []int{1<<31 - 1, -1 << 31}[r.IntN(2)]
	}
	return r.IntN(21) - 5
}

func bigint(r *rand.Rand) int64 {
	if r.IntN(60) == 0 {
		return []int64{1<<63 - 1, -1 << 63}[r.IntN(2)]
	}
	return int64(r.IntN(2000)) - 1000
}

func double(r *rand.Rand) string {
	switch r.IntN(80) {
	case 0:
		return "NaN"
	case 1:
		return "-0"
	}
	return fmt.Sprint(float64(r.IntN(8000)-4000) / 8)
}
