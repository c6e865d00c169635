package random

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace"
)

// TestSessionsOfManyKeys runs sessions of 100,000 keys over two partitions, whose rows
// are out of order and one of which is silent for most of the time: the engine agrees
// with the reference, and with itself when it is stopped and goes on with other lanes.
func TestSessionsOfManyKeys(t *testing.T) {
	keys, rows, step := 100_000, 240_000, 1
	if testing.Short() { // what tasks of a row take under the race detector is too long for so many
		keys, rows, step = 4_000, 9_600, 25
	}
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	var files [2]strings.Builder
	for i := range files {
		files[i].WriteString("ms,k,x\n")
	}
	for i := range rows {
		file := 0
		if i < rows/20 || i > rows-rows/20 {
			file = r.IntN(2)
		}
		key := i % keys
		if r.IntN(4) == 0 {
			key = r.IntN(keys) // some come back soon
		}
		fmt.Fprintf(&files[file], "%d,%d,%d\n", i*step+r.IntN(1500), key, r.IntN(100))
	}
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("s%d.csv", i)), []byte(files[i].String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ddl := fmt.Sprintf("CREATE STREAM s (ms BIGINT, k INTEGER, x INTEGER, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH (connector = 'file', path = '%s/s*.csv', partitions = 'per-file');\n", dir)
	q := newQuery("SELECT window_start, window_end, k, COUNT(*) AS n, SUM(x) AS s, MIN(ms) AS first FROM s [PARTITION BY k SESSION 40 SECONDS] GROUP BY k", "many-keys", "session-by", nil)
	c := &testCase{dir: dir, script: ddl + q.sql + ";\n", queries: []*query{q}, results: []int{0}, reach: 40, seed: 5}
	want, err := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(want.results[0], "\n"); n < keys {
		t.Fatalf("%d sessions of %d keys", n, keys)
	}
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
