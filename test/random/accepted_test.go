package random

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/stream"
)

// acceptedMin is the least part of fixed-width queries, in percent, that devices alone have to
// run.
const acceptedMin = 70

// TestAccepted counts which of the random queries without text run on devices alone, each as a
// script of its own, and why the others do not.
func TestAccepted(t *testing.T) {
	all, accepted, why := 0, 0, map[string]int{}
	for _, seed := range cases(t, 600) {
		withCase(t, seed, func(c *testCase) {
			for _, q := range c.queries {
				plan := c.fixedWidth(q)
				if plan == nil {
					continue
				}
				all++
				switch reason, err := startAlone(plan); {
				case err != nil:
					report(t, "TestAccepted", c, err.Error())
				case reason == "":
					accepted++
				default:
					why[reason]++
				}
			}
		})
	}
	var reasons []string
	for reason, n := range why {
		reasons = append(reasons, fmt.Sprintf("%5d %s", n, reason))
	}
	sort.Sort(sort.Reverse(sort.StringSlice(reasons)))
	t.Logf("of %d queries without text devices alone accept %d, %.1f %%; the others:\n%s", all, accepted, 100*float64(accepted)/float64(all), strings.Join(reasons, "\n"))
	if complete() && (all < 200 || 100*accepted < acceptedMin*all) {
		t.Errorf("devices alone accept %d of %d queries without text, less than %d %%", accepted, all, acceptedMin)
	}
}

// fixedWidth is a plan of query q alone, over streams without their columns of text and of
// decimals that are carried as text, to run on devices alone; nil if such are in it.
func (c *testCase) fixedWidth(q *query) *millrace.Plan {
	var sb strings.Builder
	for _, stream := range strings.SplitAfterN(c.script, "\n", 4)[:3] {
		sb.WriteString(strings.NewReplacer("g VARCHAR, ", "", ", g VARCHAR)", ")", "dw DECIMAL(30, 8), ", "", ", dw DECIMAL(30, 8))", ")",
			"bt BYTEA, ", "", ", bt BYTEA)", ")", "js JSON, ", "", ", js JSON)", ")",
			"ai INT[], ", "", ", ai INT[])", ")", "av ARRAY<VARCHAR>, ", "", ", av ARRAY<VARCHAR>)", ")", `ro ROW<a INT, "b c" VARCHAR>, `, "", `, ro ROW<a INT, "b c" VARCHAR>)`, ")").Replace(stream))
	}
	sb.WriteString(c.session() + q.before + q.sql + ";\n")
	plan, err := millrace.Prepare([]millrace.Script{{Name: "case.sql", Text: sb.String()}}, millrace.Options{
		Workers: 1, Processors: "sim",
		Devices: func() ([]engine.DeviceConfig, error) {
			return []engine.DeviceConfig{{Device: sim.New(sim.Config{ID: "sim:0", MemoryBytes: 1 << 33})}}, nil
		},
		Results: func(millrace.Query) millrace.ResultSink { return nothing{} },
	})
	if err != nil || strings.Contains(plan.ModelText(), "VARCHAR") || longDecimal.MatchString(plan.ModelText()) {
		return nil
	}
	return plan
}

// longDecimal is a type that is carried as text: a DECIMAL of more than 18 digits, BYTEA, JSON.
var longDecimal = regexp.MustCompile(`DECIMAL\((19|[23][0-9]),|:BYTEA|:JSON`)

// startAlone starts a plan and says why devices refuse it.
func startAlone(plan *millrace.Plan) (reason string, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	job, err := plan.Start(ctx)
	if refused := (*engine.RefusedError)(nil); errors.As(err, &refused) {
		return refused.Reason, nil
	}
	if err != nil {
		return "", err
	}
	cancel()
	_, _ = job.Wait() // it was started; a row may fail it before it is given up
	return "", nil
}

// nothing drops a query's rows.
type nothing struct{ collector }

func (nothing) WriteBatch(*stream.Batch, int, int) error { return nil }
