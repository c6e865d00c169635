package engine

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// offers finds what devices may run. It is called when all stages are there.
func (r *run) offers() {
	if !r.hybrid() {
		return
	}
	for i := range r.classes {
		c := &r.classes[i]
		program, rows, err := c.program()
		if err != nil {
			c.declined, c.bare = err.Error(), c.pairs || errors.Is(err, operator.ErrNoSteps)
		}
		if program != nil {
			c.offer = &offer{program, rows}
		}
	}
	for _, s := range r.stages {
		if s.shared = s.offered(); s.shared || s.pairs != nil {
			s.shares = make([]share, (1+len(r.cfg.Devices))*s.kinds)
		}
	}
}

// program writes the program of a class, and says how many rows its largest task has, on each
// side if they are a join's windows.
func (c *class) program() (kernel.Pipeline, int, error) {
	switch s := c.stage; {
	case !c.pairs:
		return s.program(c.input)
	case s.pairs == nil:
		return nil, 0, s.run.unpaired[s.id]
	default:
		program, err := pairProgram(s.function.fn)
		return program, operator.PairRowsMax, err
	}
}

// program writes the program of an input's tasks; nil without an error where there is
// nothing to compute.
func (s *stage) program(input int) (kernel.Pipeline, int, error) {
	var o operator.Offload
	var err error
	switch b := s.body.(type) {
	case *functionBody:
		if err = s.unsuited; err == nil {
			o, err = offload(b.fn, input)
		}
	case *sinkBody:
		if b.count != nil && !b.steps || s.inlets[0].fused {
			return nil, 0, nil
		}
		if o, err = b.chain.Offload(); errors.Is(err, operator.ErrNoSteps) {
			return nil, 0, nil
		}
	default:
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	program, err := kernel.New(o)
	return program, s.inlets[input].rowsMax, err
}

func offload(fn operator.Function, input int) (operator.Offload, error) {
	can, ok := fn.(operator.Offloader)
	if !ok {
		return operator.Offload{}, errors.New("there is no kernel for it")
	}
	return can.Offload(input)
}

// suits returns why devices cannot run a function's tasks, nil if they can those of some
// input. Inputs with nothing to compute are not the reason if another one has something.
func suits(fn operator.Function, inputs int) (why error) {
	for i := range inputs {
		o, err := offload(fn, i)
		if err == nil {
			_, err = kernel.New(o)
		}
		if err == nil {
			return nil
		}
		if why == nil || errors.Is(why, operator.ErrNoSteps) {
			why = err
		}
	}
	return why
}

// Offered is what devices could do of one input of a pipeline.
type Offered struct {
	Pipeline *bind.Pipeline
	Input    int
	Groups   bool   // an aggregate's groups by pane, not only rows
	Matches  bool   // of a lookup: which rows of its table
	Pairs    bool   // those of a join's windows: Input is none
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
	if r.pairing(p) {
		out = append(out, r.pairsOffered(p, fn))
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
	out := Offered{Pipeline: p, Input: input, Groups: o.Aggregate != nil, Matches: o.Probe != nil}
	var program kernel.Pipeline
	if declined == nil {
		program, declined = kernel.New(o)
	}
	out.describe(program, declined)
	return out
}

// pairsOffered is a join's pairs.
func (r *run) pairsOffered(p *bind.Pipeline, fn operator.Function) Offered {
	out := Offered{Pipeline: p, Input: len(p.Inputs), Pairs: true}
	var program kernel.Pipeline
	declined := r.unpaired[p.ID]
	if declined == nil {
		program, declined = pairProgram(fn)
	}
	out.describe(program, declined)
	return out
}

func (o *Offered) describe(program kernel.Pipeline, declined error) {
	if declined != nil {
		o.Declined = declined.Error()
		return
	}
	o.Kernels, o.Source = len(program.Program().Launches), program.Program().Source
}
