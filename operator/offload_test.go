package operator_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// TestOffload computes what operators of every kind offer row by row, apart, for every task:
// what Batch makes of that is what the reference says.
func TestOffload(t *testing.T) {
	cases := uint64(30)
	if testing.Short() {
		cases = 8
	}
	for _, kind := range optest.Kinds {
		t.Run(kind, func(t *testing.T) {
			refused, tasks := map[string]int{}, 0
			for i := range cases {
				seed := *optest.FirstSeed + i
				c := optest.Random(kind, seed, nil)
				c.Away = &optest.Away{Make: optest.OnCPU}
				optest.Compare(t, c, seed, 6)
				for _, why := range c.Away.Refused {
					refused[why]++
				}
				tasks += c.Away.Tasks
			}
			t.Log(fmt.Sprint(tasks, " tasks were computed apart; inputs refused: ", refused))
			if tasks < 20*int(cases) {
				t.Errorf("only %d tasks were computed apart", tasks)
			}
		})
	}
}

// offered is what the function says of an input: "rows", "matches" of a table, "groups" or the
// reason why nothing.
func offered(t *testing.T, input int, fn operator.Function, err error) string {
	t.Helper()
	o, err := must(t, fn, err).(operator.Offloader).Offload(input)
	switch {
	case err != nil:
		return err.Error()
	case o.Aggregate != nil:
		return "groups"
	case o.Probe != nil:
		return "matches"
	}
	return "rows"
}

// TestOffloadReasons: what each operator offers, and what EXPLAIN says where it offers nothing.
func TestOffloadReasons(t *testing.T) {
	const noSteps = "its input has no filter or expression to compute"
	b := &build{}
	src := b.source("s", &feed{schema: testSchema, time: 0})
	filter := b.filter(src, fallible(0))
	plain, filtered := operator.Side{Relation: src.Relation}, operator.Side{Relation: src.Relation, Steps: []*model.Operator{filter}}
	w := b.window(filter, model.Window{Kind: model.Range, Size: 10, Slide: 5})
	windowed := operator.Side{Relation: src.Relation, Steps: []*model.Operator{filter, w}}
	group := func(in *model.Operator, distinct bool) *model.Operator {
		return b.aggregate(in, &model.Aggregate{Keys: []*model.Expr{col(1)}, Aggs: []model.Agg{{Func: model.Count, Arg: col(2), Type: stream.BigInt, Distinct: distinct}}})
	}
	aggregate := func(env operator.Env, side operator.Side, op *model.Operator) string {
		fn, err := operator.NewAggregate(env, side, op, nil)
		return offered(t, 0, fn, err)
	}
	env, devices := operator.Env{Lanes: 1}, operator.Env{Lanes: 1, Devices: true}
	assembled := env
	assembled.Force.Windows = "assembled"
	lookupOp := b.pair(model.LookupOp, filter, src, &model.Join{LeftKeys: []*model.Expr{col(1)}, RightKeys: []*model.Expr{col(1)}})
	lookup, err := operator.NewLookup(env, filtered, plain, lookupOp, nil)
	must(t, lookup, err)
	tables := &operator.Lookups{}
	tables.Add(lookupOp, filtered)
	probed, err := operator.NewPass(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{filter, lookupOp}, Lookups: tables})
	probing := operator.NewProbing(env, must(t, probed, err), tables)
	probe := func(side operator.Side, key *model.Expr) string {
		op := b.pair(model.LookupOp, filter, src, &model.Join{LeftKeys: []*model.Expr{key}, RightKeys: []*model.Expr{key}})
		fn, err := operator.NewLookup(env, side, plain, op, nil)
		return offered(t, 0, fn, err)
	}
	after, err := operator.NewAggregate(devices, windowed, group(w, false), nil)
	after, err = operator.NewAfter(devices, must(t, after, err), group(w, false), nil, operator.Side{Relation: group(w, false).Relation})
	must(t, after, err)
	pass, err := operator.NewPass(env, plain)
	must(t, pass, err)
	for _, c := range []struct{ what, got, want string }{
		{"windows by task", aggregate(env, windowed, group(w, false)), "its tasks compute whole windows, from rows of the tasks before"},
		{"windows forced", aggregate(assembled, windowed, group(w, false)), "groups"},
		{"windows for devices", aggregate(devices, windowed, group(w, false)), "groups"},
		{"no window", aggregate(env, plain, group(src, false)), "groups"},
		{"distinct", aggregate(devices, windowed, group(w, true)), "rows"},
		{"carried windows", aggregate(devices, operator.Side{Relation: w.Relation}, group(w, false)), noSteps},
		{"bare", offered(t, 0, pass, nil), noSteps},
		{"stream of a lookup", offered(t, 0, lookup, nil), "matches"},
		{"stream of a lookup by text", probe(filtered, col(3)), "rows"},
		{"bare stream of a lookup by text", probe(plain, col(3)), noSteps},
		{"table of a lookup", offered(t, 1, lookup, nil), noSteps},
		{"behind a lookup", offered(t, 0, probing, nil), "matches"},
		{"table of a step", offered(t, 1, probing, nil), "rows"},
		{"steps behind", offered(t, 0, after, nil), "groups"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}

// TestOffloadedWrong: what cannot be of the task ends it, with an error that says why.
func TestOffloadedWrong(t *testing.T) {
	b := &build{}
	f := randomFeed(rand.New(rand.NewSource(1)), 100)
	src := b.source("s", f)
	filter := b.filter(src, fallible(0))
	w := b.window(filter, model.Window{Kind: model.Range, Size: 10, Slide: 10})
	side := operator.Side{Relation: src.Relation, Steps: []*model.Operator{filter, w}}
	op := b.aggregate(w, &model.Aggregate{Keys: []*model.Expr{col(1)}, Aggs: []model.Agg{{Func: model.Sum, Arg: col(2), Type: stream.BigInt}}})
	group, err := operator.NewAggregate(operator.Env{Lanes: 1}, side, op, nil)
	must(t, group, err)
	rows, err := operator.NewRows(operator.Env{Lanes: 1}, side, w, nil)
	must(t, rows, err)
	all := stream.NewBatch(testSchema, nil)
	good := -1
	for i, row := range f.rows {
		all.AppendRow(row)
		if !row[2].Null && row[2].I > 0 {
			good = i
		}
	}
	task := operator.Task{Spans: []stream.Span{{Batch: all, To: all.Len}}, Rows: all.Len}
	width := w.Relation.Schema.Len()
	one := []operator.GroupedCell{{Kind: operator.CountCell, N: []int32{1}}}
	key := []stream.Column{{Type: stream.Integer, I32: []int32{1}}}
	for _, c := range []struct {
		why      string
		fn       operator.Function
		selected *operator.Selected
		grouped  *operator.Grouped
	}{
		{"does not fail here", rows, &operator.Selected{Cols: make([]stream.Column, width), Failed: []int32{int32(good)}}, nil},
		{"row 100 failed of a task of 100", rows, &operator.Selected{Cols: make([]stream.Column, width), Failed: []int32{100}}, nil},
		{"have 1 columns", rows, &operator.Selected{Cols: make([]stream.Column, 1)}, nil},
		{"only 0 tell where they are from", rows, &operator.Selected{Len: 1, Cols: make([]stream.Column, width)}, nil},
		{"have no event time", rows, &operator.Selected{Len: 1, Cols: make([]stream.Column, width), Origin: []int32{3}}, nil},
		{"column ts of a task's rows is read but absent", rows, &operator.Selected{Len: 1, Cols: make([]stream.Column, width), Origin: []int32{3}, Time: []int64{1}}, nil},
		{"have 0 keys", group, nil, &operator.Grouped{}},
		{"key 0 of a task's groups is a DOUBLE", group, nil, &operator.Grouped{Len: 1, Positions: []int64{0}, Keys: []stream.Column{{Type: stream.Double}}, Cells: one}},
		{"a cell of kind 0", group, nil, &operator.Grouped{Len: 1, Positions: []int64{0}, Keys: key, Cells: one}},
		{"does not fail here", group, nil, &operator.Grouped{Keys: key, Cells: one, Failed: []int32{int32(good)}}},
	} {
		sent := task
		sent.Selected, sent.Grouped = c.selected, c.grouped
		if _, err := c.fn.Batch(&sent, c.fn.NewScratch()); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("got %v, want it to say %q", err, c.why)
		}
	}
}

// TestOffloadedErrors: rows that fail in the steps, and rows whose keys fail behind them, are
// told of in their order.
func TestOffloadedErrors(t *testing.T) {
	f := randomFeed(rand.New(rand.NewSource(1)), 3000)
	b := &build{}
	src, table := b.source("s", f), b.source("t", f)
	filter := b.filter(src, fallible(0))
	key := model.Call("div", stream.BigInt, model.Lit(stream.Big(4)), model.Call("sub", stream.BigInt, col(2), model.Lit(stream.Big(1))))
	op := b.pair(model.UnionOp, filter, table, nil)
	op.Kind, op.Join = model.LookupOp, &model.Join{LeftKeys: []*model.Expr{key}, RightKeys: []*model.Expr{col(2)}}
	fn, err := operator.NewLookup(operator.Env{Pool: stream.NewPool(4), BufferBytesMax: 1 << 30},
		operator.Side{Relation: src.Relation, Steps: []*model.Operator{filter}}, operator.Side{Relation: table.Relation}, op, nil)
	must(t, fn, err)
	end := &operator.Task{Input: 1, End: true}
	p, err := fn.Batch(end, fn.NewScratch())
	if err == nil {
		err = fn.Assemble(end, p)
	}
	if err != nil {
		t.Fatal(err)
	}
	rows := stream.NewBatch(testSchema, nil)
	for _, row := range f.rows {
		rows.AppendRow(row)
	}
	task := &operator.Task{Rows: rows.Len - 2, Spans: []stream.Span{{Batch: rows, From: 1, To: 2500}, {Batch: rows, From: 2501, To: rows.Len}}}
	plain, err := fn.Batch(task, fn.NewScratch())
	if err != nil {
		t.Fatal(err)
	}
	away := optest.Away{Make: optest.OnCPU}
	sent, err := away.Batch(fn, task, fn.NewScratch())
	if err != nil || away.Tasks != 1 {
		t.Fatal(err, away.Refused)
	}
	both := map[model.OpID]int{}
	for i, e := range plain.Errors {
		both[e.Op]++
		if len(sent.Errors) <= i || sent.Errors[i] != e {
			t.Fatalf("error %d of %d and %d is not %v", i, len(sent.Errors), len(plain.Errors), e)
		}
	}
	if len(both) != 2 || len(sent.Errors) != len(plain.Errors) {
		t.Errorf("%d and %d errors, of operators %v", len(sent.Errors), len(plain.Errors), both)
	}
}

// TestOffloadedRest: what a float64 lacks of a sum comes along.
func TestOffloadedRest(t *testing.T) {
	b := &build{}
	f := &feed{schema: testSchema, time: 0}
	src := b.source("s", f)
	op := b.aggregate(src, &model.Aggregate{Aggs: []model.Agg{{Func: model.Sum, Arg: col(4), Type: stream.Double}}})
	fn, err := operator.NewAggregate(operator.Env{Pool: stream.NewPool(4), BufferBytesMax: 1 << 30}, operator.Side{Relation: src.Relation}, op, nil)
	must(t, fn, err)
	away := optest.Away{Make: optest.OnCPU}
	for i, values := range [][]float64{{1 << 60, 1}, {-1 << 60}} {
		rows := stream.NewBatch(testSchema, nil)
		for _, v := range values {
			rows.AppendRow([]stream.Value{stream.Time(0), stream.Int(0), stream.Big(0), stream.Text(""), stream.Dbl(v)})
		}
		task := &operator.Task{Rows: rows.Len, Spans: []stream.Span{{Batch: rows, To: rows.Len}}, End: i == 1}
		p, err := away.Batch(fn, task, fn.NewScratch())
		if err == nil {
			err = fn.Assemble(task, p)
		}
		if err != nil {
			t.Fatal(err)
		}
		out, err := fn.Next()
		if err != nil || (out != nil) != task.End || away.Tasks != i+1 {
			t.Fatal(out, err, away.Tasks)
		}
		if out != nil && out.Cols[0].F64[0] != 1 {
			t.Errorf("the sum is %v", out.Cols[0].F64[0])
		}
	}
}

// rowsThrough are the rows that a task sends through a chain: place, event time, columns.
func rowsThrough(t *testing.T, chain *operator.Chain, task *operator.Task) (out []string) {
	t.Helper()
	_, err := chain.Run(task, chain.NewScratch(), func(c *operator.Chunk) error {
		pos := c.Positions()
		for i := range c.Len {
			out = append(out, fmt.Sprint(pos[i], c.Time[i]+c.Base, c.Cols[0].Value(i)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSelectedChunks: rows that were computed elsewhere go through a chain as others, chunk by
// chunk, and nothing is allocated for it.
func TestSelectedChunks(t *testing.T) {
	side := marked()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	b := stream.NewBatch(side.Relation.Schema, nil)
	for i := range 20_000 {
		b.AppendRow([]stream.Value{stream.Time(int64(i)), stream.Int(int32(i%7 - 2))})
	}
	b.Base, b.Based = 1000, 0
	compute, err := optest.OnCPU(operator.Offload{Side: side})
	if err != nil {
		t.Fatal(err)
	}
	task := &operator.Task{Rows: b.Len - 1, Spans: []stream.Span{{Batch: b, From: 1, To: b.Len}}}
	want := rowsThrough(t, chain, task)
	if _, err := compute(task); err != nil {
		t.Fatal(err)
	}
	if got := rowsThrough(t, chain, task); !slices.Equal(got, want) || len(got) < 2*operator.ChunkRows {
		t.Fatalf("%d rows differ from the %d that the chain lets through", len(got), len(want))
	}
	s := chain.NewScratch()
	emit := func(c *operator.Chunk) error {
		_ = c.Positions()
		return nil
	}
	if n := testing.AllocsPerRun(20, func() { _, _ = chain.Run(task, s, emit) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
