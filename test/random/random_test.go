package random

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run the case of this seed only")
	casesFlag = flag.Int("cases", 0, "number of cases (default: hundreds to thousands, a sixth of it with -short)")
	firstFlag = flag.Uint64("first", 1, "seed of the first case")
	onlyFlag  = flag.String("only", "", "of the cases, run those with a query whose form (operator / window) or text contains this")
)

func cases(t *testing.T, full int) []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	n := full
	if testing.Short() {
		n = full / 6
	}
	if *casesFlag != 0 {
		n = *casesFlag
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = *firstFlag + uint64(i)
	}
	t.Logf("%d cases", n)
	return seeds
}

// complete reports whether all cases run, so that what they cover can be asserted.
func complete() bool { return *seedFlag == 0 && *casesFlag == 0 && *onlyFlag == "" && !testing.Short() }

func withCase(t *testing.T, seed uint64, f func(c *testCase)) {
	t.Helper()
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c, err := newCase(seed, dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.has(*onlyFlag) {
		f(c)
	}
}

// has reports whether a query is of a form, or has a text.
func (c *testCase) has(only string) bool {
	return slices.ContainsFunc(c.queries, func(q *query) bool {
		return strings.Contains(q.operator+" / "+q.window, only) || strings.Contains(q.sql, only)
	})
}

func report(t *testing.T, test string, c *testCase, failure string) {
	t.Helper()
	t.Fatalf("seed %d: %s\n\nrepeat with: go test ./test/random -run '^%s$' -seed %d\n\n%s", c.seed, failure, test, c.seed, c.script)
}

// TestRandomQueries compares the engine with the reference and asserts that the cases
// together cover the table of shapes, windows, NULLs and disorder.
func TestRandomQueries(t *testing.T) {
	cover, runs, calls, types := coverage{}, drawn{}, functionCount{}, typeUse{}
	began := time.Now()
	for _, seed := range cases(t, 2000) {
		withCase(t, seed, func(c *testCase) {
			c.drawn = runs
			types.add(t, c.text)
			if failure := c.check(3); failure != "" {
				report(t, "TestRandomQueries", c, failure)
			}
			for _, q := range c.queries {
				cover.add(q)
			}
			calls.add(c.text)
		})
	}
	t.Logf("%.1f s\n%s\n%s", time.Since(began).Seconds(), cover, runs)
	if complete() {
		cover.assert(t)
		runs.assert(t)
		types.assert(t)
		calls.assert(t)
	}
}

// TestStopAndRestore compares an uninterrupted run with one stopped at random tasks
// and restored with other workers and task sizes.
func TestStopAndRestore(t *testing.T) {
	stops := 0
	for _, seed := range cases(t, 800) {
		withCase(t, seed, func(c *testCase) {
			n, failure := c.checkRestore()
			if failure != "" {
				report(t, "TestStopAndRestore", c, failure)
			}
			stops += n
		})
	}
	t.Logf("%d stops", stops)
	if complete() && stops < 300 {
		t.Errorf("only %d jobs were stopped before their end; the test needs hundreds", stops)
	}
}

// coverage counts queries by operator and window, and for each the NULLs, disorder and
// form of the data they read.
type coverage map[string]map[string]int

func (c coverage) add(q *query) {
	row := q.operator + " / " + q.window
	if c[row] == nil {
		c[row] = map[string]int{}
	}
	for _, d := range q.reads {
		c[row]["disorder "+string(d.disorder)]++
		c[row][fmt.Sprintf("nulls %t", d.nulls)]++
		c[row]["form "+d.formName()]++
		if d.iso {
			c[row]["form iso"]++
		}
		if d.packed != "" {
			c[row]["form packed"]++
		}
	}
	if q.file != "" {
		c[row]["form to-file"]++
	}
}

func (c coverage) rows() []string {
	var out []string
	for r := range c {
		out = append(out, r)
	}
	sort.Strings(out)
	return out
}

func (c coverage) columns() []string {
	out := []string{"nulls true", "nulls false"}
	for _, d := range disorders {
		out = append(out, "disorder "+string(d))
	}
	for _, f := range []string{"csv", "ndjson", "gz", "zst", "packed", "iso", "to-file"} {
		out = append(out, "form "+f)
	}
	return out
}

func (c coverage) String() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "%-34s", "operator / window")
	for _, col := range c.columns() {
		_, short, _ := strings.Cut(col, " ")
		fmt.Fprintf(&sb, "%11s", short)
	}
	for _, r := range c.rows() {
		fmt.Fprintf(&sb, "\n%-34s", r)
		for _, col := range c.columns() {
			fmt.Fprintf(&sb, "%11d", c[r][col])
		}
	}
	return sb.String()
}

// required are the rows of the coverage table that must not be empty.
var required = []string{
	"filter / none", "project / none",
	"aggregate / range", "aggregate / hop", "aggregate / tumble", "aggregate / group-hop", "aggregate / rows", "aggregate / cumulate", "aggregate / session", "aggregate / session-by", "aggregate / session-function",
	"aggregate / group-cumulate",
	"window-rows / range", "window-rows / hop", "window-rows / tumble", "window-rows / rows",
	"window-join / range", "window-join / rows", "window-join / left-range", "window-join / left-rows", "carried-join / range",
	"instant-rows / rows-instant", "instant-rows / range-instant",
	"instant-aggregate / rows-instant", "instant-aggregate / range-instant", "instant-aggregate / partition-rows",

	"instant-join / rows-instant", "instant-join / range-instant", "instant-join / partition-rows",
	"unnest / none", "unnest / left",
	"lookup / none", "lookup / range", "lookup / left", "lookup / left-range", "union / none", "union / range",
	"nested / carried", "nested / window-on-window", "nested / rows-on-filter",
	"global / none", "port / late", "port / errors", "port / arrival", "port / view-errors",
	"hottest / range", "hottest / rows", "filtered / range", "filtered / rows", "filtered / join",
	"diamond-union / none", "diamond-union / range", "diamond-union / two-windows",
	"diamond-join / range", "diamond-join / rows", "diamond-join / rows-instant", "diamond-join / range-instant",
	"diamond-join / partition-rows", "stacked / range", "stacked / rows", "three-join / range", "three-join / lookups", "three-join / windows",
	"window-columns / range", "window-columns / rows", "distinct / range", "distinct / rows", "distinct / hop",
	"emitted / rows-instant", "emitted / range-instant", "emitted / partition-rows", "over-view / union", "over-view / function",
	"shared / window", "shared / aggregate", "shared / instant", "shared / lookup", "shared / join", "shared / plain",
	"sets / none", "sets / windows",
	"sorted / none", "sorted / range", "sorted / hop", "sorted / tumble", "sorted / rows", "sorted / others",
}

// rare are rows that must not be empty either, with NULLs or without.
var rare = []string{
	"window-rows / session", "window-rows / session-by", "window-rows / session-function", "sorted / session-by", "distinct / session-by", "distinct / group-session",
	"window-rows / cumulate", "sorted / cumulate", "distinct / cumulate", "sorted / group-hop",
	"instant-rows / now", "instant-rows / unbounded", "instant-rows / dstream", "instant-aggregate / now", "instant-aggregate / unbounded", "instant-aggregate / dstream",
	"instant-join / now", "instant-join / unbounded",
	"distinct / tumble",
	"unnest / range", "unnest / left-range", "unnest / carried", "unnest / rows", "unnest / lookup",
	"numbered / none", "numbered / range", "numbered / hop", "numbered / tumble", "numbered / rows", "numbered / cumulate", "numbered / session-by",
	"nested / cascaded-tumble", "nested / cascaded-cumulate", "nested / cascaded-group", "nested / cascaded-session", "nested / cascaded-best",
}

// assert fails for required rows without NULLs, without disorder within and beyond the
// watermark, and for kinds of data that no query of an operator ever read.
func (c coverage) assert(t *testing.T) {
	for _, r := range required {
		for _, col := range []string{"nulls true", "nulls false"} {
			if c[r][col] == 0 {
				t.Errorf("coverage: %s never ran with %s", r, col)
			}
		}
	}
	for _, r := range rare {
		if c[r]["nulls true"]+c[r]["nulls false"] == 0 {
			t.Errorf("coverage: %s never ran", r)
		}
	}
	byOperator := map[string]map[string]int{}
	for r, cols := range c {
		op, _, _ := strings.Cut(r, " / ")
		if byOperator[op] == nil {
			byOperator[op] = map[string]int{}
		}
		for col, n := range cols {
			byOperator[op][col] += n
		}
	}
	for op, cols := range byOperator {
		for _, col := range c.columns() {
			if cols[col] == 0 {
				t.Errorf("coverage: %s never ran with %s", op, col)
			}
		}
	}
}
