package engine

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Offered is what devices could do of one input of a pipeline.
type Offered struct {
	Pipeline *bind.Pipeline
	Input    int
	Groups   bool   // an aggregate's groups by pane, not only rows
	Declined string // why they cannot; empty if they can
	Kernels  int
	Source   string // in the common dialect, without a backend's prelude
}

// Offers returns what devices could do of a plan, and why not what they cannot: what any
// device could. One without double precision, say, refuses more. It runs nothing.
func Offers(plan *bind.Plan, cfg Config) (out []Offered, err error) {
	cfg.Devices = []DeviceConfig{{}} // of no kind
	r := &run{cfg: cfg, plan: plan, pool: stream.NewPool(0)}
	streams := map[int]bool{}
	for _, p := range plan.Pipelines {
		var offers []Offered
		switch p.Form {
		case bind.Source:
		case bind.Sink:
			offers, err = r.sinkOffer(p, streams[p.Inputs[0].From])
		default:
			var streamer bool
			offers, streamer, err = r.functionOffers(p)
			streams[p.ID] = streamer
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		}
		out = append(out, offers...)
	}
	return out, nil
}

// functionOffers are a function's by input, and whether it puts out rows while it computes.
func (r *run) functionOffers(p *bind.Pipeline) (out []Offered, streams bool, err error) {
	fn, unsuited, err := r.suited(p)
	if err != nil {
		return nil, false, err
	}
	for i := range p.Inputs {
		o, declined := operator.Offload{}, unsuited
		if declined == nil {
			o, declined = offload(fn, i)
		}
		out = append(out, offered(p, i, o, declined))
	}
	s, ok := fn.(operator.Streamer)
	return out, ok && s.Streams(), nil
}

// sinkOffer is a sink's, unless the pipeline before does its work.
func (r *run) sinkOffer(p *bind.Pipeline, fused bool) ([]Offered, error) {
	in := p.Inputs[0]
	chain, err := operator.NewChain(operator.Side{Relation: r.plan.Model.EdgeRelation(in.Edge), Steps: in.Steps, Need: in.Need})
	if err != nil {
		return nil, err
	}
	o, declined := chain.Offload()
	switch {
	case errors.Is(declined, operator.ErrNoSteps):
		return nil, nil
	case fused && len(r.plan.Model.Consumers()[in.Edge]) == 1:
		declined = errors.New("its rows are computed where they arise")
	}
	return []Offered{offered(p, 0, o, declined)}, nil
}

func offered(p *bind.Pipeline, input int, o operator.Offload, declined error) Offered {
	out := Offered{Pipeline: p, Input: input, Groups: o.Aggregate != nil}
	var program kernel.Pipeline
	if declined == nil {
		program, declined = kernel.New(o)
	}
	if declined != nil {
		out.Declined = declined.Error()
		return out
	}
	out.Kernels, out.Source = len(program.Program().Launches), program.Program().Source
	return out
}
