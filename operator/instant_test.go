package operator_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

func instantWindow(rng *rand.Rand, timed bool) model.Window {
	w := model.Window{Kind: model.RowsInstant, Size: 1 + int64(rng.Intn(6))}
	switch rng.Intn(3) {
	case 0:
		w.Kind, w.PartitionBy = model.PartitionRows, []int{1 + rng.Intn(3)}
		if rng.Intn(3) == 0 {
			w.PartitionBy = append(w.PartitionBy, 3)
		}
		w.Size = 1 + int64(rng.Intn(2))
	case 1:
		if timed {
			w.Kind, w.Size = model.RangeInstant, 1+int64(rng.Intn(12))
		}
	}
	return w
}

// project keeps some columns of a relation, computing one.
func (b *build) project(in *model.Operator, exprs ...*model.Expr) *model.Operator {
	fields := make([]stream.Field, len(exprs))
	for i, e := range exprs {
		fields[i] = stream.Field{Name: string(rune('p' + i)), Type: e.Type}
	}
	rel := in.Relation
	rel.Schema, rel.Time = stream.NewSchema(fields...), -1
	return b.add(&model.Operator{Kind: model.ProjectOp, Inputs: []model.Edge{out(in)}, Relation: rel, Project: exprs})
}

func (b *build) grouped(in *model.Operator, keys []*model.Expr, aggs ...model.Agg) *model.Operator {
	var fields []stream.Field
	for i, k := range keys {
		fields = append(fields, stream.Field{Name: "k" + string(rune('0'+i)), Type: k.Type})
	}
	for i, a := range aggs {
		fields = append(fields, stream.Field{Name: "a" + string(rune('0'+i)), Type: a.Type})
	}
	rel := in.Relation
	rel.Schema, rel.Time = stream.NewSchema(fields...), -1
	return b.add(&model.Operator{Kind: model.AggregateOp, Inputs: []model.Edge{out(in)}, Relation: rel, Aggregate: &model.Aggregate{Keys: keys, Aggs: aggs}})
}

func (b *build) emit(in *model.Operator, mode model.EmitMode, timed bool) *model.Operator {
	rel := in.Relation
	rel.Window, rel.Time = nil, -1
	fields := slices.Clone(rel.Schema.Fields)
	if timed {
		rel.Time = len(fields)
		fields = append(fields, stream.Field{Name: "$time", Type: stream.Timestamp, Hidden: true})
	}
	rel.Schema = stream.NewSchema(fields...)
	return b.add(&model.Operator{Kind: model.EmitOp, Inputs: []model.Edge{out(in)}, Relation: rel, Emit: mode})
}

func randomAggs(rng *rand.Rand, base int) []model.Agg {
	v, d, s := model.Col(base+2, stream.BigInt), model.Col(base+4, stream.Double), model.Col(base+3, stream.Varchar)
	all := []model.Agg{
		{Func: model.Count, Type: stream.BigInt},
		{Func: model.Count, Arg: s, Distinct: true, Type: stream.BigInt},
		{Func: model.Sum, Arg: v, Type: stream.BigInt},
		{Func: model.Avg, Arg: v, Type: stream.Double},
		{Func: model.Sum, Arg: d, Type: stream.Double, Filter: model.Call("lt", stream.Boolean, v, model.Lit(stream.Big(2)))},
		{Func: model.Max, Arg: d, Type: stream.Double},
		{Func: model.Min, Arg: s, Type: stream.Varchar},
		{Func: model.Avg, Arg: d, Distinct: true, Type: stream.Double},
		{Func: model.Count, Filter: model.Call("eq", stream.Boolean, v, model.Lit(stream.Big(1))), Type: stream.BigInt},
		{Func: model.Sum, Arg: model.Call("mul", stream.BigInt, v, model.Lit(stream.Big(1<<61))), Type: stream.BigInt},
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+rng.Intn(3)]
}

// instantModel builds a random region; base is where the columns of a row begin that
// the last relation before the aggregate has.
func instantModel(rng *rand.Rand, b *build, sources []*model.Operator, timed bool) *model.Operator {
	side := func(src *model.Operator) *model.Operator {
		op := b.add(b.instantWindow(src, instantWindow(rng, timed)))
		if rng.Intn(3) == 0 {
			op = b.filter(op, fallible(0))
		}
		return op
	}
	top, base := side(sources[0]), 0
	if len(sources) > 1 {
		right := side(sources[1])
		base = rng.Intn(2) * testSchema.Len()
		j := randomJoin(rng, testSchema.Len())
		if rng.Intn(2) == 0 {
			j = &model.Join{LeftKeys: []*model.Expr{col(1)}, RightKeys: []*model.Expr{col(1)}}
			if rng.Intn(2) == 0 {
				j.On = []*model.Expr{model.Call("ne", stream.Boolean, col(2), model.Col(testSchema.Len()+2, stream.BigInt))}
			}
		}
		top = b.pair(model.JoinOp, top, right, j)
		top.Relation.Time = -1
		if rng.Intn(3) == 0 {
			top = b.filter(top, model.Call("ne", stream.Boolean, col(3), model.Lit(stream.Text("x"))))
		}
	}
	key := func() *model.Expr { c := 1 + rng.Intn(4); return model.Col(base+c, testSchema.Fields[c].Type) }
	switch rng.Intn(4) {
	case 0:
		top = b.project(top, key(), model.Col(base+2, stream.BigInt))
	case 1:
		top = b.grouped(top, []*model.Expr{key()})
	case 2:
		top = b.grouped(top, []*model.Expr{key()}, randomAggs(rng, base)...)
	case 3:
		top = b.grouped(top, nil, randomAggs(rng, base)...)
	}
	if first := top.Relation.Schema.Fields[0]; rng.Intn(4) == 0 && first.Type == stream.BigInt {
		c := model.Col(0, stream.BigInt)
		top = b.filter(top, model.Call("ne", stream.Boolean, model.Call("div", stream.BigInt, model.Lit(stream.Big(8)), c), model.Lit(stream.Big(4))))
	}
	if rng.Intn(3) == 0 {
		top = b.project(top, model.Col(0, top.Relation.Schema.Fields[0].Type))
	}
	mode := []model.EmitMode{model.Istream, model.Istream, model.Dstream, model.Rstream}[rng.Intn(4)]
	return b.emit(top, mode, timed)
}

func (b *build) instantWindow(in *model.Operator, w model.Window) *model.Operator {
	rel := in.Relation
	rel.Window = &w
	return &model.Operator{Kind: model.WindowOp, Inputs: []model.Edge{out(in)}, Relation: rel, Window: &w}
}

func TestInstant(t *testing.T) {
	seeds(t, 1500, func(t *testing.T, seed int64, rng *rand.Rand) {
		timed := rng.Intn(3) > 0
		b := &build{}
		feeds := map[string]*feed{}
		var sources []*model.Operator
		for i := range 1 + rng.Intn(2) {
			f := randomFeed(rng, rng.Intn(60))
			if !timed {
				f.time = -1
			}
			name := string(rune('a' + i))
			feeds[name] = f
			sources = append(sources, b.source(name, f))
		}
		if len(sources) == 1 && rng.Intn(2) == 0 {
			sources = append(sources, sources[0])
		}
		emit := instantModel(rng, b, sources, timed)
		checkInstant(t, seed, rng, b, emit, feeds, 2)
	})
}

func checkInstant(t *testing.T, seed int64, rng *rand.Rand, b *build, emit *model.Operator, feeds map[string]*feed, restores int) {
	t.Helper()
	b.sink(b.reveal(emit))
	want, wantErrors := oracle(t, &b.m, feeds)
	region, err := operator.FindRegion(&b.m, emit)
	if err != nil {
		t.Fatal(err)
	}
	var driven []*feed
	for _, e := range region.Edges() {
		f := *feeds[b.m.Ops[e.Op].Name]
		driven = append(driven, &f)
	}
	lanes := 1
	d := newDrive(t, rng, func(env operator.Env) operator.Function {
		fn, err := operator.NewInstant(env, *region, allNeeded(emit.Relation.Schema))
		f := must(t, fn, err)
		lanes = max(lanes, f.(operator.Keyed).Lanes())
		return f
	}, emit.Relation.Time, driven...)
	d.restores = restores
	d.run()
	same(t, seed, "row", d.output, want)
	same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
}

// TestInstantDistinctSelfJoin is the question which customers paid from another region
// than in their last payment, over five minutes.
func TestInstantDistinctSelfJoin(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := randomFeed(rng, rng.Intn(300))
		b := &build{}
		src := b.source("payments", f)
		emit := paymentsQuery(b, src, 15)
		region, err := operator.FindRegion(&b.m, emit)
		if err != nil || len(region.Edges()) != 1 {
			t.Fatalf("region %v, error %v", region, err)
		}
		checkInstant(t, seed, rng, b, emit, map[string]*feed{"payments": f}, 2)
	})
}

// TestInstantLong is long enough for stores and relations to be compacted and for
// instants at which many rows vanish.
func TestInstantLong(t *testing.T) {
	seeds(t, 6, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := randomFeed(rng, 3500)
		for i := range f.rows {
			f.rows[i][0].I = int64(i / 40 * (1 + int(seed)%3))
		}
		b := &build{}
		src := b.source("a", f)
		var emit *model.Operator
		switch seed % 3 {
		case 0:
			emit = paymentsQuery(b, src, 3)
		case 1:
			top := b.add(b.instantWindow(src, model.Window{Kind: model.RangeInstant, Size: 3}))
			emit = b.emit(b.project(top, col(1), col(2)), model.Istream, true)
		case 2:
			top := b.add(b.instantWindow(src, model.Window{Kind: model.PartitionRows, Size: 2, PartitionBy: []int{1, 2}}))
			emit = b.emit(b.project(top, col(1), col(3)), model.EmitMode(seed%2), true)
		}
		checkInstant(t, seed, rng, b, emit, map[string]*feed{"a": f}, 0)
	})
}
