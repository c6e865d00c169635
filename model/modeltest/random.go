// Package modeltest makes random models for property tests: every one passes
// model.Verify, and together they use every kind of operator, every function and odd
// names and literals. The models make sense to a verifier, not necessarily to a user.
// Entry point: Random.
package modeltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Random returns a model drawn from r, with up to about size operators.
func Random(r *rand.Rand, size int) *model.Model {
	g := &generator{r: r, m: &model.Model{}}
	g.source()
	for len(g.m.Ops) < size {
		steps := []func(){g.source, g.filter, g.filter, g.project, g.project, g.window, g.aggregate, g.join, g.lookup, g.union, g.emit, g.sink, g.sort, g.unnest}
		steps[r.IntN(len(steps))]()
	}
	g.emit()
	g.sink()
	return g.m
}

type generator struct {
	r *rand.Rand
	m *model.Model
}

var oddNames = []string{"a", "speed", "Speed", "$time", "two words", "", `q"uote`, "line\nend", "ä€", "#1", "--", "not", "x.y/z", "\xff"}

func (g *generator) name() string { return oddNames[g.r.IntN(len(oddNames))] }

func (g *generator) add(op *model.Operator) *model.Operator {
	op.Name = fmt.Sprintf("%s%d", g.name(), len(g.m.Ops))
	return g.m.Add(op)
}

func (g *generator) types() []stream.Type {
	out := []stream.Type{stream.Timestamp}
	for range g.r.IntN(6) {
		out = append(out, stream.Types[g.r.IntN(len(stream.Types))])
	}
	return out
}

func (g *generator) fields(types []stream.Type) []stream.Field {
	var out []stream.Field
	for _, t := range types {
		out = append(out, stream.Field{Name: g.name(), Type: t, NotNull: g.r.IntN(3) == 0, Hidden: g.r.IntN(8) == 0})
	}
	return out
}

func (g *generator) source() {
	physical := g.fields(g.types())
	s := &model.Source{Connector: "file", Options: map[string]string{"path": g.name(), g.name(): g.name()},
		WatermarkDelayMicros: g.r.Int64N(3) * 1_000_000, MaxJumpMicros: g.r.Int64N(2) * 77, IdleTimeoutMicros: g.r.Int64N(2) * 5_000_001,
		OnError: model.ErrorPolicy(g.r.IntN(2)), Late: model.LatePolicy(g.r.IntN(2)), Computed: make([]*model.Expr, len(physical))}
	fields := physical
	for range g.r.IntN(3) {
		t := stream.Types[g.r.IntN(len(stream.Types))]
		fields = append(slices.Clone(fields), g.fields([]stream.Type{t})...)
		s.Computed = append(s.Computed, g.expr(physical, t, 2))
	}
	g.add(&model.Operator{Kind: model.SourceOp, Source: s,
		Relation: model.Relation{Schema: stream.NewSchema(fields...), Time: g.r.IntN(2) - 1, Bounded: g.r.IntN(2) == 0}})
}

// edge returns an edge whose relation passes, or false.
func (g *generator) edge(accept func(model.Relation) bool) (model.Edge, bool) {
	for range 20 {
		op := g.m.Ops[g.r.IntN(len(g.m.Ops))]
		if op.Kind == model.SinkOp {
			continue
		}
		e := model.Edge{Op: op.ID, Port: model.Out}
		switch {
		case g.r.IntN(8) == 0:
			e.Port = model.Errors
		case op.Kind == model.SourceOp && g.r.IntN(6) == 0:
			e.Port = []model.Port{model.Late, model.Arrival}[g.r.IntN(2)]
		}
		if accept(g.m.EdgeRelation(e)) {
			return e, true
		}
	}
	return model.Edge{}, false
}

func anyRelation(model.Relation) bool { return true }

func (g *generator) filter() {
	e, _ := g.edge(anyRelation)
	in := g.m.EdgeRelation(e)
	op := &model.Operator{Kind: model.FilterOp, Inputs: []model.Edge{e}, Relation: in}
	for range 1 + g.r.IntN(3) {
		op.Filter = append(op.Filter, g.expr(in.Schema.Fields, stream.Boolean, 3))
	}
	g.add(op)
}

// project keeps every column that carries a role or the time, shuffled among others.
func (g *generator) project() {
	e, _ := g.edge(anyRelation)
	in := g.m.EdgeRelation(e)
	op := &model.Operator{Kind: model.ProjectOp, Inputs: []model.Edge{e}}
	rel := model.Relation{Time: -1, Window: in.Window, Bounded: in.Bounded}
	var fields []stream.Field
	for i, f := range in.Schema.Fields {
		if g.r.IntN(3) == 0 {
			t := stream.Types[g.r.IntN(len(stream.Types))]
			op.Project = append(op.Project, g.expr(in.Schema.Fields, t, 3))
			fields = append(fields, stream.Field{Name: g.name(), Type: t})
		}
		if i == in.Time || f.Role != stream.NoRole || g.r.IntN(2) == 0 {
			if i == in.Time {
				rel.Time = len(fields)
			}
			op.Project = append(op.Project, model.Col(i, f.Type))
			fields = append(fields, f)
		}
	}
	rel.Schema = stream.NewSchema(fields...)
	op.Relation = rel
	g.add(op)
}

func (g *generator) window() {
	e, ok := g.edge(func(r model.Relation) bool { return !r.Instant() && r.Schema.Len() > 0 })
	if !ok {
		return
	}
	in := g.m.EdgeRelation(e)
	w := &model.Window{Kind: model.WindowKind(1 + g.r.IntN(int(model.PartitionRows))), Size: 1 + g.r.Int64N(100)}
	if w.Kind.Timed() && in.Time < 0 {
		w.Kind = model.Rows
	}
	if !w.Kind.Instant() && w.Kind != model.Session {
		w.Slide = 1 + g.r.Int64N(2)*9
	}
	if w.Kind == model.Cumulate {
		w.Size *= w.Slide
	}
	if w.Kind == model.PartitionRows || w.Kind == model.Session && g.r.IntN(2) == 0 {
		w.PartitionBy = []int{g.r.IntN(in.Schema.Len())}
	}
	rel := model.Relation{Time: in.Time, Window: w, Bounded: in.Bounded}
	fields := slices.Clone(in.Schema.Fields)
	if !w.Kind.Instant() {
		for i := range fields {
			fields[i].Role = stream.NoRole
		}
		fields = append(fields, windowFields(w.Kind)...)
		rel.Time = -1
	}
	if w.Kind.Spans() {
		rel.Time = len(fields) - 1
	}
	rel.Schema = stream.NewSchema(fields...)
	g.add(&model.Operator{Kind: model.WindowOp, Inputs: []model.Edge{e}, Window: w, Relation: rel})
}

func windowFields(k model.WindowKind) []stream.Field {
	if k == model.Rows {
		return []stream.Field{{Name: "window_index", Type: stream.BigInt, NotNull: true, Hidden: true, Role: stream.WindowIndex}}
	}
	var out []stream.Field
	for _, role := range []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime} {
		out = append(out, stream.Field{Name: role.String(), Type: stream.Timestamp, NotNull: true, Hidden: true, Role: role})
	}
	return out
}

func (g *generator) aggregate() {
	e, ok := g.edge(func(r model.Relation) bool { return r.Window != nil || r.Bounded })
	if !ok {
		return
	}
	in := g.m.EdgeRelation(e)
	a := &model.Aggregate{}
	var fields []stream.Field
	for range g.r.IntN(3) {
		t := stream.Types[g.r.IntN(len(stream.Types))]
		a.Keys = append(a.Keys, g.expr(in.Schema.Fields, t, 1))
		fields = append(fields, stream.Field{Name: g.name(), Type: t})
	}
	for range g.r.IntN(4) {
		agg := g.agg(in.Schema.Fields)
		a.Aggs = append(a.Aggs, agg)
		fields = append(fields, stream.Field{Name: g.name(), Type: agg.Type})
	}
	rel := model.Relation{Time: -1, Window: in.Window, Bounded: in.Bounded}
	if len(fields) > 0 && in.Windowed() && g.r.IntN(4) == 0 {
		if c := g.r.IntN(len(fields)); model.PeakType(fields[c].Type) {
			a.Peak = &model.Peak{Func: []model.AggFunc{model.Min, model.Max}[g.r.IntN(2)], Column: c}
		}
	}
	if in.Windowed() {
		fields = append(fields, windowFields(in.Window.Kind)...)
		if in.Window.Kind.Spans() {
			rel.Time = len(fields) - 1
		}
	}
	rel.Schema = stream.NewSchema(fields...)
	g.add(&model.Operator{Kind: model.AggregateOp, Inputs: []model.Edge{e}, Aggregate: a, Relation: rel})
}

func (g *generator) agg(fields []stream.Field) model.Agg {
	agg := model.Agg{Func: model.Count, Type: stream.BigInt}
	if g.r.IntN(3) > 0 {
		arg := []stream.Type{stream.Integer, stream.BigInt, stream.Real, stream.Double, stream.Interval, stream.Varchar}[g.r.IntN(6)]
		for ok := false; !ok; {
			agg.Func = model.AggFuncs[g.r.IntN(len(model.AggFuncs))]
			agg.Type, ok = model.AggType(agg.Func, arg)
		}
		agg.Arg, agg.Distinct = g.expr(fields, arg, 2), agg.Func.TakesDistinct() && g.r.IntN(3) == 0
		g.extras(&agg, fields)
	}
	if g.r.IntN(3) == 0 {
		agg.Filter = g.expr(fields, stream.Boolean, 2)
	}
	return agg
}

// extras are a second argument, and parameters.
func (g *generator) extras(agg *model.Agg, fields []stream.Field) {
	switch {
	case agg.Func.ByOther():
		agg.By = g.expr(fields, stream.Double, 1)
	case agg.Func.Orders() && g.r.IntN(2) == 0:
		if agg.By = agg.Arg; !agg.Distinct {
			agg.By = g.expr(fields, stream.BigInt, 1)
		}
		agg.Descending, agg.NullsFirst = g.r.IntN(2) == 0, g.r.IntN(2) == 0
	}
	for _, t := range agg.Func.Params() {
		p := stream.Text([]string{",", "", "\"\n"}[g.r.IntN(3)])
		if t == stream.Double {
			p = stream.Dbl([]float64{0, 0.5, 1}[g.r.IntN(3)])
		}
		agg.Params = append(agg.Params, p)
	}
}

func (g *generator) join() {
	left, ok := g.edge(func(r model.Relation) bool { return r.Window != nil })
	if !ok {
		return
	}
	l := g.m.EdgeRelation(left)
	right, ok := g.edge(func(r model.Relation) bool {
		return r.Window != nil && (l.Instant() && r.Instant() || l.Window.Kind == r.Window.Kind && l.Window.Kind != model.Cumulate && l.Window.Kind != model.Session && l.Window.Slide == r.Window.Slide)
	})
	if ok {
		g.pair(model.JoinOp, left, right, l.Time)
	}
}

func (g *generator) lookup() {
	left, ok := g.edge(func(r model.Relation) bool { return !r.Instant() })
	right, okRight := g.edge(func(r model.Relation) bool { return !r.Instant() && r.Bounded })
	if ok && okRight {
		g.pair(model.LookupOp, left, right, g.m.EdgeRelation(left).Time)
	}
}

func (g *generator) pair(kind model.Kind, left, right model.Edge, time int) {
	l, r := g.m.EdgeRelation(left), g.m.EdgeRelation(right)
	both := slices.Concat(l.Schema.Fields, r.Schema.Fields)
	j := &model.Join{}
	for range g.r.IntN(3) {
		t := stream.Types[g.r.IntN(len(stream.Types))]
		j.LeftKeys = append(j.LeftKeys, g.expr(l.Schema.Fields, t, 1))
		j.RightKeys = append(j.RightKeys, g.expr(r.Schema.Fields, t, 1))
	}
	for range g.r.IntN(2) {
		j.On = append(j.On, g.expr(both, stream.Boolean, 2))
	}
	if j.Outer = !l.Instant() && g.r.IntN(3) == 0; j.Outer {
		for i := len(l.Schema.Fields); i < len(both); i++ {
			both[i].NotNull, both[i].Role = false, stream.NoRole
		}
	}
	g.add(&model.Operator{Kind: kind, Inputs: []model.Edge{left, right}, Join: j,
		Relation: model.Relation{Schema: stream.NewSchema(both...), Time: time, Window: l.Window, Bounded: l.Bounded && r.Bounded}})
}

func (g *generator) union() {
	first, ok := g.edge(func(r model.Relation) bool { return !r.Instant() })
	if !ok {
		return
	}
	rel := g.m.EdgeRelation(first)
	inputs := []model.Edge{first}
	for range g.r.IntN(3) {
		e, ok := g.edge(func(r model.Relation) bool {
			return !r.Instant() && slices.EqualFunc(r.Schema.Fields, rel.Schema.Fields, func(a, b stream.Field) bool { return a.Type == b.Type && a.Role == b.Role })
		})
		if !ok {
			continue
		}
		in := g.m.EdgeRelation(e)
		if in.Time != rel.Time {
			rel.Time = -1
		}
		if in.Window == nil || rel.Window != nil && (in.Window.Kind != rel.Window.Kind || in.Window.Size != rel.Window.Size || in.Window.Slide != rel.Window.Slide) {
			rel.Window = nil
		}
		rel.Bounded = rel.Bounded && in.Bounded
		inputs = append(inputs, e)
	}
	g.add(&model.Operator{Kind: model.UnionOp, Inputs: inputs, Relation: rel})
}

func (g *generator) sort() {
	e, ok := g.edge(func(r model.Relation) bool { return !r.Instant() && (r.Window != nil || r.Bounded) })
	if !ok {
		return
	}
	in := g.m.EdgeRelation(e)
	s := &model.Sort{Limit: g.r.Int64N(5) - 1, Offset: g.r.Int64N(2) * 3}
	for range g.r.IntN(4) {
		if n := in.Schema.Len(); n > 0 {
			s.Keys = append(s.Keys, model.SortKey{Column: g.r.IntN(n), Descending: g.r.IntN(2) == 0, NullsFirst: g.r.IntN(2) == 0})
		}
	}
	if in.Window == nil && len(s.Keys) > 0 {
		in.Time = -1
	}
	s.Groups = g.r.IntN(len(s.Keys) + 1)
	if s.Number = g.r.IntN(3) == 0; s.Number {
		in.Schema = stream.NewSchema(append(slices.Clone(in.Schema.Fields), stream.Field{Name: "rn", Type: stream.BigInt, NotNull: true})...)
	}
	g.add(&model.Operator{Kind: model.SortOp, Inputs: []model.Edge{e}, Sort: s, Relation: in})
}

func (g *generator) unnest() {
	e, ok := g.edge(func(r model.Relation) bool { return !r.Instant() })
	if !ok {
		return
	}
	in := g.m.EdgeRelation(e)
	t := stream.Types[g.r.IntN(len(stream.Types))]
	if t == stream.JSON {
		t = stream.Varchar
	}
	u := &model.Unnest{Array: g.expr(in.Schema.Fields, stream.Array(t), 2), Ordinality: g.r.IntN(2) == 0, Outer: g.r.IntN(2) == 0}
	fields := slices.Clone(in.Schema.Fields)
	for _, t := range u.Columns() {
		fields = append(fields, stream.Field{Name: g.name(), Type: t})
	}
	in.Schema = stream.NewSchema(fields...)
	g.add(&model.Operator{Kind: model.UnnestOp, Inputs: []model.Edge{e}, Unnest: u, Relation: in})
}

func (g *generator) emit() {
	e, ok := g.edge(func(r model.Relation) bool { return r.Instant() })
	if !ok {
		return
	}
	in := g.m.EdgeRelation(e)
	rel := model.Relation{Schema: in.Schema, Time: -1, Bounded: in.Bounded}
	if g.r.IntN(2) == 0 {
		rel.Time = in.Schema.Len()
		rel.Schema = stream.NewSchema(append(slices.Clone(in.Schema.Fields), stream.Field{Name: "$time", Type: stream.Timestamp, NotNull: true, Hidden: true})...)
	}
	g.add(&model.Operator{Kind: model.EmitOp, Inputs: []model.Edge{e}, Emit: model.EmitMode(g.r.IntN(2)), Relation: rel})
}

func (g *generator) sink() {
	e, ok := g.edge(func(r model.Relation) bool { return !r.Instant() })
	if !ok {
		return
	}
	s := &model.Sink{Connector: model.ResultConnector, Result: g.r.IntN(3), OnError: model.ErrorPolicy(g.r.IntN(2))}
	if g.r.IntN(2) == 0 {
		s = &model.Sink{Connector: "file", Options: map[string]string{"path": g.name()}}
	}
	g.add(&model.Operator{Kind: model.SinkOp, Inputs: []model.Edge{e}, Sink: s, Relation: g.m.EdgeRelation(e)})
}

// expr returns a random expression of a type over the fields.
func (g *generator) expr(fields []stream.Field, t stream.Type, depth int) *model.Expr {
	if depth > 0 && g.r.IntN(3) > 0 {
		if e := g.call(fields, t, depth-1); e != nil {
			return e
		}
	}
	if len(fields) > 0 && g.r.IntN(4) > 0 {
		if i := g.r.IntN(len(fields)); fields[i].Type == t {
			return model.Col(i, t)
		}
	}
	return model.Lit(g.literal(t))
}

func (g *generator) call(fields []stream.Field, t stream.Type, depth int) *model.Expr {
	all := function.All()
	f := all[g.r.IntN(len(all))]
	switch f.Name {
	case "cast", "try_cast":
		from := stream.Types[g.r.IntN(len(stream.Types))]
		if !model.CastAllowed(from, t) {
			return nil
		}
		return model.Call(f.Name, t, g.expr(fields, from, depth))
	case "case":
		return model.Call("case", t, g.expr(fields, stream.Boolean, depth), g.expr(fields, t, depth), g.expr(fields, t, depth))
	case "row", "member":
		return g.nestedCall(fields, f.Name, t, depth)
	}
	s := f.Signatures[g.r.IntN(len(f.Signatures))]
	generic := stream.Types[g.r.IntN(len(stream.Types))]
	switch {
	case s.Result == stream.Invalid:
		generic = t
	case function.IsAnyArray(s.Result) && t.IsArray():
		generic = t.Element()
	}
	if generic == stream.JSON && slices.ContainsFunc(s.Args, function.IsAnyArray) {
		return nil // no part of an array
	}
	types := slices.Clone(s.Args)
	if s.Variadic {
		for range g.r.IntN(3) {
			types = append(types, s.Args[len(s.Args)-1])
		}
	}
	for i := range types {
		switch {
		case types[i] == stream.Invalid:
			types[i] = generic
		case function.IsAnyArray(types[i]):
			types[i] = stream.Array(generic)
		}
	}
	if s.ResultFor(types) != t {
		return nil
	}
	args := make([]*model.Expr, len(types))
	for i := range args {
		args[i] = g.expr(fields, types[i], depth)
	}
	return model.Call(f.Name, t, args...)
}

// nestedCall is ROW(..), or a member of one.
func (g *generator) nestedCall(fields []stream.Field, name string, t stream.Type, depth int) *model.Expr {
	if name == "member" {
		if t == stream.JSON {
			return nil // no part of a row
		}
		row := stream.RowOf(stream.Member{Name: "x", Type: t}, stream.Member{Name: g.name(), Type: stream.Date})
		return model.Call(name, t, g.expr(fields, row, depth), model.Lit(stream.Int(1)))
	}
	if !t.IsRow() {
		return nil
	}
	var args []*model.Expr
	for _, m := range t.Members() {
		args = append(args, g.expr(fields, m.Type, depth))
	}
	return model.Call(name, t, args...)
}

var (
	oddInts   = []int64{0, 1, -1, 40, math.MaxInt32, math.MinInt32}
	oddBigs   = []int64{0, -1, math.MaxInt64, math.MinInt64, 1_767_323_045_000_000, 1_767_323_045_000_001, -62_135_596_800_000_001, 86_400_000_000}
	oddFloats = []float64{0, math.Copysign(0, -1), 1.5, -2.25, 1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1), 0.1, 1e21, 1e-7}
	oddJSON   = []string{"null", "1e400", `"it's"`, `{"a":[1,{"b":null}],"é":"\u0000"}`, "[]"}
	oddTexts  = []string{"", "a", "it's", `"`, "\n", "--", "\x00", "\xff\xfe", "ä€𝄞", "NULL", `\`}
)

func (g *generator) literal(t stream.Type) stream.Value {
	if g.r.IntN(6) == 0 {
		return stream.NullOf(t)
	}
	if t.IsDecimal() {
		x, _, _ := stream.ParseDecimal(t, []string{"0", "1.5", "-0.001", "999999999", "-123456789.123"}[g.r.IntN(5)])
		return stream.DecimalOf(t, x)
	}
	if t.IsNested() {
		var items []stream.Value
		for _, m := range t.Members() {
			items = append(items, g.literal(m.Type))
		}
		for n := g.r.IntN(3); n > 0 && t.IsArray(); n-- {
			items = append(items, g.literal(t.Element()))
		}
		return stream.Nested(t, items...)
	}
	switch t {
	case stream.Boolean:
		return stream.Bool(g.r.IntN(2) == 0)
	case stream.TinyInt, stream.SmallInt, stream.Date, stream.TimeOfDay:
		low, high, _ := t.Range()
		return stream.Value{Type: t, I: []int64{low, high, max(low, 0), 1}[g.r.IntN(4)]}
	case stream.Integer:
		return stream.Int(int32(oddInts[g.r.IntN(len(oddInts))]))
	case stream.Real:
		return stream.Float(float32(oddFloats[g.r.IntN(len(oddFloats))]))
	case stream.Double:
		return stream.Dbl(oddFloats[g.r.IntN(len(oddFloats))])
	case stream.Bytes:
		return stream.Blob(oddTexts[g.r.IntN(len(oddTexts))])
	case stream.JSON:
		return stream.Value{Type: t, S: oddJSON[g.r.IntN(len(oddJSON))]}
	case stream.Varchar:
		return stream.Text(oddTexts[g.r.IntN(len(oddTexts))])
	}
	return stream.Value{Type: t, I: oddBigs[g.r.IntN(len(oddBigs))]}
}
