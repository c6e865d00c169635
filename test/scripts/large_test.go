package scripts

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace"
)

// largeRows is enough for rows to lie in many blocks, tasks and windows, and little
// enough for the reference, which looks at whole windows at every instant.
const largeRows = 4000

// largeScript runs a script over a generated CSV file under the reference and the
// engine, and compares with same.
func largeScript(t *testing.T, text, csv string, rows int, same func(want, got string) error) {
	t.Helper()
	s := &script{text: text, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.dir, "in.csv"), []byte(csv), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	want, _, err := s.run(ctx, mode{engine: millrace.EngineReference, workers: 1}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(want["result"], "\n"); n < rows {
		t.Fatalf("only %d rows; the data should give at least %d", n, rows)
	}
	for _, m := range []mode{{workers: 1, taskBytes: 1}, {workers: 3, taskBytes: 500, blockBytes: 1000}, {workers: 4, blockBytes: 4000}, {workers: 2}} {
		m.engine = millrace.EngineMillrace
		got, _, err := s.run(ctx, m, t.TempDir())
		if err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		for name := range want {
			if err := same(want[name], got[name]); err != nil {
				t.Errorf("%s: %s: %v", m, name, err)
			}
		}
	}
}

// equal demands the same bytes.
func equal(want, got string) error { return nearly(want, got, 0) }

// nearly demands the same lines, in which numbers may differ by a relative tolerance.
func nearly(want, got string, tolerance float64) error {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < max(len(w), len(g)); i++ {
		if i >= len(w) || i >= len(g) {
			return fmt.Errorf("want %d lines, got %d", len(w), len(g))
		}
		if w[i] != g[i] && !nearLine(w[i], g[i], tolerance) {
			return fmt.Errorf("line %d: want %s got %s", i+1, w[i], g[i])
		}
	}
	return nil
}

func nearLine(want, got string, tolerance float64) bool {
	cut := func(r rune) bool { return strings.ContainsRune(`{}":,`, r) }
	w, g := strings.FieldsFunc(want, cut), strings.FieldsFunc(got, cut)
	for i := range w {
		if len(w) != len(g) || tolerance == 0 {
			return false
		}
		if w[i] == g[i] {
			continue
		}
		a, errA := strconv.ParseFloat(w[i], 64)
		b, errB := strconv.ParseFloat(g[i], 64)
		if errA != nil || errB != nil || !(math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))) {
			return false
		}
	}
	return true
}

func TestLargeCongestion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var csv strings.Builder
	csv.WriteString("ts,vehicle,speed,highway,direction,position\n")
	for i := range largeRows {
		fmt.Fprintf(&csv, "%d,%d,%v,%d,%d,%d\n", 1767225600+i/40+r.IntN(3), r.IntN(200), float64(r.IntN(320))/4, r.IntN(3), r.IntN(2), r.IntN(30000))
	}
	largeScript(t, `CREATE STREAM Vehicles (ts BIGINT, vehicle INTEGER, speed REAL, highway INTEGER, direction INTEGER, position INTEGER,
  at AS TO_TIMESTAMP_LTZ(ts, 0), segment AS position / 5280, WATERMARK FOR at AS at - INTERVAL '1' SECOND)
WITH (connector = 'file', path = '${in}/in.csv');
SELECT highway, segment, direction, AVG(speed) AS avg
FROM Vehicles [RANGE 5 SECONDS SLIDE 1 SECOND]
GROUP BY highway, segment, direction HAVING AVG(speed) < 40;`, csv.String(), 1000, equal)
}

func TestLargeFraud(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var csv strings.Builder
	csv.WriteString("ts,cid,region\n")
	for i := range largeRows {
		fmt.Fprintf(&csv, "%d,%d,%s\n", i*2+r.IntN(2), r.IntN(400), []string{"EU", "EU", "EU", "US", "ASIA"}[r.IntN(5)])
	}
	largeScript(t, `CREATE STREAM Payments (ts BIGINT, cid INTEGER, region VARCHAR, at AS TO_TIMESTAMP_LTZ(ts, 0), WATERMARK FOR at AS at)
WITH (connector = 'file', path = '${in}/in.csv');
SELECT DISTINCT W.cid FROM Payments [RANGE 300 SECONDS] AS W, Payments [PARTITION BY cid ROWS 1] AS L
WHERE W.cid = L.cid AND W.region <> L.region;`, csv.String(), 100, equal)
}

// TestArbitraryFloats compares sums and means of floats of any size and sign. Nothing
// is selected by them, so that only their last bits can differ.
func TestArbitraryFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var csv strings.Builder
	csv.WriteString("ts,k,r,d\n")
	for i := range largeRows {
		wide := math.Ldexp(r.Float64()-0.5, r.IntN(120)-60)
		fmt.Fprintf(&csv, "%d,%d,%v,%v\n", 1767225600_000+i*100+r.IntN(300), r.IntN(20), float32(r.NormFloat64()*100), wide)
	}
	largeScript(t, `CREATE STREAM s (ts BIGINT, k INTEGER, r REAL, d DOUBLE,
  at AS TO_TIMESTAMP_LTZ(ts, 3), WATERMARK FOR at AS at - INTERVAL '1' SECOND) WITH (connector = 'file', path = '${in}/in.csv');
SELECT window_end, k, SUM(r) AS sr, AVG(r) AS ar, SUM(d) AS sd, AVG(d) AS ad, SUM(SQRT(ABS(d)) * r) AS e
FROM s [RANGE 20 SECONDS SLIDE 1 SECOND] GROUP BY k;
SELECT window_index, AVG(d) AS ad, SUM(r / 3) AS sr FROM s [ROWS 500 SLIDE 7];
SELECT k, SUM(d) AS sd, AVG(EXP(r / 100)) AS e FROM s GROUP BY k;
SELECT k, SUM(d) AS sd, AVG(r) AS ar FROM s [PARTITION BY k ROWS 10] GROUP BY k;`, csv.String(), 1000,
		func(want, got string) error { return nearly(want, got, 1e-9) })
}
