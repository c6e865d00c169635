package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine"
)

// This file compares what a device computes with what the CPU does: millrace devices
// --check. The scripts go through whole jobs, so that the driver, its compiler, the movement
// of rows and the engine's use of them are all part of it.

const (
	checkRows = 60_000
	checkTask = 128 << 10 // bytes, so that several tasks are in flight
)

// checkStreams make rows of every fixed-width type, with NULLs and extremes.
var checkStreams = fmt.Sprintf(`
CREATE STREAM s (at TIMESTAMP, k INTEGER, many BIGINT, b BOOLEAN, i INTEGER, l BIGINT, r REAL, d DOUBLE, t TIMESTAMP, v INTERVAL, small INTEGER, WATERMARK FOR at AS at)
WITH (connector = 'datagen', number_of_rows = %[1]d, seed = 7, fields.at.step = '1 millisecond', fields.k.max = 40, fields.k.null_rate = 0.02, fields.many.max = 20000,
  fields.b.null_rate = 0.1, fields.i.min = -2147483648, fields.i.max = 2147483647, fields.i.null_rate = 0.05, fields.l.min = -9000000000000000000, fields.l.max = 9000000000000000000,
  fields.l.null_rate = 0.05, fields.r.min = -1000, fields.r.max = 1000, fields.r.null_rate = 0.05, fields.d.min = -1e9, fields.d.max = 1e9, fields.d.null_rate = 0.05,
  fields.t.kind = 'random', fields.t.max_past = '480 h', fields.v.max = '72 h', fields.v.null_rate = 0.1, fields.small.min = -3, fields.small.max = 3);
CREATE TABLE names (id INTEGER, weight DOUBLE, code BIGINT) WITH (connector = 'datagen', number_of_rows = 60, fields.id.max = 45, seed = 3);
`, checkRows)

// checkQueries are run one by one.
var checkQueries = []struct{ name, query string }{
	{"integers", "SELECT i + small AS a, l - small AS c, k * small AS e, i / k AS f, l % (small + 4) AS g, -i AS h, ABS(i) AS j FROM s WHERE k < 30"},
	{"floats", "SELECT r + d AS a, r * r AS c, d / small AS e, -d AS f, ABS(r) AS g, FLOOR(d) AS h, CEIL(r) AS j FROM s WHERE d > r"},
	{"conditions", "SELECT at, k FROM s WHERE (b OR i > 0) AND NOT (l < 0 AND small = 1) OR v IS NULL AND k BETWEEN 3 AND 9 OR small IN (2, 3)"},
	{"cases", "SELECT CASE WHEN small = 0 THEN NULL WHEN b THEN i / small ELSE k END AS a, COALESCE(k, small, 0) AS c, NULLIF(small, 1) AS e, GREATEST(k, small) AS f FROM s WHERE at IS NOT NULL AND small <> 2"},
	{"casts", "SELECT CAST(small AS DOUBLE) AS a, CAST(r AS INTEGER) AS c, TRY_CAST(d AS INTEGER) AS e, CAST(i AS BIGINT) AS f, CAST(d AS REAL) AS g FROM s WHERE k >= 0"},
	{"times", "SELECT t + v AS a, at - t AS c, EXTRACT(HOUR FROM t) AS e, EXTRACT(DAY FROM t) AS f, v * 2 AS g FROM s WHERE t < at"},
	{"hardly any row", "SELECT k, d FROM s WHERE i > 2147000000 AND small > 2"},
	{"one group", "SELECT window_end, COUNT(*) AS n, COUNT(i) AS c, SUM(l / 1000) AS sum, AVG(i) AS mean, MIN(d) AS low, MAX(r) AS high FROM s [RANGE 5 SECONDS SLIDE 5 SECONDS] WHERE small <> 0"},
	{"few groups", "SELECT window_end, k, COUNT(*) AS n, SUM(i) AS sum, MIN(t) AS low, MAX(v) AS high FROM s [RANGE 10 SECONDS SLIDE 10 SECONDS] GROUP BY k"},
	{"sums of floats", "SELECT window_end, k, SUM(d) AS sum, AVG(d) AS mean, SUM(r) AS single FROM s [RANGE 10 SECONDS SLIDE 5 SECONDS] GROUP BY k"},
	{"many groups", "SELECT window_end, many, COUNT(*) AS n, MAX(l) AS high, MIN(i) AS low FROM s [RANGE 20 SECONDS SLIDE 20 SECONDS] GROUP BY many"},
	{"several keys", "SELECT window_end, small, b, COUNT(*) AS n, MAX(d) AS high FROM s [RANGE 7 SECONDS SLIDE 7 SECONDS] GROUP BY small, b"},
	{"windows of rows", "SELECT small, COUNT(*) AS n, SUM(k) AS sum, MAX(at) AS last FROM s [ROWS 5000 SLIDE 1000] GROUP BY small"},
	{"the whole input", "SELECT COUNT(*) AS n, SUM(i) AS sum, MIN(l) AS low, MAX(l) AS high, AVG(r) AS mean FROM s WHERE k <> 7"},
	{"a lookup", "SELECT s.k, s.d * n.weight AS product, n.code FROM s JOIN names AS n ON s.k = n.id WHERE s.small > 0"},
	{"a lookup and groups", "SELECT window_end, n.code % 7 AS c, COUNT(*) AS rows_seen FROM s [RANGE 10 SECONDS SLIDE 10 SECONDS] JOIN names AS n ON s.k = n.id GROUP BY n.code % 7"},
	{"a join by key", "SELECT a.k, a.d, c.r FROM s [RANGE 1 SECOND SLIDE 1 SECOND] AS a JOIN s [RANGE 1 SECOND SLIDE 1 SECOND] AS c ON a.many = c.many WHERE a.small > 0 AND c.small < 0"},
	{"a join by order", "SELECT a.i, c.l FROM s [RANGE 100 MILLISECONDS SLIDE 100 MILLISECONDS] AS a JOIN s [RANGE 100 MILLISECONDS SLIDE 100 MILLISECONDS] AS c ON a.d > c.d AND a.small = c.small WHERE a.k < 5 AND c.k > 35"},
}

// checked is what came of one query on a device.
type checked struct {
	Query   string `json:"query"`
	Refused string `json:"refused,omitempty"` // why the device leaves it to the CPU
	Tasks   int64  `json:"tasks"`             // that the device ran
	Redone  int64  `json:"redone"`            // that the CPU ran again
	Rows    int64  `json:"rows"`              // of the result
	Differs string `json:"differs,omitempty"`
}

// checkedDevice is what came of all queries.
type checkedDevice struct {
	ID      string    `json:"id"`
	Passed  bool      `json:"passed"`
	Reason  string    `json:"reason,omitempty"`
	Seconds float64   `json:"seconds"`
	Queries []checked `json:"queries"`
}

// checkDevice runs all queries on a device, tells of each, and keeps the verdict.
func checkDevice(t terminal, a *accelerator, say func(string)) (*checkedDevice, error) {
	began := time.Now()
	out := &checkedDevice{ID: a.ID}
	say(fmt.Sprintf("%s (%s): %d queries over %s rows, beside the CPU's results", a.ID, a.Name, len(checkQueries), humanize.Comma(checkRows)))
	ran, differ := 0, 0
	for _, q := range checkQueries {
		c := checkQuery(q.name, q.query, a.ID)
		out.Queries = append(out.Queries, c)
		switch {
		case c.Differs != "":
			differ++
			say(fmt.Sprintf("  %-20s DIFFERS: %s", c.Query, c.Differs))
		case c.Refused != "":
			say(fmt.Sprintf("  %-20s left to the CPU: %s", c.Query, c.Refused))
		default:
			ran++
			again := ""
			if c.Redone > 0 {
				again = fmt.Sprintf(", %d again by the CPU", c.Redone)
			}
			say(fmt.Sprintf("  %-20s same %s rows, %d tasks on the device%s", c.Query, humanize.Comma(c.Rows), c.Tasks, again))
		}
		if t.interrupted() {
			return nil, errInterrupted
		}
	}
	out.Seconds = time.Since(began).Seconds()
	switch {
	case differ > 0:
		out.Reason = fmt.Sprintf("%d of %d queries have another result than on the CPU", differ, len(checkQueries))
	case ran == 0:
		out.Reason = "it takes none of the queries"
	}
	out.Passed = out.Reason == ""
	build, err := millrace.Build()
	if err != nil {
		return nil, err
	}
	return out, millrace.Checked{
		ID: a.ID, Kind: a.Kind, Name: a.Name, Driver: a.Driver, Build: build, Passed: out.Passed, Reason: out.Reason, At: time.Now().UTC().Truncate(time.Second),
	}.Save()
}

// interrupted reports whether there was a signal.
func (t *terminal) interrupted() bool {
	select {
	case <-t.signals:
		return true
	default:
		return false
	}
}

// checkQuery compares one query on a device alone, or beside the CPU where the device does
// not take all of it, with the CPU's result.
func checkQuery(name, query, id string) checked {
	c := checked{Query: name}
	want := checkRun(query, "cpu")
	got := checkRun(query, id)
	var refused *engine.RefusedError
	if errors.As(got.err, &refused) {
		c.Refused = refused.Reason
		return c
	}
	reason := "there were none"
	for _, p := range got.stats.Pipelines {
		if p.Processor != "cpu" {
			c.Tasks += p.Tasks
		}
		for why, n := range p.Fallbacks {
			c.Redone += n
			reason = why
		}
	}
	c.Rows = want.stats.RowsOut
	switch {
	case c.Tasks == 0 && got.err == nil:
		c.Refused = "its tasks came back: " + reason
	case want.err != nil:
		c.Differs = "the CPU fails: " + want.err.Error()
	case got.err != nil:
		c.Differs = "it fails: " + got.err.Error()
	default:
		c.Differs = unlike(want.rows, got.rows)
		if c.Differs == "" {
			c.Differs = unlike(want.errors, got.errors)
		}
	}
	return c
}

// checkResult is what a run gave, as lines; error rows sorted, for operators give theirs
// in any order.
type checkResult struct {
	rows, errors [][]byte
	stats        *millrace.Stats
	err          error
}

func checkRun(query, processors string) (out checkResult) {
	out.stats = &millrace.Stats{}
	var rows, failed bytes.Buffer
	screen := &console{t: terminal{out: &rows, err: io.Discard}}
	plan, err := millrace.Prepare([]millrace.Script{{Name: "check.sql", Text: checkStreams + query}}, millrace.Options{
		Workers: 2, TaskBytes: checkTask, Processors: processors, Results: resultSinks(screen, "ndjson"), Errors: &failed,
	})
	var job *millrace.Job
	if err == nil {
		job, err = plan.Start(context.Background())
	}
	if err != nil {
		out.err = err
		return out
	}
	stats, err := job.Wait()
	if stats != nil {
		out.stats = stats
	}
	out.err = err
	out.rows, out.errors = bytes.Split(rows.Bytes(), []byte("\n")), bytes.Split(failed.Bytes(), []byte("\n"))
	slices.SortFunc(out.errors, bytes.Compare)
	return out
}

// unlike says where lines differ; empty if they do not.
func unlike(want, got [][]byte) string {
	for i := range min(len(want), len(got)) {
		if !bytes.Equal(want[i], got[i]) {
			return fmt.Sprintf("row %d is %s, on the CPU %s", i+1, short(string(got[i])), short(string(want[i])))
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows, on the CPU %d", len(got), len(want))
	}
	return ""
}

// checkDevices checks the named devices, or all that are hardware of their own.
func checkDevices(t terminal, ids []string, asJSON bool) error {
	found, _ := accelerators()
	chosen, err := toCheck(found, ids)
	if err != nil {
		return err
	}
	if t.listen != nil {
		t.listen()
	}
	say := func(text string) { fmt.Fprintln(t.out, printableLines(text)) }
	if asJSON {
		say = func(string) {}
	}
	var all []*checkedDevice
	wrong := 0
	for i := range chosen {
		c, err := checkDevice(t, &chosen[i], say)
		switch {
		case errors.Is(err, errInterrupted):
			return err
		case err != nil:
			return failure{err}
		}
		all = append(all, c)
		if !c.Passed {
			wrong++
		}
		say(fmt.Sprintf("%s: %s, in %.1f s\n", c.ID, verdict(c, &chosen[i]), c.Seconds))
	}
	if asJSON {
		if err := writeJSON(t.out, all); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return failure{fmt.Errorf("%d of %d devices did not pass; jobs do not use them unless they are named", wrong, len(chosen))}
	}
	return nil
}

func verdict(c *checkedDevice, a *accelerator) string {
	switch {
	case !c.Passed:
		return "DID NOT PASS: " + c.Reason
	case a.own():
		return "passed; jobs use it from now on"
	default:
		return "passed; jobs use it where --processors names it"
	}
}

// own reports whether it is hardware beside the CPU.
func (a *accelerator) own() bool {
	return a.Kind == device.GPU.String() || a.Kind == device.Accelerator.String()
}

func toCheck(found []accelerator, ids []string) (out []accelerator, err error) {
	for _, id := range ids {
		if id == "sim" {
			out = append(out, accelerator{ID: "sim", Kind: device.Simulated.String(), Name: "simulated"})
			continue
		}
		at := slices.IndexFunc(found, func(a accelerator) bool { return a.ID == id })
		if at < 0 {
			return nil, fmt.Errorf("there is no device %s; millrace devices lists what there is", id)
		}
		out = append(out, found[at])
	}
	if len(ids) > 0 {
		return out, nil
	}
	for _, a := range found {
		if a.own() && a.Unusable == "" {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is no GPU or accelerator that can be used; millrace devices says what there is, and any device may be named, such as opencl:0")
	}
	return out, nil
}
