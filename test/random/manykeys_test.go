package random

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace"
)

// manyKeys is the size of the two tests here: rows of many keys over two partitions, out
// of order, one of the partitions silent for most of the time.
func manyKeys() (keys, rows int) {
	if testing.Short() { // what tasks of a row take under the race detector is too long for so many
		return 4_000, 9_600
	}
	return 100_000, 240_000
}

// TestSessionsOfManyKeys: the engine agrees with the reference, and with itself when it is
// stopped and goes on with other lanes.
func TestSessionsOfManyKeys(t *testing.T) {
	keys, rows := manyKeys()
	query := "SELECT window_start, window_end, k, COUNT(*) AS n, SUM(x) AS s, MIN(ms) AS first FROM s [PARTITION BY k SESSION 40 SECONDS] GROUP BY k"
	c := manyKeysCase(t, "session-by", query, 1, keyedRows(keys, rows, 240_000/rows))
	want, err := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(want.results[0], "\n"); n < keys {
		t.Fatalf("%d sessions of %d keys", n, keys)
	}
	c.agree(t, want)
}

// TestLastRowsOfManyKeys has each row an instant of its own, for which the reference goes
// over all keys: a loop is the judge instead, once it agrees with the reference on a few.
func TestLastRowsOfManyKeys(t *testing.T) {
	const query = "SELECT ISTREAM k, COUNT(*) AS n, SUM(x) AS s, MIN(ms) AS first FROM s [PARTITION BY k ROWS 2] GROUP BY k"
	few := keyedRows(100, 400, 1)
	c := manyKeysCase(t, "partition-rows", query, 9, few)
	want, err := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if d := firstDifference(want.results[0], lastTwo(few)); d != "" {
		t.Fatalf("the loop and the reference: %s", d)
	}
	keys, rows := manyKeys()
	many := keyedRows(keys, rows, 1)
	c = manyKeysCase(t, "partition-rows", query, 9, many)
	if want, err = c.run(setting{engine: millrace.EngineMillrace, workers: 1, taskBytes: 1 << 18}); err != nil {
		t.Fatal(err)
	}
	if d := firstDifference(lastTwo(many), want.results[0]); d != "" {
		t.Fatal(d)
	}
	c.agree(t, want)
}

// agree runs the case in other ways, and stopped and restored.
func (c *testCase) agree(t *testing.T, want *answer) {
	t.Helper()
	for _, s := range []setting{
		{engine: millrace.EngineMillrace, workers: 1, taskBytes: 1 << 20},
		{engine: millrace.EngineMillrace, workers: 4, taskBytes: 64 << 10},
	} {
		if failure := c.checkSetting(s, want, nil); failure != "" {
			t.Error(failure)
		}
	}
	if stops, failure := c.checkRestore(); failure != "" || stops == 0 {
		t.Errorf("%d stops: %s", stops, failure)
	}
}

type keyedRow struct{ ms, k, x, file int }

func keyedRows(keys, rows, step int) []keyedRow {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]keyedRow, rows)
	for i := range out {
		row := keyedRow{k: i % keys}
		if i < rows/20 || i > rows-rows/20 {
			row.file = r.IntN(2)
		}
		if r.IntN(4) == 0 {
			row.k = r.IntN(keys) // some come back soon
		}
		row.ms, row.x = i*step+r.IntN(1500), r.IntN(100)
		out[i] = row
	}
	return out
}

// manyKeysCase writes the rows to two files, which are read with so many seconds of delay.
func manyKeysCase(t *testing.T, window, sql string, delay int, rows []keyedRow) *testCase {
	t.Helper()
	var files [2]strings.Builder
	for i := range files {
		files[i].WriteString("ms,k,x\n")
	}
	for _, row := range rows {
		fmt.Fprintf(&files[row.file], "%d,%d,%d\n", row.ms, row.k, row.x)
	}
	dir := t.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("s%d.csv", i)), []byte(files[i].String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ddl := fmt.Sprintf("CREATE STREAM s (ms BIGINT, k INTEGER, x INTEGER, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '%d' SECOND) WITH (connector = 'file', path = '%s/s*.csv', partitions = 'per-file');\n", delay, dir)
	q := newQuery(sql, "many-keys", window, nil)
	return &testCase{dir: dir, script: ddl + q.sql + ";\n", queries: []*query{q}, results: []int{0}, reach: 40, seed: 5}
}

// lastTwo is what the query over the last two rows of each key puts out for each row, if none is late.
func lastTwo(rows []keyedRow) string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b keyedRow) int { return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.file, b.file)) })
	last := map[int]keyedRow{}
	var out strings.Builder
	shown := map[int]string{}
	for _, row := range rows {
		before, known := last[row.k]
		line := fmt.Sprintf("%d 1 %d %d\n", row.k, row.x, row.ms)
		if known {
			line = fmt.Sprintf("%d 2 %d %d\n", row.k, before.x+row.x, before.ms)
		}
		if line != shown[row.k] {
			out.WriteString(line)
		}
		last[row.k], shown[row.k] = row, line
	}
	return out.String()
}
