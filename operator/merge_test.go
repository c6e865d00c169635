package operator_test

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

var testSchema = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true},
	stream.Field{Name: "k", Type: stream.Integer},
	stream.Field{Name: "v", Type: stream.BigInt},
	stream.Field{Name: "s", Type: stream.Varchar},
	stream.Field{Name: "d", Type: stream.Double},
)

func randomFeed(rng *rand.Rand, n int) *feed {
	f := &feed{schema: testSchema, time: 0}
	at := int64(rng.Intn(50) - 25)
	for range n {
		if rng.Intn(3) > 0 {
			at += int64(rng.Intn(4))
		}
		if rng.Intn(60) == 0 {
			at += 500
		}
		row := []stream.Value{stream.Time(at), stream.Int(int32(rng.Intn(5))), stream.Big(int64(rng.Intn(4))),
			stream.Text(strings.Repeat("x", rng.Intn(4))), stream.Dbl([]float64{0, -1 * 0.0, 1.5, 2}[rng.Intn(4)])}
		for c := 1; c < len(row); c++ {
			if rng.Intn(8) == 0 {
				row[c] = stream.NullOf(row[c].Type)
			}
		}
		f.rows = append(f.rows, row)
	}
	return f
}

func col(i int) *model.Expr { return model.Col(i, testSchema.Fields[i].Type) }

// keep is TRUE for most rows; it fails where v is 0.
func fallible(base int) *model.Expr {
	v := model.Col(base+2, stream.BigInt)
	return model.Call("ne", stream.Boolean, model.Call("div", stream.BigInt, model.Lit(stream.Big(6)), v), model.Lit(stream.Big(3)))
}

func allNeeded(s *stream.Schema) []bool {
	need := make([]bool, s.Len())
	for i := range need {
		need[i] = true
	}
	return need
}

func seeds(t *testing.T, n int, f func(t *testing.T, seed int64, rng *rand.Rand)) {
	for seed := int64(1); seed <= int64(n); seed++ {
		f(t, seed, rand.New(rand.NewSource(seed)))
		if t.Failed() {
			return
		}
	}
}

func must(t *testing.T, f operator.Function, err error) operator.Function {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func randomWindow(rng *rand.Rand, slide int64, timed bool) model.Window {
	w := model.Window{Kind: model.Rows, Size: 1 + int64(rng.Intn(12)), Slide: slide}
	if timed {
		w.Kind = model.Range
		w.Size = slide * int64(1+rng.Intn(3))
		if rng.Intn(3) == 0 {
			w.Size = 1 + int64(rng.Intn(30))
		}
	}
	return w
}

func TestRows(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		f := randomFeed(rng, rng.Intn(200))
		b := &build{}
		src := b.source("s", f)
		below, steps := src, []*model.Operator(nil)
		window := randomWindow(rng, 1+int64(rng.Intn(10)), rng.Intn(2) == 0)
		if window.Kind == model.Range {
			below = b.filter(src, fallible(0))
			steps = append(steps, below)
		}
		w := b.window(below, window)
		b.sink(b.reveal(w))
		want, wantErrors := oracle(t, &b.m, map[string]*feed{"s": f})
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			side := operator.Side{Relation: src.Relation, Steps: append(steps, w)}
			fn, err := operator.NewRows(env, side, w, allNeeded(w.Relation.Schema))
			return must(t, fn, err)
		}, w.Relation.Time, f)
		d.restores = 2
		d.run()
		same(t, seed, "row", d.output, want)
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}

func TestUnion(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		n := 1 + rng.Intn(4)
		b := &build{}
		var feeds []*feed
		var sides []operator.Side
		byName := map[string]*feed{}
		timed := rng.Intn(2) == 0
		op := &model.Operator{Kind: model.UnionOp, Relation: model.Relation{Schema: testSchema, Time: -1, Bounded: true}}
		for i := range n {
			f := randomFeed(rng, rng.Intn(100))
			if !timed {
				f.time = -1
			} else {
				op.Relation.Time = 0
			}
			name := string(rune('a' + i))
			src := b.source(name, f)
			feeds, byName[name] = append(feeds, f), f
			side := operator.Side{Relation: src.Relation}
			if rng.Intn(2) == 0 {
				src = b.filter(src, fallible(0))
				side.Steps = []*model.Operator{src}
			}
			sides, op.Inputs = append(sides, side), append(op.Inputs, out(src))
		}
		b.add(op)
		b.sink(op)
		want, wantErrors := oracle(t, &b.m, byName)
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewUnion(env, sides, op, allNeeded(testSchema))
			return must(t, fn, err)
		}, op.Relation.Time, feeds...)
		d.restores = 2
		d.run()
		same(t, seed, "row", d.output, want)
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}

// randomJoin is a condition over two relations that begin with the test schema; the
// right one's columns begin at base.
func randomJoin(rng *rand.Rand, base int) *model.Join {
	j := &model.Join{}
	key := func(c int) {
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, col(c)), append(j.RightKeys, col(c))
	}
	switch rng.Intn(5) {
	case 0:
		key(1)
	case 1:
		key(4)
		key(3)
	case 2:
		e := model.Call("div", stream.BigInt, model.Lit(stream.Big(4)), col(2))
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, e), append(j.RightKeys, col(2))
	case 3:
		key(3)
	}
	for range rng.Intn(3) {
		c := []int{0, 1, 2, 4}[rng.Intn(4)]
		l, r := col(c), model.Col(base+c, testSchema.Fields[c].Type)
		switch {
		case c == 2 && rng.Intn(3) == 0:
			l = model.Call("div", stream.BigInt, model.Lit(stream.Big(4)), l)
		case c == 2 && rng.Intn(2) == 0:
			r = model.Call("sub", stream.BigInt, r, model.Lit(stream.Big(1)))
		}
		if rng.Intn(2) == 0 {
			l, r = r, l
		}
		test := []string{"eq", "ne", "lt", "le", "gt", "ge"}[rng.Intn(6)]
		j.On = append(j.On, model.Call(test, stream.Boolean, l, r))
	}
	if rng.Intn(3) == 0 { // both ends of a range, which may be empty
		right := model.Col(base+2, stream.BigInt)
		low := model.Call("sub", stream.BigInt, col(2), model.Lit(stream.Big(int64(rng.Intn(3)))))
		ends := []*model.Expr{
			model.Call([]string{"lt", "le"}[rng.Intn(2)], stream.Boolean, low, right),
			model.Call([]string{"lt", "le"}[rng.Intn(2)], stream.Boolean, right, col(2)),
		}
		rng.Shuffle(2, func(i, k int) { ends[i], ends[k] = ends[k], ends[i] })
		j.On = append(j.On, ends...)
	}
	if rng.Intn(3) == 0 {
		j.On = append(j.On, fallible(base))
	}
	return j
}

func TestLookup(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		s, table := randomFeed(rng, rng.Intn(150)), randomFeed(rng, rng.Intn(40))
		table.time = -1
		b := &build{}
		src, tab := b.source("s", s), b.source("t", table)
		below := b.filter(src, fallible(0))
		op := b.pair(model.LookupOp, below, tab, randomJoin(rng, testSchema.Len()))
		b.sink(op)
		want, wantErrors := oracle(t, &b.m, map[string]*feed{"s": s, "t": table})
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewLookup(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{below}},
				operator.Side{Relation: tab.Relation}, op, allNeeded(op.Relation.Schema))
			return must(t, fn, err)
		}, op.Relation.Time, s, table)
		d.restores = 2
		d.run()
		same(t, seed, "row", d.output, want)
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}

// TestJoin pairs raw windows and windows that the relation carries, in every mix.
func TestJoin(t *testing.T) {
	seeds(t, 300, func(t *testing.T, seed int64, rng *rand.Rand) {
		b := &build{}
		timed := rng.Intn(2) == 0
		slide := 1 + int64(rng.Intn(10))
		feeds := map[string]*feed{"l": randomFeed(rng, rng.Intn(120)), "r": randomFeed(rng, rng.Intn(120))}
		var driven []*feed
		expanded := false
		var sides []operator.Side
		var tops []*model.Operator
		for _, name := range []string{"l", "r"} {
			f := feeds[name]
			src := b.source(name, f)
			w := b.window(src, randomWindow(rng, slide, timed))
			top := b.filter(w, model.Call("ne", stream.Boolean, col(1), model.Lit(stream.Int(3))))
			side := operator.Side{Relation: src.Relation, Steps: []*model.Operator{w, top}}
			if rng.Intn(2) == 0 {
				side = operator.Side{Relation: w.Relation, Steps: []*model.Operator{top}}
				expanded = true
				f = expand(t, seed, f, src, w)
			}
			driven, sides, tops = append(driven, f), append(sides, side), append(tops, top)
		}
		op := b.pair(model.JoinOp, tops[0], tops[1], randomJoin(rng, tops[0].Relation.Schema.Len()))
		b.sink(b.reveal(op))
		want, wantErrors := oracle(t, &b.m, feeds)
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewJoin(env, sides[0], sides[1], op, allNeeded(op.Relation.Schema))
			return must(t, fn, err)
		}, op.Relation.Time, driven...)
		d.restores = 2
		d.run()
		same(t, seed, "row", d.output, want)
		checkErrors(t, seed, d.errors, wantErrors, expanded)
	})
}

// checkErrors compares as sets: a key that fails is told once per row by a side that
// has rows once, once per window by one that gets them so - and never for a row that is
// in no window.
func checkErrors(t *testing.T, seed int64, got, want []string, expanded bool) {
	t.Helper()
	got, want = slices.Compact(sorted(got)), slices.Compact(sorted(want))
	if expanded {
		want = slices.DeleteFunc(want, func(e string) bool { return !slices.Contains(got, e) })
	}
	same(t, seed, "error", got, want)
}

// expand returns the rows of a windowed relation as a feed.
func expand(t *testing.T, seed int64, f *feed, src, w *model.Operator) *feed {
	out := &feed{schema: w.Relation.Schema, time: w.Relation.Time}
	rng := rand.New(rand.NewSource(seed))
	d := newDrive(t, rng, func(env operator.Env) operator.Function {
		fn, err := operator.NewRows(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, w, allNeeded(w.Relation.Schema))
		return must(t, fn, err)
	}, w.Relation.Time, &feed{schema: f.schema, time: f.time, rows: f.rows})
	d.keep = true
	d.run()
	out.rows = d.values
	return out
}

// TestMergeLong is long enough for the stores to forget rows.
func TestMergeLong(t *testing.T) {
	seeds(t, 2, func(t *testing.T, seed int64, rng *rand.Rand) {
		feeds := map[string]*feed{"l": randomFeed(rng, 11000), "r": randomFeed(rng, 11000)}
		b := &build{}
		l, r := b.source("l", feeds["l"]), b.source("r", feeds["r"])
		op := &model.Operator{Kind: model.UnionOp, Relation: l.Relation, Inputs: []model.Edge{out(l), out(r)}}
		if seed == 2 {
			w := model.Window{Kind: model.Range, Size: 30, Slide: 10}
			wl, wr := b.window(l, w), b.window(r, w)
			op = b.pair(model.JoinOp, wl, wr, &model.Join{LeftKeys: []*model.Expr{col(1), col(3)}, RightKeys: []*model.Expr{col(1), col(3)}})
			b.sink(b.reveal(op))
			want, _ := oracle(t, &b.m, feeds)
			d := newDrive(t, rng, func(env operator.Env) operator.Function {
				fn, err := operator.NewJoin(env, operator.Side{Relation: l.Relation, Steps: []*model.Operator{wl}},
					operator.Side{Relation: r.Relation, Steps: []*model.Operator{wr}}, op, allNeeded(op.Relation.Schema))
				return must(t, fn, err)
			}, op.Relation.Time, feeds["l"], feeds["r"])
			d.run()
			same(t, seed, "row", d.output, want)
			return
		}
		b.add(op)
		b.sink(op)
		want, _ := oracle(t, &b.m, feeds)
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			fn, err := operator.NewUnion(env, []operator.Side{{Relation: l.Relation}, {Relation: r.Relation}}, op, allNeeded(testSchema))
			return must(t, fn, err)
		}, 0, feeds["l"], feeds["r"])
		d.run()
		same(t, seed, "row", d.output, want)
	})
}

// TestBufferLimits feeds one input only, past the limit.
func TestBufferLimits(t *testing.T) {
	f := randomFeed(rand.New(rand.NewSource(1)), 5000)
	all := stream.NewBatch(testSchema, nil)
	for _, row := range f.rows {
		all.AppendRow(row)
	}
	env := operator.Env{Pool: stream.NewPool(4), BufferBytesMax: 100_000, Lanes: 1}
	b := &build{}
	l, r := b.source("l", f), b.source("r", f)
	w := model.Window{Kind: model.Range, Size: 1 << 40, Slide: 1 << 40}
	wl, wr := b.window(l, w), b.window(r, w)
	keyed := &model.Join{LeftKeys: []*model.Expr{col(1)}, RightKeys: []*model.Expr{col(1)}}
	joinOp, lookupOp := b.pair(model.JoinOp, wl, wr, keyed), b.pair(model.LookupOp, l, r, keyed)
	unionOp := &model.Operator{Kind: model.UnionOp, Relation: l.Relation}
	groups := b.aggregate(wl, &model.Aggregate{Keys: []*model.Expr{col(0), col(1), col(2)}, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}}})
	left, right := operator.Side{Relation: l.Relation}, operator.Side{Relation: r.Relation}
	for name, create := range map[string]func() (operator.Function, error){
		"join buffer": func() (operator.Function, error) {
			return operator.NewJoin(env, operator.Side{Relation: l.Relation, Steps: []*model.Operator{wl}},
				operator.Side{Relation: r.Relation, Steps: []*model.Operator{wr}}, joinOp, nil)
		},
		"lookup table": func() (operator.Function, error) { return operator.NewLookup(env, left, right, lookupOp, nil) },
		"union buffer": func() (operator.Function, error) {
			return operator.NewUnion(env, []operator.Side{left, right}, unionOp, nil)
		},
		"table of groups": func() (operator.Function, error) {
			return operator.NewAggregate(env, operator.Side{Relation: l.Relation, Steps: []*model.Operator{wl}}, groups, nil)
		},
	} {
		fn, err := create()
		must(t, fn, err)
		task := &operator.Task{Input: 1, Spans: []stream.Span{{Batch: all, To: all.Len}}, Rows: all.Len, Watermark: stream.MinTime}
		p, err := fn.Batch(task, fn.NewScratch())
		if err == nil {
			err = fn.Assemble(task, p)
		}
		if err == nil {
			_, err = fn.Next()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
