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

// diamondRows is far more than fits into the rings and queues between stages when a
// task is one row: a branch that waits for another one fills up.
const diamondRows = 5000

const diamondStream = `CREATE STREAM s (ms BIGINT, k INTEGER, x INTEGER, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH (connector = 'file', path = '%s');
CREATE VIEW v AS SELECT ts, ms, k, x FROM s WHERE x <> 7;
`

// diamonds are queries whose branches part and meet again, some of them uneven: one
// branch passes nothing, or comes an hour later, or a thousand times as often.
var diamonds = map[string]string{
	"union":            "SELECT ms, k FROM v UNION ALL SELECT ms, k FROM v WHERE k = 3 UNION ALL SELECT ms, x AS k FROM v;",
	"union-nothing":    "SELECT ms, k FROM v UNION ALL SELECT ms, k FROM v WHERE x = 7;",
	"union-windows":    "SELECT window_end AS e, COUNT(*) AS n FROM v [RANGE 500 MILLISECONDS SLIDE 500 MILLISECONDS] UNION ALL SELECT window_end AS e, SUM(k) AS n FROM v [RANGE 1 HOUR SLIDE 1 HOUR];",
	"union-unlike":     "SELECT ts, k FROM v UNION ALL SELECT window_end AS ts, k FROM v [RANGE 10 SECONDS SLIDE 100 MILLISECONDS] GROUP BY k;",
	"union-late":       "SELECT ms FROM s UNION ALL SELECT ms FROM s$late;",
	"union-untimed":    "SELECT ms FROM s$arrival UNION ALL SELECT ms FROM s$arrival WHERE x = 1;",
	"join":             "SELECT p.ms AS pm, q.ms AS qm FROM v [RANGE 1 SECOND SLIDE 1 SECOND] AS p JOIN v [RANGE 2 SECONDS SLIDE 1 SECOND] AS q ON p.k = q.k AND p.x = q.x;",
	"join-nothing":     "SELECT p.ms AS pm, q.ms AS qm FROM v [RANGE 1 SECOND SLIDE 1 SECOND] AS p JOIN (SELECT * FROM v WHERE x = 7) AS q [RANGE 1 SECOND SLIDE 1 SECOND] ON p.k = q.k;",
	"join-rows":        "SELECT p.ms AS pm, q.ms AS qm FROM v [ROWS 3 SLIDE 3] AS p JOIN (SELECT * FROM v WHERE x = 3) AS q [ROWS 50 SLIDE 3] ON p.k = q.k;",
	"join-aggregates":  "WITH c AS (SELECT window_end, k, COUNT(*) AS n FROM v [RANGE 5 SECONDS SLIDE 1 SECOND] GROUP BY k), t AS (SELECT window_end, COUNT(*) AS n FROM v [RANGE 5 SECONDS SLIDE 1 SECOND] WHERE x = 2) SELECT c.k, c.n, t.n AS tn FROM c JOIN t ON c.window_end = t.window_end;",
	"join-instants":    "SELECT p.ms AS pm, q.ms AS qm FROM v [ROWS 4] AS p, (SELECT * FROM v WHERE x = 3) AS q [ROWS 2] WHERE p.k = q.k;",
	"fan-out":          "SELECT ms FROM v; SELECT window_end, COUNT(*) AS n FROM v [RANGE 1 HOUR SLIDE 1 HOUR]; SELECT SUM(x) AS s FROM v [ROWS 100 SLIDE 1]; SELECT k, SUM(x) AS s FROM v [PARTITION BY k ROWS 2] GROUP BY k;",
	"diamond-diamonds": "CREATE VIEW u AS SELECT ts, ms, k FROM v UNION ALL SELECT ts, ms, k FROM v WHERE x < 3; SELECT ms, k FROM u WHERE k < 2 UNION ALL SELECT ms, k FROM u WHERE k > 1; SELECT window_end, COUNT(*) AS n FROM (SELECT ts FROM u UNION ALL SELECT ts FROM v) AS w [RANGE 1 SECOND SLIDE 1 SECOND];",
}

// TestDiamonds runs queries that fan out and in over more rows than the queues hold.
func TestDiamonds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.csv")
	r := rand.New(rand.NewPCG(3, 3))
	var csv strings.Builder
	csv.WriteString("ms,k,x\n")
	rows := diamondRows
	if testing.Short() {
		rows /= 5
	}
	for i := range rows {
		fmt.Fprintf(&csv, "%d,%d,%d\n", i*100-r.IntN(1300), r.IntN(6), r.IntN(10))
	}
	if err := os.WriteFile(path, []byte(csv.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range diamonds {
		t.Run(name, func(t *testing.T) {
			c := &testCase{reach: 3000, dir: t.TempDir(), script: fmt.Sprintf(diamondStream, path) + text}
			for _, q := range strings.Split(strings.TrimSuffix(text, ";"), "; ") {
				if !strings.HasPrefix(q, "CREATE") {
					c.results = append(c.results, len(c.queries))
					c.queries = append(c.queries, &query{sql: q})
				}
			}
			diamond(t, c)
		})
	}
}

func diamond(t *testing.T, c *testCase) {
	t.Helper()
	want, err := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []setting{{workers: 1, taskBytes: 1, blocks: 20}, {workers: 3, taskBytes: 1, blocks: 4000}, {workers: 2, taskBytes: 100, blocks: 100}, {workers: 4}} {
		s.engine = millrace.EngineMillrace
		if failure := c.checkSetting(s, want, nil); failure != "" {
			t.Errorf("%s", failure)
		}
	}
	stops := 0
	for c.seed = range uint64(6) {
		n, failure := c.checkRestore()
		if failure != "" {
			t.Errorf("seed %d: %s", c.seed, failure)
		}
		stops += n
	}
	t.Logf("%d stops", stops)
}
