package operator_test

import (
	"math"
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// groupSchema has keys and arguments of every type. No text of a value has a blank.
var groupSchema = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true},
	stream.Field{Name: "k", Type: stream.Integer},
	stream.Field{Name: "i", Type: stream.Integer},
	stream.Field{Name: "b", Type: stream.BigInt},
	stream.Field{Name: "r", Type: stream.Real},
	stream.Field{Name: "d", Type: stream.Double},
	stream.Field{Name: "s", Type: stream.Varchar},
	stream.Field{Name: "f", Type: stream.Boolean},
	stream.Field{Name: "v", Type: stream.Interval},
)

// groupValue returns a value whose sums are exact, often an odd one.
func groupValue(rng *rand.Rand, t stream.Type, huge bool) stream.Value {
	odd := rng.Intn(12) == 0
	switch t {
	case stream.Boolean:
		return stream.Bool(rng.Intn(2) == 0)
	case stream.Integer:
		return stream.Int(int32(rng.Intn(6) - 3))
	case stream.BigInt:
		if huge && odd {
			return stream.Big(math.MaxInt64 - int64(rng.Intn(3)))
		}
		return stream.Big(int64(rng.Intn(9) - 4))
	case stream.Real:
		if odd {
			return stream.Float(float32([]float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), math.Inf(-1)}[rng.Intn(4)]))
		}
		return stream.Float(float32(rng.Intn(8)) / 4)
	case stream.Double:
		if odd {
			return stream.Dbl([]float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), math.Inf(-1)}[rng.Intn(4)])
		}
		return stream.Dbl(float64(rng.Intn(8)) / 8)
	case stream.Varchar:
		return stream.Text(strings.Repeat("x", 1+rng.Intn(3)) + string(rune('a'+rng.Intn(3))))
	case stream.Timestamp:
		return stream.Time(int64(rng.Intn(5)))
	default:
		if huge && odd {
			return stream.Duration(math.MaxInt64)
		}
		return stream.Duration(int64(rng.Intn(7) - 3))
	}
}

func groupFeed(rng *rand.Rand, n int, huge bool) *feed {
	f := &feed{schema: groupSchema, time: 0}
	at := int64(rng.Intn(100) - 80)
	for range n {
		if rng.Intn(3) > 0 {
			at += int64(rng.Intn(4))
		}
		if rng.Intn(60) == 0 {
			at += 500
		}
		row := []stream.Value{stream.Time(at)}
		for _, field := range groupSchema.Fields[1:] {
			v := groupValue(rng, field.Type, huge)
			if rng.Intn(8) == 0 {
				v = stream.NullOf(v.Type)
			}
			row = append(row, v)
		}
		f.rows = append(f.rows, row)
	}
	return f
}

func groupCol(i int) *model.Expr { return model.Col(i, groupSchema.Fields[i].Type) }

// fallibleNumber fails where b is 0.
func fallibleNumber() *model.Expr {
	return model.Call("div", stream.BigInt, model.Lit(stream.Big(12)), groupCol(3))
}

func randomAgg(rng *rand.Rand) model.Agg {
	g := model.Agg{Func: []model.AggFunc{model.Count, model.Sum, model.Avg, model.Min, model.Max}[rng.Intn(5)]}
	switch {
	case g.Func == model.Count && rng.Intn(2) == 0:
	case g.Func == model.Sum || g.Func == model.Avg:
		g.Arg = groupCol([]int{2, 3, 4, 5, 8}[rng.Intn(5)])
		if rng.Intn(10) == 0 {
			g.Arg = fallibleNumber()
		}
	default:
		g.Arg = groupCol(1 + rng.Intn(8))
	}
	g.Distinct = g.Arg != nil && rng.Intn(3) == 0
	if rng.Intn(3) == 0 {
		g.Filter = model.Call("gt", stream.Boolean, groupCol(2), model.Lit(stream.Int(int32(rng.Intn(3)-1))))
		if rng.Intn(4) == 0 {
			g.Filter = groupCol(7)
		}
	}
	switch {
	case g.Func == model.Count:
		g.Type = stream.BigInt
	case g.Func == model.Min || g.Func == model.Max || g.Arg.Type == stream.Interval:
		g.Type = g.Arg.Type
	case g.Func == model.Sum && g.Arg.Type.IsInteger():
		g.Type = stream.BigInt
	default:
		g.Type = stream.Double
	}
	return g
}

func randomAggregate(rng *rand.Rand) *model.Aggregate {
	a := &model.Aggregate{}
	for n := rng.Intn(4); n > 0; n-- {
		i := []int{1, 1, 1, 2, 3, 4, 5, 6, 7, 8}[rng.Intn(10)]
		a.Keys = append(a.Keys, groupCol(i))
		if rng.Intn(12) == 0 {
			a.Keys[len(a.Keys)-1] = fallibleNumber()
		}
	}
	for n := rng.Intn(5); n > 0 || len(a.Keys)+len(a.Aggs) == 0; n-- {
		a.Aggs = append(a.Aggs, randomAgg(rng))
	}
	return a
}

// aggregate adds an Aggregate behind in.
func (b *build) aggregate(in *model.Operator, a *model.Aggregate) *model.Operator {
	rel := model.Relation{Time: -1, Bounded: true, Window: in.Relation.Window}
	var fields []stream.Field
	for i, k := range a.Keys {
		fields = append(fields, stream.Field{Name: "key" + string(rune('0'+i)), Type: k.Type})
	}
	for i, g := range a.Aggs {
		fields = append(fields, stream.Field{Name: "agg" + string(rune('0'+i)), Type: g.Type})
	}
	for _, f := range in.Relation.Schema.Fields {
		if f.Role == stream.NoRole {
			continue
		}
		if f.Role == stream.WindowTime {
			rel.Time = len(fields)
		}
		fields = append(fields, f)
	}
	rel.Schema = stream.NewSchema(fields...)
	return b.add(&model.Operator{Kind: model.AggregateOp, Inputs: []model.Edge{out(in)}, Relation: rel, Aggregate: a})
}

var days = regexp.MustCompile(`^-?\d{5,9}$`)

// masked replaces columns that are not needed by NULL, as absent ones read.
func masked(rows []string, need []bool) []string {
	for i, r := range rows {
		var cells []string
		for _, cell := range strings.Fields(r) {
			// An interval of days has a blank in it.
			if n := len(cells); n > 0 && strings.Contains(cell, ":") && !strings.Contains(cell, "T") && days.MatchString(cells[n-1]) {
				cells[n-1] += " " + cell
				continue
			}
			cells = append(cells, cell)
		}
		for c := range cells {
			if !need[c] {
				cells[c] = "NULL"
			}
		}
		rows[i] = strings.Join(cells, " ") + " "
	}
	return rows
}

func randomNeed(rng *rand.Rand, op *model.Operator) []bool {
	need := allNeeded(op.Relation.Schema)
	if rng.Intn(3) == 0 {
		for i := range need {
			need[i] = rng.Intn(2) == 0 || i == op.Relation.Time
		}
	}
	return need
}

func groupWindow(rng *rand.Rand) model.Window {
	sizes := [][2]int64{{10, 10}, {10, 5}, {12, 4}, {10, 3}, {36, 7}, {3, 10}, {1, 1}, {20, 1}, {7, 4}, {5, 6}}
	s := sizes[rng.Intn(len(sizes))]
	return model.Window{Kind: []model.WindowKind{model.Range, model.Rows}[rng.Intn(2)], Size: s[0], Slide: s[1]}
}

func TestAggregateWindows(t *testing.T) {
	seeds(t, 700, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := groupFeed(rng, rng.Intn(150), rng.Intn(3) == 0)
		b := &build{}
		src := b.source("s", f)
		side := operator.Side{Relation: src.Relation}
		in := src
		window := groupWindow(rng)
		if rng.Intn(2) == 0 && window.Kind == model.Range {
			in = b.filter(in, model.Call("gt", stream.Boolean, groupCol(2), model.Lit(stream.Int(0))))
			side.Steps = append(side.Steps, in)
		}
		if rng.Intn(6) > 0 {
			in = b.window(in, window)
			side.Steps = append(side.Steps, in)
		}
		if rng.Intn(3) == 0 {
			in = b.filter(in, model.Call("ne", stream.Boolean, groupCol(1), model.Lit(stream.Int(0))))
			side.Steps = append(side.Steps, in)
		}
		op := b.aggregate(in, randomAggregate(rng))
		b.sink(b.reveal(op))
		need := randomNeed(rng, op)
		want, wantErrors := oracle(t, &b.m, map[string]*feed{"s": f})
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewAggregate(env, side, op, need)
			return must(t, fn, err)
		}, op.Relation.Time, f)
		d.restores = rng.Intn(3)
		d.run()
		same(t, seed, "row", d.output, masked(want, need))
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}

// Rows that carry their windows come from an operator that put them out; a result that
// depends on the window's columns keeps the reference from reordering groups.
func TestAggregateCarriedWindows(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := groupFeed(rng, rng.Intn(100), rng.Intn(3) == 0)
		b := &build{}
		src := b.source("s", f)
		w := b.window(src, groupWindow(rng))
		a := randomAggregate(rng)
		last := w.Relation.Schema.Len() - 1
		a.Aggs = append(a.Aggs, model.Agg{Func: model.Max, Arg: model.Col(last, w.Relation.Schema.Fields[last].Type), Type: w.Relation.Schema.Fields[last].Type})
		op := b.aggregate(w, a)
		b.sink(b.reveal(op))
		want, wantErrors := oracle(t, &b.m, map[string]*feed{"s": f})

		expand := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewRows(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, w, allNeeded(w.Relation.Schema))
			return must(t, fn, err)
		}, w.Relation.Time, f)
		expand.keep = true
		expand.run()
		carried := &feed{schema: w.Relation.Schema, time: w.Relation.Time, rows: expand.values}

		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewAggregate(env, operator.Side{Relation: w.Relation}, op, allNeeded(op.Relation.Schema))
			return must(t, fn, err)
		}, op.Relation.Time, carried)
		d.restores = rng.Intn(3)
		d.run()
		same(t, seed, "row", d.output, masked(want, allNeeded(op.Relation.Schema)))
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}

// A window with more groups than an output batch takes, and a task that closes a
// thousand windows.
func TestAggregateManyGroupsAndWindows(t *testing.T) {
	for _, slide := range []int64{100, 50} {
		rng := rand.New(rand.NewSource(slide))
		f := &feed{schema: testSchema, time: 0}
		for i := range 25_000 {
			f.rows = append(f.rows, []stream.Value{stream.Time(int64(i / 150)), stream.Int(int32(i * 7919 % 20_000)), stream.Big(1), stream.Text("x"), stream.Dbl(1)})
		}
		for i := range 1000 {
			f.rows = append(f.rows, []stream.Value{stream.Time(int64(10_000 + i*1000)), stream.Int(1), stream.Big(1), stream.Text("x"), stream.Dbl(1)})
		}
		b := &build{}
		src := b.source("s", f)
		w := b.window(src, model.Window{Kind: model.Range, Size: 100, Slide: slide})
		op := b.aggregate(w, &model.Aggregate{Keys: []*model.Expr{col(1)}, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}}})
		b.sink(b.reveal(op))
		want, _ := oracle(t, &b.m, map[string]*feed{"s": f})
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, nil)
			return must(t, fn, err)
		}, op.Relation.Time, f)
		batch := stream.NewBatch(testSchema, nil)
		for _, r := range f.rows {
			batch.AppendRow(r)
		}
		d.submit(&operator.Task{Spans: []stream.Span{{Batch: batch, To: batch.Len}}, Rows: batch.Len, Watermark: stream.MaxTime, End: true})
		same(t, slide, "row", d.output, want)
	}
}

// Sums stay exact to the last bit where subtracting would leave the error of values
// long gone.
func TestAggregateSlidesWithoutSubtracting(t *testing.T) {
	f := &feed{schema: testSchema, time: 0}
	for i, v := range []float64{1e300, 1.25, 1e17, 3, 1, -1e17, 0.5, 2, 0.25, 4} {
		f.rows = append(f.rows, []stream.Value{stream.Time(int64(i)), stream.Int(1), stream.Big(1), stream.Text("x"), stream.Dbl(v)})
	}
	b := &build{}
	src := b.source("s", f)
	w := b.window(src, model.Window{Kind: model.Range, Size: 4, Slide: 1})
	op := b.aggregate(w, &model.Aggregate{Keys: []*model.Expr{col(1)}, Aggs: []model.Agg{{Func: model.Sum, Arg: col(4), Type: stream.Double}}})
	d := newDrive(t, rand.New(rand.NewSource(1)), func(env operator.Env) operator.Function {
		fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, nil)
		return must(t, fn, err)
	}, -1, f)
	d.keep = true
	d.run()
	var got []float64
	for _, r := range d.values {
		got = append(got, r[1].F)
	}
	want := []float64{1e300, 1e300, 1e300, 1e300, 1e17 + 5.25, 4, -1e17 + 4.5, -1e17 + 3.5, -1e17 + 2.75, 6.75, 6.25, 4.25, 4}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// A damaged snapshot is refused or read, never a panic.
func TestAggregateDamagedSnapshot(t *testing.T) {
	seeds(t, 60, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := groupFeed(rng, 80, false)
		b := &build{}
		src := b.source("s", f)
		w := b.window(src, groupWindow(rng))
		op := b.aggregate(w, randomAggregate(rng))
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, nil)
			return must(t, fn, err)
		}, op.Relation.Time, f)
		for f.at <= len(f.rows) {
			d.task(0)
			var snapshot state.Writer
			d.fn.Snapshot(&snapshot)
			good := snapshot.Bytes()
			for range 20 {
				bytes := slices.Clone(good[:rng.Intn(len(good)+1)])
				if len(bytes) > 0 && rng.Intn(2) == 0 {
					bytes[rng.Intn(len(bytes))] ^= byte(1 + rng.Intn(255))
				}
				_ = d.make(d.env).Restore(state.NewReader(bytes))
			}
			d.check(d.make(d.env).Restore(state.NewReader(good)))
		}
	})
}
