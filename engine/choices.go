package engine

import (
	"fmt"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Choices returns, by number of a plan's pipeline, the algorithms that operators choose
// before any row is there. It runs nothing.
func Choices(plan *bind.Plan, cfg Config) ([][]operator.Choice, error) {
	r := &run{cfg: cfg, plan: plan, pool: stream.NewPool(0)}
	out := make([][]operator.Choice, len(plan.Pipelines))
	for i, p := range plan.Pipelines {
		if p.Form == bind.Source || p.Form == bind.Sink {
			continue
		}
		fn, _, err := r.suited(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		}
		if c, ok := fn.(operator.Chooser); ok {
			out[i] = c.Choices()
		}
	}
	return out, nil
}
