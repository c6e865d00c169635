package operator_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// feed is one input of a driven function: its rows, and the column of event time.
type feed struct {
	schema *stream.Schema
	time   int
	rows   [][]stream.Value
	at     int
}

// drive runs functions made by make over random cuts and interleavings of the feeds,
// restoring a snapshot into a fresh one now and then, and returns output rows and
// error rows as text.
type drive struct {
	t     *testing.T
	rng   *rand.Rand
	pool  *stream.Pool
	make  func(env operator.Env) operator.Function
	fn    operator.Function
	feeds []*feed
	env   operator.Env
	// waiting are tasks that were previewed only.
	waiting []*operator.Task
	// restores is how often, out of 16 task borders, the function is replaced.
	restores  int
	output    []string
	keep      bool // values, too
	values    [][]stream.Value
	errors    []string
	watermark int64
	timeCol   int
	away      optest.Away
	found     int // jobs of joins whose pairs were found elsewhere
}

func newDrive(t *testing.T, rng *rand.Rand, make func(env operator.Env) operator.Function, timeCol int, feeds ...*feed) *drive {
	d := &drive{t: t, away: optest.Away{Make: optest.OnCPU}, rng: rng, pool: stream.NewPool(64), make: make, feeds: feeds, timeCol: timeCol, watermark: stream.MinTime}
	d.fresh()
	return d
}

func (d *drive) fresh() {
	d.env = operator.Env{Pool: d.pool, BufferBytesMax: 1 << 30, Lanes: 1 + d.rng.Intn(4)}
	d.env.Force.Join = []string{"", "theta", "hash", "bitmap"}[d.rng.Intn(4)]
	d.env.Force.Order = []string{"", "turn", "lanes"}[d.rng.Intn(3)]
	d.env.Devices, d.env.Pairs = d.rng.Intn(2) == 0, d.rng.Intn(3) == 0
	d.env.Force.Windows = []string{"", "local", "assembled"}[d.rng.Intn(3)]
	d.fn = d.make(d.env)
}

// run feeds everything and checks the contract on the way.
func (d *drive) run() {
	for step := 0; ; step++ {
		var ready []int
		left := false
		for i, f := range d.feeds {
			if f.at <= len(f.rows) {
				left = true
				if d.fn.Wants(i) {
					ready = append(ready, i)
				}
			}
		}
		if !left {
			break
		}
		if len(ready) == 0 {
			d.t.Fatalf("no unfinished input is wanted")
		}
		d.task(ready[d.rng.Intn(len(ready))])
		if d.rng.Intn(16) < d.restores {
			d.restore()
		}
	}
	if w := d.fn.Watermark(); w != stream.MaxTime {
		d.t.Fatalf("watermark %d at the end", w)
	}
	if n := d.pool.Outstanding(); n != 0 {
		d.t.Fatalf("%d batches not given back", n)
	}
}

// task cuts the next task of an input: f.at is len(rows)+1 behind the last.
func (d *drive) task(input int) {
	f := d.feeds[input]
	n := min(d.rng.Intn(d.rng.Intn(40)+1), len(f.rows)-f.at)
	t := &operator.Task{Input: input, First: int64(f.at), Rows: n, Watermark: stream.MinTime}
	for left := n; left > 0; {
		k := 1 + d.rng.Intn(left)
		pad := d.rng.Intn(3)
		b := stream.NewBatch(f.schema, nil)
		for range pad {
			b.AppendRow(f.rows[0])
		}
		for range k {
			b.AppendRow(f.rows[f.at])
			f.at++
		}
		t.Spans = append(t.Spans, stream.Span{Batch: b, From: pad, To: pad + k})
		left -= k
	}
	if f.at == len(f.rows) && d.rng.Intn(2) == 0 {
		t.End = true
		f.at++
	}
	if f.time >= 0 {
		switch {
		case t.End:
			t.Watermark = stream.MaxTime
		case f.at < len(f.rows) && d.rng.Intn(2) == 0:
			t.Watermark = f.rows[f.at][f.time].I
		case f.at > 0:
			t.Watermark = f.rows[f.at-1][f.time].I - int64(d.rng.Intn(5))
		}
	}
	d.submit(t)
}

// submit runs a task. Those of a function that sees them ahead may wait for one another
// and run in any order.
func (d *drive) submit(t *operator.Task) {
	if p, ok := d.fn.(operator.Previewer); ok {
		p.Preview(t)
		d.waiting = append(d.waiting, t)
		if !t.End && d.rng.Intn(3) > 0 {
			return
		}
	} else {
		d.waiting = append(d.waiting, t)
	}
	d.flush()
}

// flush computes the tasks that wait in any order, and assembles them in theirs.
func (d *drive) flush() {
	partials, rows := make([]operator.Partial, len(d.waiting)), make([][]*stream.Batch, len(d.waiting))
	for _, i := range d.rng.Perm(len(d.waiting)) {
		var err error
		t, s := d.waiting[i], d.fn.NewScratch()
		if f, ok := d.fn.(operator.Streamer); ok && f.Streams() {
			partials[i], err = f.BatchTo(t, s, func(b *stream.Batch) error {
				rows[i] = append(rows[i], b)
				return nil
			})
		} else {
			partials[i], err = d.batch(t, s)
		}
		d.check(err)
	}
	for i, t := range d.waiting {
		for _, b := range rows[i] {
			d.take(b)
		}
		d.assemble(t, partials[i])
	}
	d.waiting = d.waiting[:0]
}

// batch computes a third of the tasks that it can elsewhere.
func (d *drive) batch(t *operator.Task, s operator.Scratch) (operator.Partial, error) {
	if d.rng.Intn(3) == 0 {
		return d.away.Batch(d.fn, t, s)
	}
	return d.fn.Batch(t, s)
}

func (d *drive) assemble(t *operator.Task, p operator.Partial) {
	d.fail(p.Errors)
	var err error
	if k, ok := d.fn.(operator.Keyed); ok {
		lanes := make([]any, k.Lanes())
		for _, i := range d.rng.Perm(len(lanes)) {
			lanes[i], err = k.Lane(i, t, p)
			d.check(err)
		}
		p.Value = lanes
	}
	pairer, _ := d.fn.(operator.Pairer)
	if d.env.Pairs && pairer != nil {
		found, err := optest.DoJobs(d.rng, pairer, p.Value.([]any)[0], optest.FindOnCPU(pairer.Pairs()))
		d.check(err)
		d.found += found
	}
	d.check(d.fn.Assemble(t, p))
	for {
		b, err := d.fn.Next()
		d.check(err)
		if b == nil && (pairer == nil || !pairer.Waits()) {
			break
		} else if b == nil {
			continue
		}
		d.take(b)
	}
	d.fail(d.fn.TakeErrors())
	w := d.fn.Watermark()
	if w < d.watermark {
		d.t.Fatalf("watermark fell from %d to %d after %+v", d.watermark, w, *t)
	}
	d.watermark = w
}

func (d *drive) take(b *stream.Batch) {
	if b.Len == 0 || b.Len > operator.OutputRows {
		d.t.Fatalf("batch of %d rows", b.Len)
	}
	for i := range b.Len {
		row := b.Row(i)
		if d.timeCol >= 0 && row[d.timeCol].I < d.watermark {
			d.t.Fatalf("row at %d behind the watermark %d", row[d.timeCol].I, d.watermark)
		}
		d.output = append(d.output, rowText(row))
		if d.keep {
			d.values = append(d.values, row)
		}
	}
	b.Release()
}

func (d *drive) fail(rows []operator.ErrorRow) {
	for _, e := range rows {
		d.errors = append(d.errors, e.Reason+" "+e.Record)
	}
}

func (d *drive) check(err error) {
	if err != nil {
		d.t.Helper()
		d.t.Fatal(err)
	}
}

func (d *drive) restore() {
	d.flush()
	var w state.Writer
	d.fn.Snapshot(&w)
	d.fresh()
	d.check(d.fn.Restore(state.NewReader(w.Bytes())))
}

func rowText(row []stream.Value) string {
	var b strings.Builder
	for _, v := range row {
		b.WriteString(v.String())
		b.WriteByte(' ')
	}
	return b.String()
}

// oracle runs a model whose sources are the feeds in reference and returns the rows of
// its sink and the error rows of all operators.
func oracle(t *testing.T, m *model.Model, feeds map[string]*feed) (output, errors []string) {
	t.Helper()
	in := func(_ context.Context, src *model.Operator) iter.Seq2[reference.Record, error] {
		return func(yield func(reference.Record, error) bool) {
			for _, row := range feeds[src.Name].rows {
				if !yield(reference.Record{Row: slices.Clone(row)}, nil) {
					return
				}
			}
		}
	}
	c := &collect{}
	if _, err := reference.Run(context.Background(), m, in, c); err != nil {
		t.Fatal(err)
	}
	return c.output, c.errors
}

type collect struct{ output, errors []string }

func (c *collect) Row(op *model.Operator, port model.Port, row reference.Row) error {
	switch {
	case port == model.Errors:
		c.errors = append(c.errors, row[1].S+" "+row[2].S)
	case op.Kind == model.SinkOp:
		c.output = append(c.output, rowText(row))
	}
	return nil
}

// same compares results; errors are compared as multisets.
func same(t *testing.T, seed int64, what string, got, want []string) {
	t.Helper()
	for i := 0; i < len(got) || i < len(want); i++ {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("seed %d: %s %d: got %s, want %s (%d and %d rows)", seed, what, i, g, w, len(got), len(want))
		}
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// build makes models by hand.
type build struct{ m model.Model }

func (b *build) add(op *model.Operator) *model.Operator {
	if op.Name == "" {
		op.Name = fmt.Sprintf("%s_%d", op.Kind, len(b.m.Ops))
	}
	return b.m.Add(op)
}

func out(op *model.Operator) model.Edge { return model.Edge{Op: op.ID, Port: model.Out} }

func (b *build) source(name string, f *feed) *model.Operator {
	return b.add(&model.Operator{
		Name: name, Kind: model.SourceOp, Relation: model.Relation{Schema: f.schema, Time: f.time, Bounded: true},
		Source: &model.Source{Connector: "filesystem", Computed: make([]*model.Expr, f.schema.Len())},
	})
}

func (b *build) sink(in *model.Operator) {
	b.add(&model.Operator{Kind: model.SinkOp, Inputs: []model.Edge{out(in)}, Relation: in.Relation, Sink: &model.Sink{Connector: model.ResultConnector}})
}

func (b *build) filter(in *model.Operator, conjuncts ...*model.Expr) *model.Operator {
	return b.add(&model.Operator{Kind: model.FilterOp, Inputs: []model.Edge{out(in)}, Relation: in.Relation, Filter: conjuncts})
}

func (b *build) window(in *model.Operator, w model.Window) *model.Operator {
	rel := in.Relation
	fields := slices.Clone(rel.Schema.Fields)
	switch w.Kind {
	case model.Range:
		rel.Time = len(fields) + 2
		for _, r := range []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime} {
			fields = append(fields, stream.Field{Name: r.String(), Type: stream.Timestamp, NotNull: true, Role: r, Hidden: true})
		}
	case model.Rows:
		rel.Time = -1
		fields = append(fields, stream.Field{Name: "window_index", Type: stream.BigInt, NotNull: true, Role: stream.WindowIndex, Hidden: true})
	}
	rel.Schema, rel.Window = stream.NewSchema(fields...), &w
	return b.add(&model.Operator{Kind: model.WindowOp, Inputs: []model.Edge{out(in)}, Relation: rel, Window: &w})
}

func (b *build) pair(kind model.Kind, left, right *model.Operator, j *model.Join) *model.Operator {
	rel := left.Relation
	rel.Schema = stream.NewSchema(slices.Concat(left.Relation.Schema.Fields, right.Relation.Schema.Fields)...)
	return b.add(&model.Operator{Kind: kind, Inputs: []model.Edge{out(left), out(right)}, Relation: rel, Join: j})
}

// reveal projects every column, hidden ones too, as visible ones.
func (b *build) reveal(in *model.Operator) *model.Operator {
	rel := in.Relation
	fields := slices.Clone(rel.Schema.Fields)
	exprs := make([]*model.Expr, len(fields))
	for i := range fields {
		fields[i].Hidden = false
		exprs[i] = model.Col(i, fields[i].Type)
	}
	rel.Schema = stream.NewSchema(fields...)
	return b.add(&model.Operator{Kind: model.ProjectOp, Inputs: []model.Edge{out(in)}, Relation: rel, Project: exprs})
}
