package job

import (
	"context"
	"strings"
	"testing"

	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/sql"
)

// limitStreams are rows in order, more than small buffers hold, and a table.
const limitStreams = `
	CREATE STREAM d (n BIGINT, k BIGINT, at TIMESTAMP, WATERMARK FOR at AS at)
		WITH (connector = 'datagen', number_of_rows = 60000, 'fields.n.kind' = 'sequence', 'fields.k.kind' = 'sequence');
	CREATE STREAM e (n BIGINT, at TIMESTAMP, WATERMARK FOR at AS at)
		WITH (connector = 'datagen', number_of_rows = 60000, 'fields.n.kind' = 'sequence');
	CREATE STREAM slow (n BIGINT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1' DAY)
		WITH (connector = 'datagen', number_of_rows = 60000, 'fields.n.kind' = 'sequence');
	CREATE TABLE t (n BIGINT, v VARCHAR) WITH (connector = 'datagen', number_of_rows = 60000, 'fields.n.kind' = 'sequence');
	CREATE TABLE out1 (n BIGINT) WITH (connector = 'blackhole');
`

// TestLimitsAreNamed reaches every buffer of rows that wait with a small budget: the job
// fails, and the message names the buffer, the budget and what else helps; statistics have
// how full it was. The input queue is reached in package engine: here one of the operators'
// own buffers is full before it.
func TestLimitsAreNamed(t *testing.T) {
	reached := map[string]string{ // by the name of the limit
		operator.LimitIngress:           "SELECT n FROM slow",
		"lookup table":                  "SELECT d.n FROM d JOIN t ON d.n = t.n",
		"window buffer":                 "SELECT COUNT(*) AS n FROM d [RANGE 1 HOUR]",
		"table of groups":               "SELECT COUNT(*) AS n FROM d [RANGE 1 HOUR SLIDE 1 HOUR] GROUP BY k",
		"rows of a window to be sorted": "SELECT n FROM d ORDER BY n DESC",
		"session buffer":                "SELECT COUNT(*) AS n FROM d [SESSION 1 HOUR]",
		"join buffer":                   "SELECT d.n FROM d [RANGE 1 HOUR SLIDE 1 HOUR] JOIN e [RANGE 1 HOUR SLIDE 1 HOUR] ON d.n = e.n",
		"union buffer":                  "SELECT n FROM d WHERE n < 0 UNION ALL SELECT n FROM d",
	}
	for _, l := range operator.Limits() {
		if l.Name == operator.LimitQueue {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			query, ok := reached[l.Name]
			if !ok {
				t.Fatal("no query reaches it")
			}
			text := limitStreams + "INSERT INTO out1 " + query + ";"
			p, err := Prepare([]sql.Script{{Name: "limits.sql", Text: text}}, Options{Workers: 2, TaskBytes: 64 << 10})
			if err != nil {
				t.Fatal(err)
			}
			p.options.MemoryBytes = 256 << 10 // less than a job that is asked for may have
			j, err := p.Start(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			stats, err := j.Wait()
			for _, want := range []string{l.Name + ":", "raise --memory", l.Else} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the job ends with %v, which does not say %q", err, want)
				}
			}
			over := false
			for _, p := range stats.Pipelines {
				for _, b := range p.Buffers {
					over = over || b.Name == l.Name && b.PeakBytes > b.LimitBytes && b.LimitBytes == 128<<10
				}
			}
			if !over {
				t.Errorf("the statistics do not say what was full: %+v", stats.Pipelines)
			}
		})
	}
}
