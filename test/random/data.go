package random

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sort"
	"strings"
	"time"
)

// disorder is how a stream's event times run.
type disorder string

const (
	ordered  disorder = "ordered"
	repeated disorder = "duplicates" // many equal times
	within   disorder = "within"     // disorder inside the watermark's delay
	beyond   disorder = "beyond"     // late rows
	empty    disorder = "empty"
	single   disorder = "one-row"
	farAhead disorder = "50-years" // one row far ahead of the others
)

var disorders = []disorder{ordered, repeated, within, beyond, empty, single, farAhead}

// data is one generated stream.
type data struct {
	name     string
	disorder disorder
	nulls    bool
	delay    int // seconds of the watermark
	timed    bool
	files    []string
	table    bool   // static: few rows, no time
	iso      bool   // event time is a column of ISO text, not computed from ms
	json     bool   // NDJSON instead of CSV
	compress string // "", "gz" or "zst"
	packed   string // "arrow" or "parquet": files of columns; "" of text
	columns  []string
	fail     bool   // on_error = 'fail'
	options  string // further options of WITH
}

// columnTypes are the columns of every generated stream. ms is its event time in
// milliseconds since 1970; ts, the event time, is computed from it or a column too.
var columnTypes = map[string]string{
	"ms": "BIGINT", "k": "INTEGER", "g": "VARCHAR", "x": "INTEGER", "y": "BIGINT", "r": "REAL", "d": "DOUBLE",
	"b": "BOOLEAN", "w": "TIMESTAMP", "v": "INTERVAL", "ts": "TIMESTAMP",
	"dt": "DATE", "tm": "TIME", "sm": "SMALLINT", "ti": "TINYINT", "dc": "DECIMAL(12, 3)", "dw": "DECIMAL(30, 8)", "bt": "BYTEA", "js": "JSON",
	"ai": "INT[]", "av": "ARRAY<VARCHAR>", "ro": `ROW<a INT, "b c" VARCHAR>`,
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func generateData(r *rand.Rand, dir, name string) (*data, error) {
	d := &data{
		name: name, disorder: disorders[pickWeighted(r, 8, 6, 10, 10, 3, 3, 4)],
		nulls: r.IntN(2) == 0, timed: r.IntN(8) != 0,
	}
	if d.disorder == within || d.disorder == beyond {
		d.delay = 1 + r.IntN(6)
	}
	d.form(r)
	d.policies(r)
	d.pack()
	parts := 1
	if d.timed && !d.fail && r.IntN(5) == 0 {
		parts = 2 + r.IntN(2)
	}
	for p := 0; p < parts; p++ {
		if err := d.write(r, dir, fmt.Sprintf("%s-%d", name, p)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// form draws how the stream is written down.
func (d *data) form(r *rand.Rand) {
	d.iso = d.timed && r.IntN(3) == 0
	d.json = r.IntN(3) == 0
	d.compress = []string{"", "", "", "gz", "zst"}[r.IntN(5)]
	d.columns = []string{"ms", "k", "g", "x", "y", "r", "d", "b", "w", "v"}
	d.columns = append(append(d.columns, typedColumns...), nestedColumns...)
	if d.iso {
		d.columns = append(d.columns, "ts")
	}
	if r.IntN(3) == 0 {
		r.Shuffle(len(d.columns), func(i, j int) { d.columns[i], d.columns[j] = d.columns[j], d.columns[i] })
	}
}

// pack makes half of the streams of plain NDJSON files of columns. Records that cannot be
// read are not in them. Parquet is for streams of which nothing may be passed over: the
// counts of the others differ.
func (d *data) pack() {
	h := fnv.New32a()
	fmt.Fprint(h, *d) // nothing is drawn for it
	if !d.json || d.compress != "" || d.fail || h.Sum32()%2 == 0 {
		return
	}
	d.packed = "arrow"
	if strings.Contains(d.options, "max_watermark_jump") {
		d.packed = "parquet"
	}
}

// formName is the form for the coverage table: how the text is packed, or its format.
func (d *data) formName() string {
	switch {
	case d.compress != "":
		return d.compress
	case d.json:
		return "ndjson"
	}
	return "csv"
}

// policies draws the options that decide about rows.
func (d *data) policies(r *rand.Rand) {
	if d.timed && (d.disorder == farAhead && r.IntN(2) == 0 || r.IntN(12) == 0) {
		d.options += fmt.Sprintf(", max_watermark_jump = '%d seconds'", 20+r.IntN(100))
	}
	if d.timed && r.IntN(10) == 0 {
		d.options += ", late = 'drop'"
	}
	if d.name == "a" && r.IntN(20) == 0 {
		d.fail, d.options = true, d.options+", on_error = 'fail'"
	}
}

func (d *data) rows(r *rand.Rand) int {
	switch {
	case d.disorder == empty:
		return 0
	case d.disorder == single:
		return 1
	case d.table:
		return 1 + r.IntN(12)
	default:
		return 2 + r.IntN(180)
	}
}

func (d *data) times(r *rand.Rand, n int) []int64 {
	out := make([]int64, n)
	t := epoch + int64(r.IntN(5000)) - 2000
	if r.IntN(6) == 0 {
		t = -3000 // around 1970: negative times
	}
	for i := range out {
		switch {
		case d.disorder == repeated && r.IntN(4) != 0:
		case r.IntN(30) == 0:
			t += int64(r.IntN(90_000)) // a gap
		default:
			t += int64(r.IntN(900))
		}
		out[i] = t
	}
	if r.IntN(3) == 0 {
		for i := range out {
			out[i] -= ((out[i] % 1000) + 1000) % 1000
		}
	}
	d.shuffle(r, out)
	return out
}

// shuffle moves rows within the watermark's delay, or for late rows beyond it.
func (d *data) shuffle(r *rand.Rand, times []int64) {
	if d.disorder != within && d.disorder != beyond {
		return
	}
	reach := int64(d.delay) * 1000
	if d.disorder == beyond {
		reach = reach*3 + 2000
	}
	keys := make([]int64, len(times))
	for i, t := range times {
		keys[i] = t + r.Int64N(reach+1)
	}
	sort.Sort(byKey{keys, times})
}

type byKey struct{ keys, times []int64 }

func (b byKey) Len() int           { return len(b.keys) }
func (b byKey) Less(i, j int) bool { return b.keys[i] < b.keys[j] }
func (b byKey) Swap(i, j int) {
	b.keys[i], b.keys[j] = b.keys[j], b.keys[i]
	b.times[i], b.times[j] = b.times[j], b.times[i]
}

// ddl declares the stream over its files.
func (d *data) ddl() string {
	var columns []string
	for _, c := range d.columns {
		columns = append(columns, c+" "+columnTypes[c])
	}
	if d.timed && !d.iso {
		columns = append(columns, "ts AS TO_TIMESTAMP_LTZ(ms, 3)")
	}
	if d.timed {
		delay := ""
		if d.delay > 0 {
			delay = fmt.Sprintf(" - INTERVAL '%d' SECOND", d.delay)
		}
		columns = append(columns, "WATERMARK FOR ts AS ts"+delay)
	}
	options := d.options
	if len(d.files) > 1 && d.perFile() {
		options += ", partitions = 'per-file'"
	}
	format := "format = 'csv', header = true"
	switch {
	case d.packed != "":
		format = "format = '" + d.packed + "'"
	case d.json:
		format = "format = 'ndjson'"
	}
	return fmt.Sprintf("CREATE STREAM %s (%s) WITH (connector = 'file', path = '%s', %s%s);\n",
		d.name, strings.Join(columns, ", "), strings.Join(d.files, ","), format, options)
}

// drops reports whether late rows are dropped.
func (d *data) drops() bool { return strings.Contains(d.options, "late = 'drop'") }

// perFile is decided by the name so that it is the same at every call.
func (d *data) perFile() bool { return len(d.files)%2 == 0 }

func pickWeighted(r *rand.Rand, weights ...int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := r.IntN(total)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}
