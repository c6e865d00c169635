// Package bind decides where a model runs: it cuts the dataflow into pipelines - what a
// processor executes as one - and says for each which processors accept it. Today a
// node is one CPU and its workers; the seam for other processors is Pipeline.Able.
//
// A pipeline is an operator with memory (or a sink, or nothing) and, fused in front of
// each of its inputs, the stateless operators that feed it. Behind an aggregate stand
// the filters on its results. A window fuses with the aggregate or join behind it unless
// somebody reads its columns in between.
package bind

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model"
)

// Form is what kind of function a pipeline runs.
type Form uint8

// The forms.
const (
	Source Form = iota
	Pass        // stateless steps only
	Aggregate
	Rows // a windowed relation without aggregate
	Join
	Lookup
	Union
	Instant
	Sink
	Sort
)

var formNames = [...]string{"source", "pass", "aggregate", "rows", "join", "lookup", "union", "instant", "sink", "sort"}

func (f Form) String() string { return formNames[f] }

// Input is one input of a pipeline: an edge of the model, the pipeline that puts it
// out, and the stateless operators run on it before the pipeline's own.
type Input struct {
	Edge  model.Edge
	From  int               // index of the producing pipeline
	Steps []*model.Operator // filters, projections, lookups and at most one window, in order
	Need  []bool            // columns of the last step's output that the pipeline reads
	Width int               // assumed bytes of a row of the edge's needed columns; tasks are cut by it
}

// Pipeline is a unit of execution.
type Pipeline struct {
	ID   int
	Form Form
	Op   *model.Operator // for Instant the emit operator
	// Inputs are the operator's; those of an aggregate are followed by the table of each
	// lookup among the steps of the first one, the last step's first.
	Inputs []Input
	Need   []bool // columns of Op's output that are read
	// After are filters and projections that run on what Op puts out, in order; AfterNeed
	// are the columns of the last one that are read. Only an aggregate has them.
	After     []*model.Operator
	AfterNeed []bool
	// Able lists the processor classes that accept the pipeline, with reasons for the
	// others. One class exists in this version.
	Able []string
}

// Output is the operator whose output the pipeline puts out.
func (p *Pipeline) Output() *model.Operator {
	if n := len(p.After); n > 0 {
		return p.After[n-1]
	}
	return p.Op
}

// Name is the pipeline's name in EXPLAIN, metrics and statistics.
func (p *Pipeline) Name() string { return p.Op.Name }

// Plan is a bound model.
type Plan struct {
	Model     *model.Model
	Needs     Needs
	Pipelines []*Pipeline // producers before consumers
}

// Needs tells which columns of an edge are read.
type Needs map[model.Edge][]bool

// Fused are the filters and projections that run in a neighbour's pipeline.
type Fused struct {
	Front  map[model.OpID]bool // in front of their only reader, for a lookup the aggregate behind it
	Behind map[model.OpID]bool // behind the aggregate that they read, perhaps through others
}

// Region names the edges that a per-instant region reads.
type Region func(m *model.Model, emit *model.Operator) ([]model.Edge, error)

// Bind cuts m into pipelines.
func Bind(m *model.Model, needs Needs, fused Fused, region Region) (*Plan, error) {
	b := &binder{
		model: m, needs: needs, fused: fused, region: region,
		plan: &Plan{Model: m, Needs: needs}, readers: m.Consumers(), byOp: map[model.OpID]int{}, expanded: map[model.OpID][]*model.Operator{},
		after: map[model.OpID][]*model.Operator{}, home: map[model.OpID]*model.Operator{},
	}
	b.fuseBehind()
	for _, op := range m.Ops {
		if op.Kind != model.SinkOp {
			continue
		}
		if _, err := b.pipeline(op); err != nil {
			return nil, err
		}
	}
	return b.plan, nil
}

type binder struct {
	model   *model.Model
	needs   Needs
	fused   Fused
	region  Region
	plan    *Plan
	readers map[model.Edge][]model.Reader
	byOp    map[model.OpID]int
	// expanded holds, by the last step, windows that are put out row by row with the
	// steps that run before the expansion.
	expanded map[model.OpID][]*model.Operator
	after    map[model.OpID][]*model.Operator // steps behind an aggregate, in its pipeline
	home     map[model.OpID]*model.Operator   // the aggregate that a step is behind
}

// pipeline returns the pipeline that puts out op, making it and its producers.
func (b *binder) pipeline(op *model.Operator) (int, error) {
	if home := b.home[op.ID]; home != nil {
		op = home
	}
	if id, ok := b.byOp[op.ID]; ok {
		return id, nil
	}
	p := &Pipeline{Op: op, Need: b.needs[model.Edge{Op: op.ID, Port: model.Out}], Able: []string{"cpu"}}
	if err := b.inputs(p); err != nil {
		return 0, err
	}
	for i := range p.Inputs {
		if err := b.connect(&p.Inputs[i]); err != nil {
			return 0, err
		}
	}
	p.ID = len(b.plan.Pipelines)
	b.plan.Pipelines = append(b.plan.Pipelines, p)
	b.byOp[op.ID] = p.ID
	return p.ID, nil
}

func (b *binder) inputs(p *Pipeline) error {
	op := p.Op
	switch op.Kind {
	case model.SourceOp:
		p.Form = Source
	case model.FilterOp, model.ProjectOp, model.UnnestOp:
		if steps := b.expanded[op.ID]; steps != nil {
			b.rows(p, steps)
			return nil
		}
		in := b.stateless(op.Inputs[0], []*model.Operator{op})
		if steps := b.expanded[op.ID]; steps != nil {
			b.rows(p, steps)
			return nil
		}
		p.Form, p.Inputs = Pass, []Input{in}
	case model.SinkOp:
		p.Form = Sink
		p.Inputs = []Input{b.stateless(op.Inputs[0], nil)}
	case model.AggregateOp:
		p.Form = Aggregate
		p.Inputs = b.fuseLookups(b.windowed(op.Inputs[0], b.aggregateReads(op)))
		if p.After = b.after[op.ID]; p.After != nil {
			p.AfterNeed = b.needs[model.Edge{Op: p.Output().ID, Port: model.Out}]
		}
	case model.WindowOp:
		b.rows(p, []*model.Operator{op})
	case model.JoinOp:
		p.Form = Join
		left, right := b.joinReads(op)
		p.Inputs = []Input{b.windowed(op.Inputs[0], left), b.windowed(op.Inputs[1], right)}
	case model.SortOp:
		p.Form = Sort
		p.Inputs = []Input{b.stateless(op.Inputs[0], nil)}
	case model.LookupOp, model.UnionOp:
		p.Form = Lookup
		if op.Kind == model.UnionOp {
			p.Form = Union
		}
		for _, e := range op.Inputs {
			p.Inputs = append(p.Inputs, b.stateless(e, nil))
		}
	case model.EmitOp:
		p.Form = Instant
		edges, err := b.region(b.model, op)
		if err != nil {
			return err
		}
		for _, e := range edges {
			p.Inputs = append(p.Inputs, Input{Edge: e})
		}
	default:
		return fmt.Errorf("bind: operator %s of kind %s has no pipeline", op.Name, op.Kind)
	}
	return nil
}

// connect finds the producer of an input and what is read of it.
func (b *binder) connect(in *Input) error {
	from, err := b.pipeline(b.producer(in.Edge))
	if err != nil {
		return err
	}
	in.From = from
	if in.Need == nil {
		in.Need = b.outputNeed(in)
	}
	need := b.needs[in.Edge]
	for i, f := range b.model.Schema(in.Edge).Fields {
		if need == nil || need[i] {
			in.Width += f.Type.Width()
		}
	}
	in.Width = max(in.Width, 1)
	return nil
}

// producer is the operator whose pipeline puts out an edge: for the error rows of an
// operator in a per-instant region, the end of the region.
func (b *binder) producer(e model.Edge) *model.Operator {
	op := b.model.Ops[e.Op]
	for e.Port == model.Errors && op.Kind != model.EmitOp && op.Relation.Instant() {
		readers := b.readers[model.Edge{Op: op.ID, Port: model.Out}]
		if len(readers) == 0 {
			break
		}
		op = readers[0].Op
	}
	return op
}

func (b *binder) outputNeed(in *Input) []bool {
	if len(in.Steps) == 0 {
		return b.needs[in.Edge]
	}
	return b.needs[model.Edge{Op: in.Steps[len(in.Steps)-1].ID, Port: model.Out}]
}

// walk goes from e toward the source over the filters and projections that are fused in
// front of their reader, and puts them in front of steps.
func (b *binder) walk(e model.Edge, steps []*model.Operator) Input {
	for {
		op := b.model.Ops[e.Op]
		if e.Port != model.Out || op.Kind == model.LookupOp || !b.fused.Front[op.ID] {
			return Input{Edge: e, Steps: steps}
		}
		steps = append([]*model.Operator{op}, steps...)
		e = op.Inputs[0]
	}
}

// stateless is walk, with the steps that do not compute with a window's columns moved
// to the window's own pipeline: there they run once per row instead of once per window.
func (b *binder) stateless(e model.Edge, steps []*model.Operator) Input {
	in := b.walk(e, steps)
	w := b.model.Ops[in.Edge.Op]
	if in.Edge.Port != model.Out || w.Kind != model.WindowOp || w.Window.Kind.Instant() || w.Window.Kind == model.Session || len(b.readers[in.Edge]) != 1 {
		return in
	}
	n := commuting(b.model, w, in.Steps)
	if n == 0 {
		return in
	}
	last := in.Steps[n-1]
	b.expanded[last.ID] = append([]*model.Operator{w}, in.Steps[:n]...)
	return Input{Edge: model.Edge{Op: last.ID, Port: model.Out}, Steps: in.Steps[n:]}
}

// rows makes p the expansion of the window that steps begin with.
func (b *binder) rows(p *Pipeline, steps []*model.Operator) {
	p.Form = Rows
	w := steps[0]
	in := Input{Edge: w.Inputs[0], Steps: steps}
	if w.Window.Kind.Spans() {
		in = b.stateless(w.Inputs[0], steps)
	}
	p.Inputs = []Input{in}
}

// windowed is stateless for an operator that works per window: it takes in the window
// too when nothing above it reads window columns. reads are the columns of e that the
// operator itself reads, window columns only if by its expressions.
func (b *binder) windowed(e model.Edge, reads []bool) Input {
	in := b.walk(e, nil)
	w := b.model.Ops[in.Edge.Op]
	if in.Edge.Port != model.Out || w.Kind != model.WindowOp || w.Window.Kind.Instant() || w.Window.Kind == model.Session || readsWindow(w, b.model, in.Steps, reads) {
		in = b.stateless(e, nil)
		in.Need = b.carried(e, reads)
		return in
	}
	steps := append([]*model.Operator{w}, in.Steps...)
	below := Input{Edge: w.Inputs[0], Steps: steps}
	if w.Window.Kind.Spans() {
		below = b.stateless(w.Inputs[0], steps)
	}
	below.Need = reads
	return below
}

// carried adds the window columns that an operator over an already windowed relation
// needs, and its event time.
func (b *binder) carried(e model.Edge, reads []bool) []bool {
	need := append([]bool(nil), reads...)
	rel := b.model.EdgeRelation(e)
	for _, role := range windowRoles {
		if i := rel.Schema.RoleIndex(role); i >= 0 {
			need[i] = true
		}
	}
	if rel.Time >= 0 {
		need[rel.Time] = true
	}
	return need
}

func (p *Plan) String() string {
	form, name := 0, 0
	for _, pl := range p.Pipelines {
		form, name = max(form, len(pl.Form.String())), max(name, len(pl.Name()))
	}
	var sb strings.Builder
	for _, pl := range p.Pipelines {
		line := fmt.Sprintf("  %2d  %-*s  %-*s  %s", pl.ID, form, pl.Form, name, pl.Name(), strings.Join(pl.Able, ", "))
		for i, in := range pl.Inputs {
			line += []string{"  reads ", " and "}[min(i, 1)] + fmt.Sprint(in.From)
			if in.Edge.Port != model.Out {
				line += " port " + string(in.Edge.Port)
			}
			var steps []string
			for _, s := range in.Steps {
				steps = append(steps, fmt.Sprintf("%s #%d", s.Kind, s.ID))
			}
			if len(steps) > 0 {
				line += " (" + strings.Join(steps, ", ") + ")"
			}
		}
		var after []string
		for _, s := range pl.After {
			after = append(after, fmt.Sprintf("%s #%d", s.Kind, s.ID))
		}
		if len(after) > 0 {
			line += ", then " + strings.Join(after, ", ")
		}
		sb.WriteString(line + "\n")
	}
	return sb.String()
}
