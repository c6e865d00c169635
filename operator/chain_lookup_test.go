package operator_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// wideKeys spreads the integer keys of a feed, so that no array by key fits them.
func (f *feed) wideKeys() *feed {
	for _, row := range f.rows {
		if !row[2].Null {
			row[2] = stream.Big((row[2].I - 1) << 61)
		}
	}
	return f
}

// uniqueKeys drops all rows but the first with each value of a column.
func (f *feed) uniqueKeys(c int) *feed {
	seen := map[stream.Value]bool{}
	f.rows = slices.DeleteFunc(f.rows, func(row []stream.Value) bool {
		again := seen[row[c]]
		seen[row[c]] = true
		return again
	})
	return f
}

// TestLookupSteps runs one or two lookups among the steps in front of an aggregate, whose
// keys come from the stream, the tables or both.
func TestLookupSteps(t *testing.T) {
	seeds(t, 150, func(t *testing.T, seed int64, rng *rand.Rand) {
		feeds := map[string]*feed{"s": randomFeed(rng, rng.Intn(3000)/(1+19*rng.Intn(2))), "t0": randomFeed(rng, rng.Intn(40)), "t1": randomFeed(rng, rng.Intn(10))}
		if rng.Intn(2) == 0 {
			for _, f := range feeds {
				f.wideKeys()
			}
		}
		b := &build{}
		src := b.source("s", feeds["s"])
		top := b.filter(src, fallible(0))
		steps, lookups := []*model.Operator{top}, []*model.Operator{}
		driven := []*feed{feeds["s"]}
		tables := []operator.Side{}
		for _, name := range []string{"t0", "t1"}[:1+rng.Intn(2)] {
			f := feeds[name]
			f.time = -1
			c := 1 + rng.Intn(4)
			if rng.Intn(2) == 0 {
				f.uniqueKeys(c)
			}
			tab := b.source(name, f)
			below := b.filter(tab, fallible(0))
			key := []*model.Expr{col(c)}
			if rng.Intn(4) == 0 {
				key = append(key, col(1+rng.Intn(4)))
			}
			top = b.pair(model.LookupOp, top, below, &model.Join{LeftKeys: key, RightKeys: key})
			steps, lookups, driven = append(steps, top), append(lookups, top), append(driven, f)
			tables = append(tables, operator.Side{Relation: tab.Relation, Steps: []*model.Operator{below}})
			if rng.Intn(3) == 0 {
				top = b.filter(top, fallible(top.Relation.Schema.Len()-testSchema.Len()))
				steps = append(steps, top)
			}
		}
		width := top.Relation.Schema.Len()
		if rng.Intn(2) == 0 {
			top = b.window(top, model.Window{Kind: model.Range, Size: 1 + int64(rng.Intn(20)), Slide: 1 + int64(rng.Intn(20))})
			steps = append(steps, top)
		}
		pick := func() *model.Expr {
			c := rng.Intn(width)
			return model.Col(c, top.Relation.Schema.Fields[c].Type)
		}
		var keys []*model.Expr
		for range rng.Intn(3) {
			keys = append(keys, pick())
		}
		if rng.Intn(2) == 0 {
			keys = []*model.Expr{model.Col(testSchema.Len()+rng.Intn(testSchema.Len()), 0)}
			keys[0].Type = top.Relation.Schema.Fields[keys[0].Column].Type
		}
		arg := pick()
		agg := b.aggregate(top, &model.Aggregate{Keys: keys, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}, {Func: model.Max, Arg: arg, Type: arg.Type}}})
		b.sink(b.reveal(agg))
		want, wantErrors := oracle(t, &b.m, feeds)
		d := newDrive(t, rng, func(env operator.Env) operator.Function {
			env.Force.Group = []string{"", "hash"}[rng.Intn(2)]
			all := &operator.Lookups{}
			for i, op := range lookups {
				all.Add(op, tables[i])
			}
			fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: steps, Lookups: all}, agg, allNeeded(agg.Relation.Schema))
			return operator.NewProbing(env, must(t, fn, err), all)
		}, agg.Relation.Time, driven...)
		d.restores = 2
		d.run()
		same(t, seed, "row", d.output, want)
		same(t, seed, "error", sorted(d.errors), sorted(wantErrors))
	})
}
