package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine/dispatch"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// build makes a stage of every pipeline, producers first, and joins them.
func (r *run) build() error {
	readers := r.plan.Model.Consumers()
	for _, p := range r.plan.Pipelines {
		s := &stage{run: r, id: p.ID, name: p.Name(), ring: make([]slot, slotsPerWorker*r.cfg.Workers+slotsBase+device.DepthMax*len(r.cfg.Devices))}
		s.space = sync.NewCond(&s.mu)
		r.stages = append(r.stages, s)
		tied := r.tied(p)
		for i := range p.Inputs {
			r.connect(s, &p.Inputs[i]).tied = tied
		}
		r.classify(s)
	}
	for _, p := range r.plan.Pipelines {
		if err := r.fill(r.stages[p.ID], p, readers); err != nil {
			return fmt.Errorf("%s: %w", p.Name(), err)
		}
	}
	for _, s := range r.stages {
		s.fuseSink()
	}
	r.offers()
	return nil
}

// connect makes the inlet for one input and hangs it on the edge's outlet.
func (r *run) connect(s *stage, in *bind.Input) *inlet {
	from := r.stages[in.From]
	o := r.outlets[in.Edge]
	if o == nil {
		o = &outlet{timed: r.plan.Model.EdgeRelation(in.Edge).Time >= 0}
		r.outlets[in.Edge] = o
		from.outlets = append(from.outlets, o)
	}
	inlet := &inlet{
		stage: s, from: from, cutter: dispatch.NewCutter(), schema: r.plan.Model.Schema(in.Edge),
		rowsMax: int(max(1, r.cfg.TaskBytes/int64(in.Width))),
		eager:   r.plan.Pipelines[in.From].Form != bind.Source || in.Edge.Port != model.Out,
		rowSize: in.Width,
	}
	if r.plan.Pipelines[s.id].Form == bind.Sink {
		inlet.rowsMax = min(inlet.rowsMax, operator.OutputRows)
	}
	inlet.size = inlet.rowsMax
	o.readers = append(o.readers, inlet)
	s.inlets = append(s.inlets, inlet)
	return inlet
}

// tied reports whether two inputs of a pipeline come from the same source.
func (r *run) tied(p *bind.Pipeline) bool {
	seen := map[int]bool{}
	for _, in := range p.Inputs {
		mine := map[int]bool{}
		r.sources(in.From, mine)
		for s := range mine {
			if seen[s] {
				return true
			}
			seen[s] = true
		}
	}
	return false
}

// sources collects the source pipelines behind a pipeline.
func (r *run) sources(id int, into map[int]bool) {
	p := r.plan.Pipelines[id]
	if p.Form == bind.Source {
		into[id] = true
	}
	for _, in := range p.Inputs {
		r.sources(in.From, into)
	}
}

// fill gives a stage its body.
func (r *run) fill(s *stage, p *bind.Pipeline, readers map[model.Edge][]model.Reader) (err error) {
	switch p.Form {
	case bind.Source:
		s.body, err = r.sourceBody(p)
	case bind.Sink:
		s.sink = true
		s.body, err = r.sinkBody(s, p)
	default:
		var fn operator.Function
		if fn, s.unsuited, err = r.suited(p); err != nil {
			return err
		}
		s.setLanes(fn)
		s.function = newFunctionBody(r, fn, len(p.Inputs), r.outlets[model.Edge{Op: p.Output().ID, Port: model.Out}], r.errorPorts(s, p))
		s.body = s.function
		if r.pairing(p) && r.unpaired[p.ID] == nil {
			s.pairs = s.newPairs(fn.(operator.Pairer))
			s.function.pairs = s.pairs
		}
	}
	if err != nil {
		return err
	}
	for i, in := range s.inlets {
		in.wanted = s.body.wants(i)
		if s.function != nil {
			in.sizer, _ = s.function.fn.(operator.Sizer)
		}
		if src, ok := in.from.body.(*sourceBody); ok {
			in.live = src.src.Live()
		}
	}
	return nil
}

func (s *stage) setLanes(fn operator.Function) {
	k, ok := fn.(operator.Keyed)
	if !ok {
		return
	}
	s.keyed = k
	s.lanes = make([]lane, k.Lanes())
	for i := range s.ring {
		s.ring[i].laneOut = make([]any, k.Lanes())
		s.ring[i].lanesOut = s.ring[i].laneOut
	}
}

// suited returns the function of a pipeline, for devices where they can run its tasks;
// where not, it says why.
func (r *run) suited(p *bind.Pipeline) (fn operator.Function, unsuited error, err error) {
	if !r.hybrid() {
		fn, err = r.function(p, false)
		return fn, nil, err
	}
	if err := r.tryPairs(p); err != nil {
		return nil, nil, err
	}
	// Beside workers devices take what these compute task by task; windows that a worker puts
	// out whole are many times faster than any that are merged from devices' panes.
	if fn, err = r.function(p, r.cfg.DevicesOnly); err != nil {
		return nil, nil, err
	}
	if unsuited = suits(fn, len(p.Inputs)); unsuited != nil {
		fn, err = r.function(p, false)
	}
	return fn, unsuited, err
}

// function makes the function of a pipeline; for devices, one of whose tasks they can run
// a part.
func (r *run) function(p *bind.Pipeline, devices bool) (operator.Function, error) {
	env := operator.Env{Devices: devices, Pairs: r.pairing(p) && r.unpaired[p.ID] == nil, Pool: r.pool, BufferBytesMax: r.cfg.BufferBytesMax, Fills: r.filling(p.ID), Lanes: r.cfg.Workers, Force: r.cfg.Force}
	sides := make([]operator.Side, len(p.Inputs))
	for i, in := range p.Inputs {
		sides[i] = operator.Side{Relation: r.plan.Model.EdgeRelation(in.Edge), Steps: in.Steps, Need: in.Need}
	}
	switch p.Form {
	case bind.Pass:
		return operator.NewPass(env, sides[0])
	case bind.Aggregate:
		return aggregateFunction(env, p, sides)
	case bind.Rows:
		return operator.NewRows(env, sides[0], p.Op, p.Need)
	case bind.Join:
		return operator.NewJoin(env, sides[0], sides[1], p.Op, p.Need)
	case bind.Lookup:
		return operator.NewLookup(env, sides[0], sides[1], p.Op, p.Need)
	case bind.Union:
		return operator.NewUnion(env, sides, p.Op, p.Need)
	case bind.Sort:
		return operator.NewSort(env, sides[0], p.Op, p.Need)
	case bind.Instant:
		region, err := operator.FindRegion(r.plan.Model, p.Op)
		if err != nil {
			return nil, err
		}
		return operator.NewInstant(env, *region, p.Need)
	default:
		return nil, fmt.Errorf("no function for pipelines of form %s", p.Form)
	}
}

// aggregateFunction is an aggregate with the lookups in front of it and the steps behind.
func aggregateFunction(env operator.Env, p *bind.Pipeline, sides []operator.Side) (operator.Function, error) {
	ops := p.Lookups()
	if len(ops) > 0 {
		sides[0].Lookups = &operator.Lookups{}
		for i, op := range ops {
			sides[0].Lookups.Add(op, sides[1+i])
		}
	}
	fn, err := operator.NewAggregate(env, sides[0], p.Op, operator.PeakNeed(p.Op, p.Need))
	if err == nil && (len(p.After) > 0 || p.Op.Aggregate.Peak != nil) {
		fn, err = operator.NewAfter(env, fn, p.Op, p.Need, operator.Side{Relation: p.Op.Relation, Steps: p.After, Need: p.AfterNeed})
	}
	if err == nil && len(ops) > 0 {
		fn = operator.NewProbing(env, fn, sides[0].Lookups)
	}
	return fn, err
}

// errorPorts makes the ports of a pipeline's operators: its own and its inputs' steps.
func (r *run) errorPorts(s *stage, p *bind.Pipeline) errorPorts {
	ports := errorPorts{}
	add := func(op *model.Operator) { ports[op.ID] = r.errorPort(op, r.policy(op)) }
	add(p.Op)
	for _, step := range p.After {
		add(step)
	}
	for _, in := range p.Inputs {
		for _, step := range in.Steps {
			add(step)
		}
	}
	if p.Form == bind.Instant {
		for _, op := range regionOps(r.plan.Model, p.Op) {
			add(op)
		}
	}
	return ports
}

// regionOps are the operators of the per-instant region that ends at emit.
func regionOps(m *model.Model, emit *model.Operator) []*model.Operator {
	var out []*model.Operator
	for _, e := range emit.Inputs {
		op := m.Ops[e.Op]
		out = append(out, op)
		if op.Kind != model.WindowOp {
			out = append(out, regionOps(m, op)...)
		}
	}
	return out
}

// policy is that of the sinks behind an operator: a failing row fails the job if the
// sink that would have received it says so.
func (r *run) policy(op *model.Operator) model.ErrorPolicy {
	if op.Kind == model.SinkOp {
		return op.Sink.OnError
	}
	for _, rd := range r.plan.Model.Consumers()[model.Edge{Op: op.ID, Port: model.Out}] {
		if r.policy(rd.Op) == model.ErrorsFail {
			return model.ErrorsFail
		}
	}
	return model.ErrorsToPort
}

func (r *run) errorPort(op *model.Operator, policy model.ErrorPolicy) *errorPort {
	if p := r.ports[op.ID]; p != nil {
		return p
	}
	p := &errorPort{op: op, policy: policy, out: r.outlets[model.Edge{Op: op.ID, Port: model.Errors}], tally: &Tally{}, sink: r.cfg.ErrorRow}
	r.ports[op.ID] = p
	return p
}

func (r *run) sourceBody(p *bind.Pipeline) (body, error) {
	op, src := p.Op, r.cfg.Sources[p.Op.ID]
	if src == nil {
		return nil, fmt.Errorf("no source was opened for stream %s", op.Name)
	}
	need := SourceNeed(r.plan, op)
	computer, err := operator.NewComputer(op, need)
	if err != nil {
		return nil, err
	}
	n := src.Partitions()
	edge := func(port model.Port) *outlet { return r.outlets[model.Edge{Op: op.ID, Port: port}] }
	side := func(port model.Port, schema *stream.Schema, need []bool) *sidePort {
		return newSidePort(edge(port), schema, need, n, r.pool, r.cfg.BufferBytesMax, r.filling(p.ID))
	}
	b := &sourceBody{
		run: r, op: op, src: src, need: need, computer: computer,
		in:     newIngress(op, n, need, r.pool, r.cfg.BufferBytesMax, r.filling(p.ID)),
		places: make([]connector.Position, n), seen: make([]int64, n),
		out:     edge(model.Out),
		late:    side(model.Late, op.Relation.Schema, need),
		arrival: side(model.Arrival, op.Relation.Schema, need),
		failed:  side(model.Errors, model.ErrorSchema, nil),
		errors:  r.errorPort(op, op.Source.OnError), tally: &Tally{},
	}
	b.errors.out = nil // the side port sends in order
	b.ahead, b.heard = newTimes(n), make([]atomic.Int64, n)
	b.floor.Store(minTime)
	return b, nil
}

// SourceNeed tells which columns of a source's schema have to be filled: those read
// from any of its ports, and event time.
func SourceNeed(plan *bind.Plan, op *model.Operator) []bool {
	need := make([]bool, op.Relation.Schema.Len())
	if op.Relation.Time >= 0 {
		need[op.Relation.Time] = true
	}
	for _, port := range []model.Port{model.Out, model.Late, model.Arrival} {
		for i, n := range plan.Needs[model.Edge{Op: op.ID, Port: port}] {
			need[i] = need[i] || n
		}
	}
	for i, e := range op.Source.Computed {
		if e != nil && (need[i] || e.MayErr()) {
			e.Columns(func(c int) { need[c] = true })
		}
	}
	return need
}

func (r *run) sinkBody(s *stage, p *bind.Pipeline) (body, error) {
	sink := r.cfg.Sinks[p.Op.ID]
	in := p.Inputs[0]
	side := operator.Side{Relation: r.plan.Model.EdgeRelation(in.Edge), Steps: in.Steps, Need: in.Need}
	chain, err := operator.NewChain(side)
	if err != nil {
		return nil, err
	}
	b := &sinkBody{run: r, op: p.Op, chain: chain, schema: side.Output().Schema, need: in.Need, errors: r.errorPorts(s, p), steps: len(in.Steps) > 0}
	switch k := sink.(type) {
	case connector.ByteSink:
		b.bytes = k
	case connector.BatchSink:
		b.rows = k
		b.count, _ = sink.(connector.Discarder)
	default:
		return nil, fmt.Errorf("no sink was opened for %s", p.Op.Name)
	}
	if failing, ok := sink.(connector.Failing); ok {
		failing.OnFailure(func(err error) { r.fail(fmt.Errorf("%s: %w", p.Op.Name, err)) })
	}
	live := false
	for _, src := range r.cfg.Sources {
		live = live || src.Live()
	}
	b.writer = newWriter(b, s, live)
	r.writers = append(r.writers, b.writer)
	r.sinksLeft.Add(1)
	return b, nil
}
