//go:build !nogpu

package kernel_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// group is an entry as the test computes it, value by value.
type group struct {
	position int64
	pane     window.Pane
	keys     []stream.Value
	args     [][]stream.Value // of each aggregate call, values that are not NULL
}

// groupsOnCPU groups rows as semantics say: by pane, in order of first appearance.
func groupsOnCPU(t *testing.T, side operator.Side, op *model.Operator, task *operator.Task) ([]group, []operator.ErrorRow) {
	t.Helper()
	a := op.Aggregate
	exprs := append([]*model.Expr{}, a.Keys...)
	for _, g := range a.Aggs {
		arg := g.Arg
		if arg == nil {
			arg = model.Lit(stream.Bool(true))
		}
		if g.Filter != nil {
			arg = model.Call("case", arg.Type, g.Filter, arg, model.Lit(stream.NullOf(arg.Type)))
		}
		exprs = append(exprs, arg)
	}
	schema := &stream.Schema{}
	for i, x := range exprs {
		schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", i), Type: x.Type})
	}
	last := &model.Operator{ID: op.ID, Kind: model.ProjectOp, Project: exprs, Relation: relation(schema)}
	want := onCPU(t, operator.Side{Relation: side.Relation, Steps: append(append([]*model.Operator{}, side.Steps...), last)}, task.Spans)
	times := allTimes(task)
	grid, rows, windowed := gridOf(side)
	var out []group
	index := map[string]int{}
	for i, row := range want.rows {
		p := int64(0)
		var pane window.Pane
		if windowed {
			if p = times[want.origin[i]]; rows {
				p = task.First + int64(want.origin[i])
			}
			pane = grid.Pane(p)
		}
		id := fmt.Sprint(pane, " ", canonical(row[:len(a.Keys)]))
		at, ok := index[id]
		if !ok {
			at = len(out)
			index[id] = at
			out = append(out, group{p, pane, row[:len(a.Keys)], make([][]stream.Value, len(a.Aggs))})
		}
		for k, v := range row[len(a.Keys):] {
			if !v.Null {
				out[at].args[k] = append(out[at].args[k], v)
			}
		}
	}
	return out, want.errors
}

// canonical is a text that rows of one group share.
func canonical(keys []stream.Value) string {
	text := ""
	for _, k := range keys {
		if k.F == 0 {
			k.F = 0 // -0 becomes 0
		}
		text += fmt.Sprintf("%v/%d/%v;", k.Null, k.I, k.F)
	}
	return text
}

// allTimes are the values of column 0 in a task's rows.
func allTimes(task *operator.Task) []int64 {
	var out []int64
	for _, s := range task.Spans {
		out = append(out, s.Batch.Cols[0].I64[s.From:s.To]...)
	}
	return out
}

func gridOf(side operator.Side) (grid window.Grid, rows, ok bool) {
	for _, s := range side.Steps {
		if s.Kind == model.WindowOp {
			if s.Window.Kind == model.Rows {
				return window.Rows(s.Window.Size, s.Window.Slide), true, true
			}
			return window.Range(s.Window.Size, s.Window.Slide), false, true
		}
	}
	return grid, false, false
}

// checkCell compares an accumulator with what it stands for.
func checkCell(t *testing.T, a *model.Agg, c *operator.GroupedCell, i int, values []stream.Value) {
	t.Helper()
	if int(c.N[i]) != len(values) {
		t.Fatalf("entry %d: %d values in %s, want %d", i, c.N[i], a.Func, len(values))
	}
	switch c.Kind {
	case operator.IntSumCell:
		sum := new(big.Int)
		for _, v := range values {
			sum.Add(sum, big.NewInt(v.I))
		}
		got := new(big.Int).Lsh(big.NewInt(c.High[i]), 64)
		got.Add(got, new(big.Int).SetUint64(c.Low[i]))
		if got.Cmp(sum) != 0 {
			t.Fatalf("entry %d: the sum is %s, want %s", i, got, sum)
		}
	case operator.FloatSumCell:
		checkFloatSum(t, c.Float[i], c.Rest[i], values)
	case operator.LeastCell, operator.GreatestCell:
		if len(values) == 0 {
			return
		}
		best := values[0]
		for _, v := range values[1:] {
			if o := order(v, best); c.Kind == operator.LeastCell && o < 0 || c.Kind == operator.GreatestCell && o > 0 {
				best = v
			}
		}
		got := c.Value.Value(i)
		if got.Type = best.Type; !optest.Same(got, best) {
			t.Fatalf("entry %d: %s is %v, want %v", i, a.Func, got, best)
		}
	}
}

// order compares two values of a fixed-width type: NaN is greatest.
func order(a, b stream.Value) int {
	switch x, y := a.F, b.F; {
	case a.I != b.I:
		return map[bool]int{true: 1, false: -1}[a.I > b.I]
	case x == y || x != x && y != y:
		return 0
	case x > y || x != x:
		return 1
	}
	return -1
}

// checkFloatSum compares with the exact sum, rounded once.
func checkFloatSum(t *testing.T, sum, rest float64, values []stream.Value) {
	t.Helper()
	plain, largest, exact := 0.0, 0.0, new(big.Float).SetPrec(2200)
	for _, v := range values {
		plain += v.F
		largest += math.Abs(v.F)
		if !math.IsNaN(v.F) && !math.IsInf(v.F, 0) {
			exact.Add(exact, big.NewFloat(v.F))
		}
	}
	if math.IsInf(largest, 0) || math.IsNaN(largest) {
		if math.IsInf(sum, 0) == math.IsInf(plain, 0) && math.IsNaN(sum) == math.IsNaN(plain) || math.IsInf(largest, 1) && !math.IsInf(plain, 0) && !math.IsNaN(plain) {
			return // that sums of the largest numbers depend on their order is theirs
		}
		t.Fatalf("the sum is %v, want %v", sum, plain)
	}
	want, _ := exact.Float64()
	if got := sum + rest; got != want && math.Abs(got-want) > largest*math.Pow(2, -100) {
		t.Fatalf("the sum is %v, want %v of %v", got, want, values)
	}
}

// checkAggregation compares tasks of several lengths with the CPU, and runs each twice:
// the bits are the same.
func checkAggregation(t *testing.T, d device.Device, g *optest.Gen, side operator.Side, op *model.Operator, lengths []int) (entries int) {
	t.Helper()
	p, err := kernel.NewAggregation(side, op)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, p, p.Program, 5000)
	data := optest.NewGen(g.Uint64(), side.Relation.Schema)
	at, first := data.Int64N(200)-100, int64(0)
	var got kernel.Grouped
	for _, n := range lengths {
		b := data.Batch(n)
		for r := range n {
			at += data.Int64N(4) * data.Int64N(3)
			b.Cols[0].I64[r] = at
		}
		b.First = first
		task := &operator.Task{Spans: []stream.Span{{Batch: b, To: n}}, First: first, Rows: n}
		first += int64(n)
		want, errors := groupsOnCPU(t, side, op, task)
		m.run(b)
		p.Read(m.slot, &got)
		if redo := len(errors) > kernel.ErrorRowsMax || len(want) > kernel.EntriesMax; redo != (got.Redo != "") {
			t.Fatalf("%d entries and %d failures; the task is to be run again: %q", len(want), len(errors), got.Redo)
		} else if redo {
			continue
		}
		if len(want) != got.Len || len(errors) != len(got.Failed) {
			t.Fatalf("%d rows: %d entries, want %d; %d rows fail, want %d\n%s", n, got.Len, len(want), len(got.Failed), len(errors), p.Program.Source)
		}
		for i, w := range want {
			if got.Positions[i] != w.position {
				t.Fatalf("entry %d begins at %d, want %d", i, got.Positions[i], w.position)
			}
			for k, v := range rowOf(got.Keys, i) {
				if !optest.Same(v, w.keys[k]) {
					t.Fatalf("entry %d: key %d is %v, want %v", i, k, v, w.keys[k])
				}
			}
			for k := range op.Aggregate.Aggs {
				checkCell(t, &op.Aggregate.Aggs[k], &got.Cells[k], i, w.args[k])
			}
		}
		entries += got.Len
	}
	return entries
}

// randomCall is an aggregate of an expression full of extremes.
func randomCall(g *optest.Gen) model.Agg {
	a := model.Agg{Func: []model.AggFunc{model.Count, model.Min, model.Max, model.Sum, model.Avg}[g.IntN(5)]}
	g.NoErr = g.IntN(4) > 0
	defer func() { g.NoErr = false }()
	switch a.Func {
	case model.Sum, model.Avg:
		types := []stream.Type{stream.Integer, stream.BigInt, stream.Interval, stream.Real, stream.Double}
		a.Arg = has(g, types[g.IntN(len(types))], 1)
	case model.Count:
		if g.IntN(2) == 0 {
			a.Arg = has(g, fixedType(g), 1)
		}
	default:
		a.Arg = has(g, fixedType(g), 1)
	}
	if g.IntN(3) == 0 {
		a.Filter = has(g, stream.Boolean, 1)
	}
	return a
}

// windowOver is a window operator over a relation.
func windowOver(r model.Relation, w model.Window) *model.Operator {
	r.Window = &w
	return &model.Operator{ID: 7, Kind: model.WindowOp, Window: &w, Relation: r}
}

// randomWindow is no window, or one of either kind, overlapping or with gaps.
func randomWindow(g *optest.Gen, in model.Relation) []*model.Operator {
	size := 1 + g.Int64N(400)
	switch g.IntN(5) {
	case 0:
		return nil
	case 1, 2:
		return []*model.Operator{windowOver(in, model.Window{Kind: model.Rows, Size: size, Slide: 1 + g.Int64N(size+3)})}
	}
	return []*model.Operator{windowOver(in, model.Window{Kind: model.Range, Size: size, Slide: 1 + g.Int64N(size+3)})}
}

// timedTypes is an event time and two columns of every type that devices have.
func timedTypes() *stream.Schema {
	return stream.NewSchema(append([]stream.Field{{Name: "ts", Type: stream.Timestamp, NotNull: true}}, fixedTypes().Fields...)...)
}

// randomAggregate is an aggregate over the generator's schema.
func randomAggregate(g *optest.Gen) (operator.Side, *model.Operator) {
	side := operator.Side{Relation: model.Relation{Schema: g.Schema}}
	op := &model.Operator{ID: 9, Kind: model.AggregateOp, Aggregate: &model.Aggregate{}}
	side.Steps = randomWindow(g, side.Relation)
	if len(side.Steps) > 0 && side.Steps[0].Window.Kind == model.Range && g.IntN(2) == 0 {
		filter := &model.Operator{ID: 5, Kind: model.FilterOp, Relation: side.Relation, Filter: []*model.Expr{has(g, stream.Boolean, 2)}}
		side.Steps = append([]*model.Operator{filter}, side.Steps...)
	}
	for range g.IntN(3) {
		op.Aggregate.Keys = append(op.Aggregate.Keys, has(g, fixedType(g), g.IntN(2)))
	}
	for range 1 + g.IntN(4) {
		op.Aggregate.Aggs = append(op.Aggregate.Aggs, randomCall(g))
	}
	return side, op
}

func TestAggregationRandom(t *testing.T) {
	d := open(t)
	programs, lengths := 12, []int{1, 0, 255, 256, 257, 1000, 4000}
	if testing.Short() {
		programs, lengths = 4, []int{1, 257, 400}
	}
	entries := 0
	for i := range uint64(programs) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, timedTypes())
		side, op := randomAggregate(g)
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { entries += checkAggregation(t, d, g, side, op, lengths) }) {
			return
		}
	}
	if entries < 10*programs {
		t.Errorf("only %d entries: this compares nothing", entries)
	}
}

// A task with more groups than there is room for is counted and sent back, and the next one
// is as if nothing had been.
func TestAggregationFullTable(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "k", Type: stream.BigInt}, stream.Field{Name: "v", Type: stream.Double})
	k, v := model.Col(0, stream.BigInt), model.Col(1, stream.Double)
	op := &model.Operator{Aggregate: &model.Aggregate{Keys: []*model.Expr{k}, Aggs: []model.Agg{{Func: model.Count, Type: stream.BigInt}, {Func: model.Sum, Arg: v, Type: stream.Double}}}}
	side := operator.Side{Relation: relation(schema)}
	p, err := kernel.NewAggregation(side, op)
	if err != nil {
		t.Fatal(err)
	}
	rows, counts := 4*kernel.EntriesMax, []int{7, kernel.EntriesMax / 4, kernel.EntriesMax + 1, 4 * kernel.EntriesMax, 3, kernel.EntriesMax}
	if testing.Short() {
		rows, counts = kernel.EntriesMax+300, []int{kernel.EntriesMax + 1, 3}
	}
	m := newMachine(t, d, p, p.Program, rows)
	for _, groups := range counts {
		b := stream.NewBatch(schema, nil)
		for i := range rows {
			b.AppendRow([]stream.Value{stream.Big(int64(i%groups) * 1_000_003), stream.Dbl(float64(i))})
		}
		m.run(b)
		var got kernel.Grouped
		p.Read(m.slot, &got)
		if got.Redo != "" {
			if groups <= kernel.EntriesMax/2 {
				t.Errorf("%d groups: %s", groups, got.Redo)
			}
			continue
		}
		if groups > kernel.EntriesMax || got.Len != groups {
			t.Fatalf("%d entries of %d groups", got.Len, groups)
		}
		for i := range groups {
			n, sum := (rows-i+groups-1)/groups, 0.0
			for r := i; r < rows; r += groups {
				sum += float64(r)
			}
			if got.Keys[0].I64[i] != int64(i)*1_000_003 || int(got.Cells[0].N[i]) != n || got.Cells[1].Float[i] != sum {
				t.Fatalf("%d groups: entry %d is %d with %d rows and sum %v", groups, i, got.Keys[0].I64[i], got.Cells[0].N[i], got.Cells[1].Float[i])
			}
		}
	}
}

func TestAggregationRefusals(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "name", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Integer})
	name, x := model.Col(0, stream.Varchar), model.Col(1, stream.Integer)
	carried := relation(schema)
	carried.Window = &model.Window{Kind: model.Rows, Size: 1, Slide: 1}
	for _, c := range []struct {
		why  string
		in   model.Relation
		aggr model.Aggregate
	}{
		{"greatest makes text", relation(schema), model.Aggregate{Keys: []*model.Expr{model.Call("greatest", stream.Varchar, name, name)}}},
		{"min of text", relation(schema), model.Aggregate{Aggs: []model.Agg{{Func: model.Min, Arg: name}}}},
		{"of distinct values", relation(schema), model.Aggregate{Aggs: []model.Agg{{Func: model.Count, Arg: x, Distinct: true}}}},
		{"carries windows", carried, model.Aggregate{Aggs: []model.Agg{{Func: model.Count}}}},
	} {
		_, err := kernel.NewAggregation(operator.Side{Relation: c.in}, &model.Operator{Aggregate: &c.aggr})
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("got %v, want it to say %q", err, c.why)
		}
	}
}
