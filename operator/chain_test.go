package operator_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// column is a bare column of a schema.
func column(s *stream.Schema, i int) *model.Expr { return model.Col(i, s.Fields[i].Type) }

// steps builds a model of a source, random stateless steps and a sink.
func steps(g *optest.Gen, count int) (*model.Model, []*model.Operator) {
	m := &model.Model{}
	rel := model.Relation{Schema: g.Schema, Time: -1, Bounded: true}
	last := m.Add(&model.Operator{Name: "source", Kind: model.SourceOp, Relation: rel,
		Source: &model.Source{Computed: make([]*model.Expr, g.Schema.Len())}})
	var ops []*model.Operator
	for i := range count {
		op := &model.Operator{Name: fmt.Sprintf("step%d", i), Inputs: []model.Edge{{Op: last.ID, Port: model.Out}}, Relation: rel}
		at := optest.NewGen(g.Uint64(), rel.Schema)
		if g.IntN(2) == 0 {
			op.Kind = model.FilterOp
			op.Filter = filterOf(at)
		} else {
			op.Kind = model.ProjectOp
			op.Project, op.Relation.Schema = projectOf(at)
		}
		rel = op.Relation
		last = m.Add(op)
		ops = append(ops, op)
	}
	m.Add(&model.Operator{Name: "sink", Kind: model.SinkOp, Inputs: []model.Edge{{Op: last.ID, Port: model.Out}},
		Relation: rel, Sink: &model.Sink{}})
	return m, ops
}

// filterOf is at times a filter that lets all or almost all rows pass.
func filterOf(g *optest.Gen) []*model.Expr {
	if g.IntN(4) == 0 {
		return []*model.Expr{model.Call("is_null", stream.Boolean, model.Lit(stream.NullOf(stream.Integer)))}
	}
	var out []*model.Expr
	for range 1 + g.IntN(2) {
		out = append(out, model.Call("or", stream.Boolean, g.Expr(stream.Boolean, 2), g.Expr(stream.Boolean, 1)))
	}
	return out
}

func projectOf(g *optest.Gen) ([]*model.Expr, *stream.Schema) {
	var exprs []*model.Expr
	schema := &stream.Schema{}
	for i := range 2 + g.IntN(8) {
		e := column(g.Schema, g.IntN(g.Schema.Len()))
		if g.IntN(3) == 0 {
			e = g.Expr(g.Type(), 2)
		}
		exprs = append(exprs, e)
		schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprintf("c%d", i), Type: e.Type})
	}
	return exprs, schema
}

func rowsOf(b *stream.Batch) []reference.Row {
	out := make([]reference.Row, b.Len)
	for i := range out {
		out[i] = b.Row(i)
	}
	return out
}

func TestPassRandom(t *testing.T) {
	cases := 120
	if testing.Short() {
		cases = 30
	}
	for i := range uint64(cases) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, optest.AllTypes())
		m, ops := steps(g, g.IntN(5))
		rows := rowsOf(g.Batch(g.IntN(400)))
		if seed%40 == 0 {
			rows = rowsOf(g.Batch(20_000))
		}
		optest.Compare(t, &optest.Case{
			Model: m, Rows: map[model.OpID][]reference.Row{0: rows}, Inputs: []model.OpID{0},
			Make: func(env operator.Env) (operator.Function, error) {
				return operator.NewPass(env, operator.Side{Relation: m.Ops[0].Relation, Steps: ops})
			},
		}, seed, 4)
	}
}

// What is not needed does not change what is, nor the error rows.
func TestChainNeed(t *testing.T) {
	for i := range uint64(100) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, optest.AllTypes())
		m, ops := steps(g, 1+g.IntN(4))
		b := g.Batch(1 + g.IntN(300))
		side := operator.Side{Relation: m.Ops[0].Relation, Steps: ops}
		all, allErrors := runChain(t, side, b)
		side.Need = make([]bool, side.Output().Schema.Len())
		for i := range side.Need {
			side.Need[i] = g.IntN(2) == 0
		}
		chain, err := operator.NewChain(side)
		if err != nil {
			t.Fatal(err)
		}
		pruned := stream.NewBatch(b.Schema, chain.Reads())
		pruned.AppendRange(b, 0, b.Len)
		some, someErrors := runChain(t, side, pruned)
		if fmt.Sprint(allErrors) != fmt.Sprint(someErrors) {
			t.Fatalf("seed %d: errors %v, want %v", seed, someErrors, allErrors)
		}
		if all.Len != some.Len {
			t.Fatalf("seed %d: %d rows, want %d", seed, some.Len, all.Len)
		}
		for c, need := range side.Need {
			for i := 0; need && i < all.Len; i++ {
				if !optest.Same(all.Cols[c].Value(i), some.Cols[c].Value(i)) {
					t.Fatalf("seed %d: column %d row %d differs", seed, c, i)
				}
			}
		}
	}
}

// runChain returns all rows of a chain in one batch.
func runChain(t *testing.T, side operator.Side, b *stream.Batch) (*stream.Batch, []operator.ErrorRow) {
	t.Helper()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	out := stream.NewBatch(side.Output().Schema, side.Need)
	task := &operator.Task{Rows: b.Len, Spans: []stream.Span{{Batch: b, To: b.Len}}}
	errors, err := chain.Run(task, chain.NewScratch(), func(c *operator.Chunk) error {
		c.AppendTo(out, 0, c.Len)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, errors
}

// marked is filter, window, project, filter over (ts, x).
func marked() operator.Side {
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.Timestamp}, stream.Field{Name: "x", Type: stream.Integer})
	windowed := &stream.Schema{Fields: append(append([]stream.Field{}, schema.Fields...),
		stream.Field{Name: "window_start", Type: stream.Timestamp, Role: stream.WindowStart, Hidden: true},
		stream.Field{Name: "window_end", Type: stream.Timestamp, Role: stream.WindowEnd, Hidden: true},
		stream.Field{Name: "window_time", Type: stream.Timestamp, Role: stream.WindowTime, Hidden: true})}
	narrow := stream.NewSchema(stream.Field{Name: "y", Type: stream.Integer}, windowed.Fields[4])
	x := model.Col(1, stream.Integer)
	positive := model.Call("gt", stream.Boolean, x, model.Lit(stream.Int(0)))
	odd := model.Call("eq", stream.Boolean, model.Call("mod", stream.Integer, model.Col(0, stream.Integer), model.Lit(stream.Int(2))), model.Lit(stream.Int(1)))
	w := &model.Window{Kind: model.Range, Size: 10, Slide: 5}
	return operator.Side{
		Relation: model.Relation{Schema: schema, Time: 0},
		Steps: []*model.Operator{
			{Kind: model.FilterOp, Filter: []*model.Expr{positive}, Relation: model.Relation{Schema: schema, Time: 0}},
			{Kind: model.WindowOp, Window: w, Relation: model.Relation{Schema: windowed, Time: 4, Window: w}},
			{Kind: model.ProjectOp, Project: []*model.Expr{x, model.Col(4, stream.Timestamp)}, Relation: model.Relation{Schema: narrow, Time: 1, Window: w}},
			{Kind: model.FilterOp, Filter: []*model.Expr{odd}, Relation: model.Relation{Schema: narrow, Time: 1, Window: w}},
		},
		Need: []bool{true, false},
	}
}

// Time and positions follow the rows through filters on both sides of the window.
func TestChainWindowMark(t *testing.T) {
	side := marked()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	b := stream.NewBatch(side.Relation.Schema, nil)
	for i := range 3000 {
		b.AppendRow([]stream.Value{stream.Time(int64(i) * 100), stream.Int(int32(i%7 - 2))})
	}
	task := &operator.Task{Rows: 2990, Spans: []stream.Span{{Batch: b, From: 5, To: 1500}, {Batch: b, From: 1500, To: 2995}}}
	next := 5
	_, err = chain.Run(task, chain.NewScratch(), func(c *operator.Chunk) error {
		pos := c.Positions()
		for i := range c.Len {
			for x := int32(next%7 - 2); x <= 0 || x%2 == 0; x = int32(next%7 - 2) {
				next++
			}
			if x := int32(next%7 - 2); c.Cols[0].I32[i] != x || c.Time[i] != int64(next)*100 || int(pos[i]) != next-5 {
				return fmt.Errorf("row %d: value %d time %d position %d", next, c.Cols[0].I32[i], c.Time[i], pos[i])
			}
			next++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if next < 2990 {
		t.Fatalf("rows end at %d", next)
	}
}

func TestChainAllocatesNothing(t *testing.T) {
	side := marked()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	b := stream.NewBatch(side.Relation.Schema, nil)
	for i := range 5000 {
		row := []stream.Value{stream.Time(int64(i)), stream.Int(int32(i%7 - 2))}
		if i%11 == 0 {
			row[1] = stream.NullOf(stream.Integer)
		}
		b.AppendRow(row)
	}
	s := chain.NewScratch()
	task := &operator.Task{Rows: 4999, Spans: []stream.Span{{Batch: b, From: 1, To: 5000}}}
	emit := func(*operator.Chunk) error { return nil }
	if n := testing.AllocsPerRun(20, func() { _, _ = chain.Run(task, s, emit) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestComputer(t *testing.T) {
	for seed := range uint64(30) {
		g := optest.NewGen(seed, optest.AllTypes())
		schema := &stream.Schema{Fields: append([]stream.Field{}, g.Schema.Fields...)}
		computed := slices.Repeat([]*model.Expr{nil}, schema.Len())
		for i := range 3 {
			e := g.Expr(g.Type(), 2)
			schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprintf("x%d", i), Type: e.Type})
			computed = append(computed, e)
		}
		src := &model.Operator{Kind: model.SourceOp, Relation: model.Relation{Schema: schema}, Source: &model.Source{Computed: computed}}
		c, err := operator.NewComputer(src, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := stream.NewBatch(schema, nil)
		data := g.Batch(2000)
		copy(b.Cols, data.Cols)
		b.Len = data.Len
		failed := c.Compute(c.NewScratch(), b)
		for i := range b.Len {
			row, reason := data.Row(i), ""
			var values []stream.Value
			for _, e := range computed[len(row):] {
				v, r := reference.Eval(e, row)
				if values = append(values, v); reason == "" {
					reason = r
				}
			}
			if len(failed) > 0 && failed[0].Row == i {
				if failed[0].Reason != reason {
					t.Fatalf("seed %d row %d fails with %q, want %q", seed, i, failed[0].Reason, reason)
				}
				failed = failed[1:]
				continue
			}
			if reason != "" {
				t.Fatalf("seed %d row %d does not fail with %q", seed, i, reason)
			}
			for k, v := range values {
				if got := b.Cols[len(row)+k].Value(i); !optest.Same(got, v) {
					t.Fatalf("seed %d row %d: %v, want %v", seed, i, got, v)
				}
			}
		}
	}
}

func TestChainAbsentColumn(t *testing.T) {
	side := marked()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	b := stream.NewBatch(side.Relation.Schema, []bool{true, false})
	b.Len = 1
	task := &operator.Task{Rows: 1, Spans: []stream.Span{{Batch: b, To: 1}}}
	if _, err := chain.Run(task, chain.NewScratch(), nil); err == nil || err.Error() != "column x is read but absent" {
		t.Fatalf("error %v", err)
	}
}
