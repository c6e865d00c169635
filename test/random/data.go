package random

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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
	table    bool // static: few rows, no time
}

// columns of every generated stream: ts is its event time (milliseconds since 1970).
const columnsDDL = `ms BIGINT, k INTEGER, g VARCHAR, x INTEGER, y BIGINT, r REAL, d DOUBLE, b BOOLEAN`

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func generateData(r *rand.Rand, dir, name string) (*data, error) {
	d := &data{
		name: name, disorder: disorders[pickWeighted(r, 4, 3, 5, 5, 1, 1, 2)],
		nulls: r.IntN(2) == 0, timed: r.IntN(8) != 0,
	}
	if d.disorder == within || d.disorder == beyond {
		d.delay = 1 + r.IntN(6)
	}
	parts := 1
	if d.timed && r.IntN(5) == 0 {
		parts = 2 + r.IntN(2)
	}
	for p := 0; p < parts; p++ {
		if err := d.write(r, dir, fmt.Sprintf("%s-%d.csv", name, p)); err != nil {
			return nil, err
		}
	}
	return d, nil
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

func (d *data) write(r *rand.Rand, dir, file string) error {
	times := d.times(r, d.rows(r))
	var sb strings.Builder
	sb.WriteString("ms,k,g,x,y,r,d,b\n")
	for i, t := range times {
		if d.disorder == farAhead && i == len(times)*2/3 {
			t += 50 * 365 * 86_400_000
		}
		d.row(r, &sb, t)
	}
	path := filepath.Join(dir, file)
	d.files = append(d.files, path)
	return os.WriteFile(path, []byte(sb.String()), 0o644)
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

var texts = []string{"red", "green", "blue", "", "Zoë", `quo"te`, "a,b", "green "}

func (d *data) row(r *rand.Rand, sb *strings.Builder, ms int64) {
	null := func(s string) string {
		if d.nulls && r.IntN(6) == 0 {
			return ""
		}
		return s
	}
	text := texts[r.IntN(len(texts))]
	if r.IntN(40) == 0 {
		text = fmt.Sprint("t", r.IntN(1000))
	}
	when := fmt.Sprint(ms)
	if d.timed && r.IntN(150) == 0 {
		when = "" // NULL event time
	}
	fmt.Fprintf(sb, "%s,%s,%s,%s,%s,%s,%s,%s\n", when,
		null(fmt.Sprint(r.IntN(6))), null(quote(text)), null(fmt.Sprint(integer(r))),
		null(fmt.Sprint(bigint(r))), null(fmt.Sprint(float64(r.IntN(400)-200)/4)),
		null(double(r)), null(fmt.Sprint(r.IntN(2) == 0)))
	if r.IntN(200) == 0 {
		sb.WriteString("this,is,malformed\n")
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

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

// ddl declares the stream over its files.
func (d *data) ddl(r *rand.Rand) string {
	extra := ""
	if d.timed && !d.table {
		extra = ", ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts"
		if d.delay > 0 {
			extra += fmt.Sprintf(" - INTERVAL '%d' SECOND", d.delay)
		}
	}
	options := ""
	if len(d.files) > 1 && d.perFile() {
		options = ", partitions = 'per-file'"
	}
	return fmt.Sprintf("CREATE STREAM %s (%s%s) WITH (connector = 'file', path = '%s', format = 'csv', header = true%s);\n",
		d.name, columnsDDL, extra, strings.Join(d.files, ","), options)
}

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
