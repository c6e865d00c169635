package reference

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// region is an instant region being built and evaluated.
type region struct {
	run     *run
	streams []*regionStream
	windows []*windowNode
	joined  bool // two windows meet, be they one operator
	nodes   map[model.OpID]node
	logs    map[logKey]*log
}

// regionStream is a port that windows of the region stand on. Two windows on the same
// port see each of its rows at the same instant.
type regionStream struct {
	edge  model.Edge
	items []*item
	times []int64 // nil without event time
}

// emit evaluates an instant region and returns what it emits: for ISTREAM the items
// that are new at an instant without those that, by value, only replace one that went;
// for DSTREAM those that are gone, likewise; for RSTREAM all rows of every instant.
func (r *run) emit(op *model.Operator) (*relation, error) {
	g := &region{run: r, nodes: map[model.OpID]node{}, logs: map[logKey]*log{}}
	root, err := g.node(op.Inputs[0])
	if err != nil {
		return nil, err
	}
	instants, err := g.instants(op)
	if err != nil {
		return nil, err
	}
	var rows []Row
	var before []*item
	for _, now := range instants {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		items := root.at(now)
		emitted := items
		switch op.Emit {
		case model.Istream:
			emitted = appeared(before, items)
		case model.Dstream:
			emitted = appeared(items, before)
		}
		for _, it := range emitted {
			row := it.row
			if op.Relation.Time >= 0 {
				row = append(slices.Clip(row), stream.Time(now.time))
			}
			rows = append(rows, row)
		}
		before = items
	}
	for k, l := range g.logs {
		r.keep(k.part, l)
	}
	return plain(op.Relation.Time, rows), nil
}

// appeared returns the items of now that were not there before, less one for every
// item that is gone and had the same values.
func appeared(before, now []*item) []*item {
	was, is := map[*item]bool{}, map[*item]bool{}
	for _, it := range before {
		was[it] = true
	}
	for _, it := range now {
		is[it] = true
	}
	gone := map[string]int{}
	for _, it := range before {
		if !is[it] {
			gone[groupKey(it.row)]++
		}
	}
	var out []*item
	for _, it := range now {
		if was[it] {
			continue
		}
		if key := groupKey(it.row); gone[key] > 0 {
			gone[key]--
			continue
		}
		out = append(out, it)
	}
	return out
}

// node builds the node of an edge, with everything below it. Streams are numbered as
// they are met, left to right.
func (g *region) node(e model.Edge) (node, error) {
	op := g.run.model.Ops[e.Op]
	if n := g.nodes[op.ID]; n != nil {
		return n, nil
	}
	n, err := g.build(op)
	g.nodes[op.ID] = n
	return n, err
}

func (g *region) build(op *model.Operator) (node, error) {
	if op.Kind == model.WindowOp && op.Window.Kind.Instant() {
		return g.window(op)
	}
	switch op.Kind {
	case model.FilterOp, model.ProjectOp, model.AggregateOp, model.JoinOp, model.LookupOp:
	default:
		return nil, fmt.Errorf("operator %s: a %v cannot stand behind a per-instant window", op.Name, op.Kind)
	}
	in, err := g.node(op.Inputs[0])
	if err != nil {
		return nil, err
	}
	r := g.run
	switch op.Kind {
	case model.FilterOp:
		return g.step(op, rowPart, in, r.filterStep(op)), nil
	case model.ProjectOp:
		return g.step(op, rowPart, in, r.projectStep(op)), nil
	case model.AggregateOp:
		added := g.step(op, rowPart, in, r.contribution(op))
		return &groupNode{aggregate: op.Aggregate, in: added, log: g.log(op, resultPart)}, nil
	}
	left := g.step(op, leftPart, in, keyStep(r.model.Schema(op.Inputs[0]), op.Join.LeftKeys))
	if op.Kind == model.LookupOp {
		table, err := r.relation(op.Inputs[1])
		if err != nil {
			return nil, err
		}
		return g.step(op, pairPart, left, r.lookupStep(op, table)), nil
	}
	in, err = g.node(op.Inputs[1])
	if err != nil {
		return nil, err
	}
	g.joined = true
	right := g.step(op, rightPart, in, keyStep(r.model.Schema(op.Inputs[1]), op.Join.RightKeys))
	return &pairNode{op: op, schema: r.pairSchema(op), left: left, right: right, log: g.log(op, pairPart)}, nil
}

func (g *region) step(op *model.Operator, part int, in node, f step) node {
	return &stepNode{in: in, f: f, log: g.log(op, part)}
}

func (g *region) log(op *model.Operator, part int) *log {
	l := &log{op: op}
	g.logs[logKey{op.ID, part}] = l
	return l
}

func (g *region) window(op *model.Operator) (node, error) {
	number, err := g.stream(op.Inputs[0])
	if err != nil {
		return nil, err
	}
	s := g.streams[number]
	n := &windowNode{stream: number, window: op.Window, items: s.items, times: s.times}
	if op.Window.Kind == model.RangeInstant && s.times == nil {
		return nil, fmt.Errorf("operator %s: a window of time over a stream without event time", op.Name)
	}
	if op.Window.Kind == model.PartitionRows {
		n.keys, n.last, n.gone = make([]string, len(s.items)), map[string][]int{}, map[int]bool{}
		for i, it := range s.items {
			var key Row
			for _, c := range op.Window.PartitionBy {
				key = append(key, it.row[c])
			}
			n.keys[i] = groupKey(key)
		}
	}
	g.windows = append(g.windows, n)
	return n, nil
}

func (g *region) stream(e model.Edge) (int, error) {
	for i, s := range g.streams {
		if s.edge == e {
			return i, nil
		}
	}
	rel, err := g.run.relation(e)
	if err != nil {
		return 0, err
	}
	s := &regionStream{edge: e}
	time := g.run.model.EdgeRelation(e).Time
	if time >= 0 {
		s.times = []int64{}
	}
	for _, row := range rel.flat() {
		s.items = append(s.items, &item{row})
		if time >= 0 {
			s.times = append(s.times, row[time].I)
		}
	}
	g.streams = append(g.streams, s)
	return len(g.streams) - 1, nil
}

// arrival is a row of a region's stream.
type arrival struct {
	time        int64
	stream, row int
}

// instants lists the instants of the region: one per row, streams merged by (event
// time, stream, position), without event time alternating by position; one per event
// time if a window of time stands alone.
func (g *region) instants(op *model.Operator) ([]instant, error) {
	timed := 0
	var rows []arrival
	for i, s := range g.streams {
		if s.times != nil {
			timed++
		}
		for j := range s.items {
			a := arrival{stream: i, row: j}
			if s.times != nil {
				a.time = s.times[j]
			}
			rows = append(rows, a)
		}
	}
	if timed != 0 && timed != len(g.streams) {
		return nil, fmt.Errorf("operator %s: streams with and without event time in one per-instant query", op.Name)
	}
	slices.SortStableFunc(rows, func(a, b arrival) int {
		if timed == 0 {
			return cmp.Compare(a.row, b.row)
		}
		return cmp.Compare(a.time, b.time)
	})
	perTime := !g.joined && g.windows[0].window.Kind == model.RangeInstant
	seen := make([]int, len(g.streams))
	var out []instant
	for i, a := range rows {
		seen[a.stream] = a.row + 1
		if perTime && i+1 < len(rows) && rows[i+1].time == a.time {
			continue
		}
		out = append(out, instant{a.time, slices.Clone(seen)})
	}
	return out, nil
}
