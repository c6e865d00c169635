package optest

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

func (b *caseBuilder) pass() {
	src := b.source(b.IntN(2) == 0)
	steps, last := b.steps(src, 3)
	if b.IntN(4) == 0 {
		last = b.unnest(last)
		more, end := b.steps(last, 2)
		steps, last = append(append(steps, last), more...), end
	}
	need := b.needed(last.Relation.Schema)
	b.sink(last, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		return operator.NewPass(env, operator.Side{Relation: src.Relation, Steps: steps, Need: need})
	}
}

// unnest takes apart arrays of few elements, now and then of many.
func (b *caseBuilder) unnest(in *model.Operator) *model.Operator {
	schema := visible(in.Relation.Schema)
	element := []stream.Type{stream.Integer, stream.Varchar, stream.Double, stream.Boolean, stream.Types[len(stream.Types)-1], stream.Array(stream.Integer)}[b.IntN(6)]
	t := stream.Array(element)
	var array *model.Expr
	switch {
	case (element == stream.Integer || element == stream.Varchar) && b.IntN(2) == 0:
		array = b.expr(schema, t, 2)
	case b.IntN(8) == 0:
		var items []stream.Value
		for range b.IntN(60) {
			items = append(items, b.Value(element, 8))
		}
		array = model.Lit(stream.Nested(t, items...))
	default:
		array = model.Call("array", t)
		for range 1 + b.IntN(3) {
			array.Args = append(array.Args, b.expr(schema, element, 1))
		}
	}
	u := &model.Unnest{Array: array, Ordinality: b.IntN(2) == 0, Outer: b.IntN(2) == 0}
	rel, fields := in.Relation, slices.Clone(in.Relation.Schema.Fields)
	for i, t := range u.Columns() {
		fields = append(fields, stream.Field{Name: fmt.Sprint("e", i), Type: t})
	}
	rel.Schema = stream.NewSchema(fields...)
	return b.add(&model.Operator{Kind: model.UnnestOp, Unnest: u, Relation: rel}, in)
}

// windowed is steps, a window and more steps. A window of rows stands first, since it numbers
// what is in front of it.
func (b *caseBuilder) windowed(w model.Window) (side operator.Side, last *model.Operator) {
	src := b.source(true)
	side.Relation, last = src.Relation, src
	if w.Kind.Spans() {
		side.Steps, last = b.steps(src, 1)
	}
	last = b.window(last, w)
	side.Steps = append(side.Steps, last)
	more, last := b.steps(last, 2)
	side.Steps = append(side.Steps, more...)
	return side, last
}

func (b *caseBuilder) windowRows() {
	side, last := b.sessionOr(b.windowed)
	need := b.needed(last.Relation.Schema)
	b.sink(last, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		return operator.NewRows(env, side, last, need)
	}
}

func (b *caseBuilder) aggregated(more bool) {
	var side operator.Side
	var in *model.Operator
	if b.IntN(6) == 0 {
		src := b.source(b.IntN(2) == 0)
		side.Relation = src.Relation
		side.Steps, in = b.steps(src, 2)
	} else {
		side, in = b.windowed(b.anyWindow())
	}
	op := b.aggregate(in)
	last, behind := op, operator.Side{}
	if more {
		if c := b.IntN(len(op.Relation.Schema.Fields)); op.Relation.Windowed() && model.PeakType(op.Relation.Schema.Fields[c].Type) && b.IntN(2) == 0 {
			op.Aggregate.Peak = &model.Peak{Func: model.Max, Column: c}
		}
		behind.Steps, last = b.steps(op, 2)
	}
	var need []bool
	if !more && b.IntN(2) == 0 {
		if need = b.needed(op.Relation.Schema); op.Relation.Time >= 0 {
			need[op.Relation.Time] = true
		}
	}
	b.sink(last, need)
	behind.Relation = op.Relation
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		if !more {
			return operator.NewAggregate(env, side, op, need)
		}
		fn, err := operator.NewAggregate(env, side, op, operator.PeakNeed(op, nil))
		if err != nil {
			return nil, err
		}
		return operator.NewAfter(env, fn, op, nil, behind)
	}
}

// aggregate groups by columns and small expressions.
func (b *caseBuilder) aggregate(in *model.Operator) *model.Operator {
	a, schema := &model.Aggregate{}, in.Relation.Schema
	rel := model.Relation{Time: -1, Bounded: true, Window: in.Relation.Window}
	var fields []stream.Field
	for i := range b.IntN(3) {
		k := b.column(schema)
		if b.IntN(4) == 0 {
			k = b.expr(visible(schema), k.Type, 1)
		}
		a.Keys, fields = append(a.Keys, k), append(fields, stream.Field{Name: fmt.Sprint("key", i), Type: k.Type})
	}
	for i := range 1 + b.IntN(4) {
		g := b.call(schema)
		a.Aggs, fields = append(a.Aggs, g), append(fields, stream.Field{Name: fmt.Sprint("agg", i), Type: g.Type})
	}
	for _, f := range schema.Fields {
		if f.Role == stream.WindowTime {
			rel.Time = len(fields)
		}
		if f.Role != stream.NoRole {
			fields = append(fields, f)
		}
	}
	rel.Schema = stream.NewSchema(fields...)
	return b.add(&model.Operator{Kind: model.AggregateOp, Relation: rel, Aggregate: a}, in)
}

// call is an aggregate call. Sums of floats are of bare columns, which are exact in them.
func (b *caseBuilder) call(in *stream.Schema) model.Agg {
	arg := b.column(in)
	if b.IntN(4) == 0 {
		return b.fold(in, arg)
	}
	g := model.Agg{Func: []model.AggFunc{model.Count, model.Min, model.Max, model.Sum, model.Avg}[b.IntN(5)], Type: stream.BigInt}
	if (g.Func == model.Min || g.Func == model.Max || g.Func == model.Count) && b.IntN(4) == 0 {
		arg = b.expr(visible(in), arg.Type, 1)
	}
	numeric := arg.Type.IsInteger() || arg.Type.IsDecimal() || arg.Type == stream.Interval || arg.Type.IsFloat() && in == randomSchema
	if sums := g.Func == model.Sum || g.Func == model.Avg; sums && !numeric {
		g.Func = model.Count
	}
	g.Distinct = b.IntN(12) == 0
	switch {
	case g.Func == model.Count:
		if b.IntN(3) == 0 && !g.Distinct {
			arg = nil
		}
	case g.Func == model.Min || g.Func == model.Max || arg.Type == stream.Interval:
		g.Type = arg.Type
	case arg.Type.IsDecimal():
		g.Type, _ = model.AggType(g.Func, arg.Type)
	case g.Func == model.Avg || arg.Type.IsFloat():
		g.Type = stream.Double
	}
	g.Arg = arg
	if b.IntN(4) == 0 {
		g.Filter = b.expr(visible(in), stream.Boolean, 1)
	}
	return g
}

// fold is a call of an aggregate beyond the basic ones. Squares of floats are exact in
// double-double if the floats are columns.
func (b *caseBuilder) fold(in *stream.Schema, arg *model.Expr) model.Agg {
	products := func(f model.AggFunc) bool {
		t, _ := model.AggType(f, arg.Type)
		return t == stream.Double && f != model.FirstValue && f != model.LastValue && f != model.MinBy && f != model.MaxBy && !f.Percentile()
	}
	var funcs []model.AggFunc
	for _, f := range model.AggFuncs {
		_, ok := model.AggType(f, arg.Type)
		if ok && !f.Basic() && (!products(f) || !arg.Type.IsFloat() || in == randomSchema) {
			funcs = append(funcs, f)
		}
	}
	if arg.Type != stream.JSON && !arg.Type.IsArray() {
		funcs = append(funcs, model.ArrayAgg)
	}
	g := model.Agg{Func: pick(b.Gen, funcs), Arg: arg}
	if g.Func == model.ArrayAgg && !arg.Type.IsArray() {
		arg = model.Call("array", stream.Array(arg.Type), arg)
		g.Arg = arg
	}
	g.Type, _ = model.AggType(g.Func, arg.Type)
	g.Distinct = g.Func.TakesDistinct() && b.IntN(6) == 0
	for _, t := range g.Func.Params() {
		g.Params = append(g.Params, map[stream.Type]stream.Value{stream.Varchar: stream.Text([]string{",", "", " and "}[b.IntN(3)]), stream.Double: stream.Dbl([]float64{0, 0.5, 0.95, 1, b.Float64()}[b.IntN(5)])}[t])
	}
	switch {
	case g.Func.ByOther():
		for g.By = b.column(in); products(g.Func) && g.By.Type != stream.Double; {
			g.By = b.column(in)
		}
	case g.Func.Orders() && b.IntN(2) == 0:
		if g.By = arg; !g.Distinct {
			g.By = b.column(in)
		}
		g.Descending, g.NullsFirst = b.IntN(2) == 0, b.IntN(2) == 0
	}
	if b.IntN(4) == 0 {
		g.Filter = b.expr(visible(in), stream.Boolean, 1)
	}
	return g
}

func (b *caseBuilder) union() {
	timed := b.IntN(2) == 0
	op := &model.Operator{Kind: model.UnionOp}
	var sides []operator.Side
	var ends []*model.Operator
	types := b.types()
	for range 1 + b.IntN(3) {
		src := b.source(timed)
		steps, last := b.steps(src, 1)
		last = b.project(last, types...)
		sides, ends = append(sides, operator.Side{Relation: src.Relation, Steps: append(steps, last)}), append(ends, last)
		op.Relation = last.Relation
	}
	b.add(op, ends...)
	need := b.needed(op.Relation.Schema)
	b.sink(op, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) { return operator.NewUnion(env, sides, op, need) }
}

// sorted is a whole input in another order, or some of it.
func (b *caseBuilder) sorted() {
	src := b.source(b.IntN(2) == 0)
	steps, last := b.steps(src, 2)
	op := &model.Operator{Kind: model.SortOp, Relation: last.Relation, Sort: &model.Sort{Limit: []int64{-1, -1, 0, 5, 1000}[b.IntN(5)], Offset: []int64{0, 0, 3, 700}[b.IntN(4)]}}
	for range b.IntN(4) {
		op.Sort.Keys = append(op.Sort.Keys, model.SortKey{Column: b.IntN(last.Relation.Schema.Len()), Descending: b.IntN(2) == 0, NullsFirst: b.IntN(2) == 0})
		op.Relation.Time = -1
	}
	b.numbered(op)
	b.add(op, last)
	need := b.needed(op.Relation.Schema)
	b.sink(op, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		return operator.NewSort(env, operator.Side{Relation: src.Relation, Steps: steps}, op, need)
	}
}

// numbered divides the windows of a sort into groups now and then, and numbers their rows.
func (b *caseBuilder) numbered(op *model.Operator) {
	op.Sort.Groups = b.IntN(len(op.Sort.Keys) + 1)
	if op.Sort.Number = b.IntN(3) == 0; op.Sort.Number {
		op.Relation.Schema = stream.NewSchema(append(slices.Clone(op.Relation.Schema.Fields), stream.Field{Name: "rn", Type: stream.BigInt, NotNull: true})...)
	}
}

// pair joins two relations; their first columns are event times, the next ones keys.
func (b *caseBuilder) pair(kind model.Kind, left, right *model.Operator) *model.Operator {
	key := model.Col(1, stream.Integer)
	rel := left.Relation
	rel.Schema = stream.NewSchema(append(append([]stream.Field{}, left.Relation.Schema.Fields...), right.Relation.Schema.Fields...)...)
	return b.add(&model.Operator{Kind: kind, Relation: rel, Join: &model.Join{LeftKeys: []*model.Expr{key}, RightKeys: []*model.Expr{key}}}, left, right)
}

// keyed is a source and steps of which the key is the second column.
func (b *caseBuilder) keyed(timed bool) (side operator.Side, last *model.Operator) {
	src := b.source(timed)
	side.Relation, last = src.Relation, src
	if rows := b.c.Rows[src.ID]; len(rows) > 300 {
		b.c.Rows[src.ID] = rows[:300] // pairs are many more
	}
	return side, last
}

// outer makes every third join an outer one.
func (b *caseBuilder) outer(op, left *model.Operator) {
	if b.IntN(3) > 0 {
		return
	}
	op.Join.Outer = true
	fields := slices.Clone(op.Relation.Schema.Fields)
	for i := left.Relation.Schema.Len(); i < len(fields); i++ {
		fields[i].NotNull, fields[i].Role = false, stream.NoRole
	}
	op.Relation.Schema = stream.NewSchema(fields...)
}

func (b *caseBuilder) join() {
	w := b.randomWindow()
	w.Slide = max(1, w.Size/2)
	var sides [2]operator.Side
	var ends [2]*model.Operator
	for i := range sides {
		side, last := b.keyed(true)
		if w.Kind == model.Range && b.IntN(2) == 0 {
			last = b.filter(last)
			side.Steps = append(side.Steps, last)
		}
		last = b.window(last, w)
		side.Steps = append(side.Steps, last)
		for range b.IntN(3) {
			last = b.filter(last)
			side.Steps = append(side.Steps, last)
		}
		sides[i], ends[i] = side, last
	}
	op := b.pair(model.JoinOp, ends[0], ends[1])
	if b.IntN(2) == 0 {
		op.Join.On = []*model.Expr{b.expr(op.Relation.Schema, stream.Boolean, 1)}
	}
	b.outer(op, ends[0])
	need := b.needed(op.Relation.Schema)
	for i, f := range op.Relation.Schema.Fields {
		need[i] = need[i] && f.Role == stream.NoRole
	}
	b.sink(op, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		return operator.NewJoin(env, sides[0], sides[1], op, need)
	}
}

func (b *caseBuilder) lookup() {
	var sides [2]operator.Side
	var ends [2]*model.Operator
	for i := range sides {
		side, last := b.keyed(i == 0)
		for range b.IntN(3) {
			last = b.filter(last)
			side.Steps = append(side.Steps, last)
		}
		sides[i], ends[i] = side, last
	}
	op := b.pair(model.LookupOp, ends[0], ends[1])
	if b.IntN(3) == 0 {
		op.Join.LeftKeys = []*model.Expr{b.expr(ends[0].Relation.Schema, stream.Integer, 1)}
	}
	if b.IntN(3) == 0 {
		op.Join.On = []*model.Expr{b.expr(op.Relation.Schema, stream.Boolean, 1)}
	}
	b.outer(op, ends[0])
	need := b.needed(op.Relation.Schema)
	for i, f := range op.Relation.Schema.Fields {
		need[i] = need[i] && f.Role == stream.NoRole
	}
	b.sink(op, need)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		return operator.NewLookup(env, sides[0], sides[1], op, need)
	}
}

// probing is one or two lookups among the steps in front of an aggregate.
func (b *caseBuilder) probing() {
	side, last := b.keyed(true)
	var lookups []*model.Operator
	var tables []operator.Side
	step := func(op *model.Operator) {
		last = op
		side.Steps = append(side.Steps, op)
	}
	for range 1 + b.IntN(5)/4 {
		if b.IntN(2) == 0 {
			step(b.filter(last))
		}
		table, end := b.keyed(false)
		b.c.Rows[end.ID] = b.c.Rows[end.ID][:min(len(b.c.Rows[end.ID]), 1+b.IntN(20))]
		if b.IntN(3) == 0 {
			end = b.filter(end)
			table.Steps = append(table.Steps, end)
		}
		left := last
		step(b.pair(model.LookupOp, last, end))
		b.outer(last, left)
		lookups, tables = append(lookups, last), append(tables, table)
	}
	if b.IntN(3) == 0 {
		step(b.filter(last))
	}
	if b.IntN(4) > 0 {
		w := b.randomWindow()
		w.Kind = model.Range
		step(b.window(last, w))
	}
	op := b.aggregate(last)
	b.sink(op, nil)
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		own := side
		own.Lookups = &operator.Lookups{}
		for i := range lookups {
			own.Lookups.Add(lookups[i], tables[i])
		}
		fn, err := operator.NewAggregate(env, own, op, nil)
		if err != nil {
			return nil, err
		}
		return operator.NewProbing(env, fn, own.Lookups), nil
	}
}

// instant is one or two windows that change with every row, and what is new in them.
func (b *caseBuilder) instant() {
	timed := b.IntN(3) > 0
	top := b.instantSide(timed)
	if b.IntN(3) == 0 {
		top = b.pair(model.JoinOp, top, b.instantSide(timed))
		top.Relation.Time = -1
	}
	k, i := model.Col(1, stream.Integer), model.Col(2, stream.Integer)
	op := &model.Operator{Kind: model.ProjectOp, Project: []*model.Expr{k, i}, Relation: top.Relation}
	fields := []stream.Field{{Name: "k", Type: k.Type}, {Name: "i", Type: i.Type}}
	if b.IntN(2) == 0 {
		op = &model.Operator{Kind: model.AggregateOp, Relation: top.Relation,
			Aggregate: &model.Aggregate{Keys: []*model.Expr{k}, Aggs: []model.Agg{{Func: model.Sum, Arg: i, Type: stream.BigInt}}}}
		fields[1].Type = stream.BigInt
	}
	op.Relation.Schema, op.Relation.Time = stream.NewSchema(fields...), -1
	b.add(op, top)
	emit := &model.Operator{Kind: model.EmitOp, Emit: []model.EmitMode{model.Istream, model.Rstream, model.Dstream}[b.IntN(3)], Relation: op.Relation}
	emit.Relation.Window = nil
	if timed {
		emit.Relation.Time = len(fields)
		emit.Relation.Schema = stream.NewSchema(append(fields, stream.Field{Name: "$time", Type: stream.Timestamp})...)
	}
	b.add(emit, op)
	b.sink(emit, nil)
	need := make([]bool, emit.Relation.Schema.Len())
	for i := range need {
		need[i] = true
	}
	b.c.Make = func(env operator.Env) (operator.Function, error) {
		region, err := operator.FindRegion(b.c.Model, emit)
		if err != nil {
			return nil, err
		}
		return operator.NewInstant(env, *region, need)
	}
}

// instantSide is a window over a source and what it lets in.
func (b *caseBuilder) instantSide(timed bool) *model.Operator {
	_, src := b.keyed(timed)
	w := model.Window{Kind: model.RowsInstant, Size: 1 + b.Int64N(6)}
	switch n := b.IntN(3); {
	case n == 0:
		w.Kind, w.PartitionBy = model.PartitionRows, []int{1}
	case n == 1 && timed:
		w.Kind = model.RangeInstant
	}
	op := &model.Operator{Kind: model.WindowOp, Window: &w, Relation: src.Relation}
	op.Relation.Window = &w
	op = b.add(op, src)
	for range b.IntN(3) {
		op = b.filter(op)
	}
	return op
}
