package random

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/operator"
)

// drawn counts, over the engine runs of many cases, what settings forced and which
// algorithms then ran: rows are "forced vary" and "groups: packed words", and of what
// was forced and taken together "windows=local: local".
type drawn map[string]int

// add counts a run that came to its end.
func (d drawn) add(s setting, stats *millrace.Stats) {
	d["runs"]++
	if stats.LatencyTarget > 0 {
		d["latency target"]++
	}
	for _, p := range stats.Processors[1:] {
		if d["devices"]++; p.Tasks > 0 {
			d["devices with tasks"]++
		}
	}
	forced := strings.Fields(s.force.String())
	for _, f := range forced {
		d["forced "+f]++
	}
	seen := map[string]bool{}
	for _, p := range stats.Pipelines {
		for _, c := range p.Choices {
			for algorithm, n := range c.Taken {
				if n > 0 {
					seen[c.Part+": "+algorithm] = true
				}
			}
		}
	}
	for row := range seen {
		d[row]++
		for _, f := range forced {
			d[f+", "+row]++
		}
	}
}

func (d drawn) String() string {
	var rows []string
	for row, n := range d {
		if !strings.Contains(row, ", ") || slices.Contains(forcedTaken, row) || n > 0 && slices.Contains(forcedNot, row) {
			rows = append(rows, fmt.Sprintf("%7d %s", n, row))
		}
	}
	sort.Strings(rows)
	return strings.Join(rows, "\n")
}

// takenMin is how many of the runs of a full test at least must do what is asserted.
const takenMin = 10

// taken are algorithms that must have run, forced or chosen.
var taken = []string{
	"latency target", "devices", "devices with tasks",
	"groups: table rows", "groups: packed words", "groups: hash table", "windows: local", "windows: assembled",
	"pairs: hash", "pairs: hash by blocks", "pairs: every pair", "pairs: bitmaps", "pairs: range bitmaps",
	"order: in turn", "order: lanes", "order: jobs",
}

// forcedTaken are those that must have run because they were forced; forcedNot must not
// have, where another was.
var (
	forcedTaken = []string{
		"group=packed, groups: packed words", "group=hash, groups: hash table", "windows=local, windows: local",
		"windows=assembled, windows: assembled", "join=theta, pairs: every pair", "join=hash, pairs: hash", "join=bitmap, pairs: bitmaps",
		"order=turn, order: in turn", "order=lanes, order: lanes",
	}
	forcedNot = []string{
		"group=packed, groups: table rows", "group=hash, groups: table rows", "group=hash, groups: packed words",
		"windows=assembled, windows: local", "join=theta, pairs: hash", "join=theta, pairs: hash by blocks", "join=hash, pairs: hash by blocks", "join=theta, pairs: bitmaps", "join=bitmap, pairs: range bitmaps",
		"order=turn, order: lanes", "order=lanes, order: in turn",
	}
)

// assert fails for values of a knob that were drawn too seldom and for algorithms that
// ran too seldom, or that ran although they were forced not to.
func (d drawn) assert(t *testing.T) {
	t.Helper()
	rows := append(slices.Clone(taken), forcedTaken...)
	for _, k := range operator.Knobs() {
		for _, v := range k.Values {
			rows = append(rows, "forced "+k.Name+"="+v)
		}
	}
	for _, row := range rows {
		if d[row] < takenMin {
			t.Errorf("coverage: %q in %d of %d runs, want %d", row, d[row], d["runs"], takenMin)
		}
	}
	for _, row := range forcedNot {
		if d[row] > 0 {
			t.Errorf("coverage: %q in %d runs", row, d[row])
		}
	}
}
