//go:build !nogpu

package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// lookupCase is a side, and a join of it with a table of keys.
type lookupCase struct {
	side  operator.Side
	probe *operator.Probe
	keys  []stream.Column // of the table's rows
	table int
}

// upload makes resident buffers of images, freed at the test's end.
func upload(t *testing.T, d device.Device, images [][]byte) []device.Resident {
	t.Helper()
	var out []device.Resident
	for _, image := range images {
		r, err := d.NewResident(len(image))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Free)
		if err := r.Write(image); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func newTable(t *testing.T, c *lookupCase) *kernel.Table {
	t.Helper()
	keys, n := c.keys, c.table
	if c.probe.Outer {
		keys, n = slices.Clone(keys), n+1
		for i := range keys {
			keys[i].AppendNull(n - 1)
		}
	}
	table, err := kernel.NewTable(keys, n, c.probe.Outer)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func randomLookup(g *optest.Gen) lookupCase {
	c := lookupCase{side: operator.Side{Relation: relation(g.Schema)}, probe: &operator.Probe{Op: 11, Outer: g.IntN(3) == 0}}
	if g.IntN(2) == 0 {
		g.NoErr = true
		f := model.Call("or", stream.Boolean, has(g, stream.Boolean, 1), has(g, stream.Boolean, 1))
		c.side.Steps = []*model.Operator{{ID: 3, Kind: model.FilterOp, Relation: relation(g.Schema), Filter: []*model.Expr{f}}}
		g.NoErr = false
	}
	c.table = []int{0, 1, 5, 40, 40, 300}[g.IntN(6)]
	for range 1 + g.IntN(2) {
		k := has(g, fixedType(g), g.IntN(2))
		if g.IntN(2) == 0 { // values that meet often
			at := g.IntN(2) * 2
			k = model.Col(at, g.Schema.Fields[at].Type)
		}
		c.probe.Keys = append(c.probe.Keys, k)
		c.keys = append(c.keys, g.Column(k.Type, c.table, 10))
	}
	return c
}

// want is what the lookup gives: rows of the task and of the table that match.
func (c *lookupCase) want(t *testing.T, b *stream.Batch) (pairs [][2]int32, failed []string) {
	t.Helper()
	for _, row := range onCPU(t, c.side, []stream.Span{{Batch: b, To: b.Len}}).origin {
		keys, reason := make([]stream.Value, len(c.keys)), ""
		for k, x := range c.probe.Keys {
			v, r := reference.Eval(x, b.Row(int(row)))
			if keys[k] = v; r != "" && reason == "" {
				reason = r
			}
		}
		if reason != "" {
			failed = append(failed, reason)
			continue
		}
		before := len(pairs)
		for r := range c.table {
			match := true
			for k, v := range keys {
				same, _ := reference.Eval(model.Call("eq", stream.Boolean, model.Lit(v), model.Lit(c.keys[k].Value(r))), nil)
				match = match && same.Truth()
			}
			if match {
				pairs = append(pairs, [2]int32{row, int32(r)})
			}
		}
		if c.probe.Outer && len(pairs) == before {
			pairs = append(pairs, [2]int32{row, int32(c.table)})
		}
	}
	return pairs, failed
}

func TestLookupRandom(t *testing.T) {
	d := open(t)
	programs, lengths := 16, []int{1, 0, 255, 256, 257, 700}
	if testing.Short() {
		programs, lengths = 4, []int{1, 65, 257}
	}
	const rowsMax, resultsMax = 700, 5000
	found := 0
	for i := range uint64(programs) {
		seed := *optest.FirstSeed + i
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := optest.NewGen(seed, fixedTypes())
			c := randomLookup(g)
			need := make([]bool, g.Schema.Len())
			for k := range need {
				need[k] = g.IntN(3) > 0
			}
			side := c.side
			side.Need = need
			p, err := kernel.NewLookup(side, c.probe)
			if err != nil {
				t.Fatal(err)
			}
			table := newTable(t, &c)
			k := compile(t, d, p.Program)
			slot, err := d.NewSlot(p.Sizes(rowsMax, resultsMax))
			if err != nil {
				t.Fatal(err)
			}
			defer slot.Free()
			call := p.NewCall()
			call.Resident = upload(t, d, table.Images)
			var got kernel.Selected
			for _, n := range lengths {
				b := g.Batch(n)
				want, failed := c.want(t, b)
				if err := p.Load(wholeOf(b), table, slot, call); err != nil {
					t.Fatal(err)
				}
				if err := slot.Run(k, call); err != nil {
					t.Fatal(err)
				}
				if _, err := slot.Wait(); err != nil {
					t.Fatal(err)
				}
				p.Read(slot, &got)
				if redo := len(want) > resultsMax; redo != (got.Redo != "") {
					t.Fatalf("%d results: %q", len(want), got.Redo)
				} else if redo {
					continue
				}
				checkLookup(t, &got, b, want, failed, need)
				found += len(want)
			}
		}) {
			return
		}
	}
	if found < programs {
		t.Errorf("only %d results: this compares nothing", found)
	}
}

func checkLookup(t *testing.T, got *kernel.Selected, b *stream.Batch, want [][2]int32, failed []string, need []bool) {
	t.Helper()
	if got.Len != len(want) || len(got.Failed) != len(failed) {
		t.Fatalf("%d rows: %d results, want %d; %d rows fail, want %d", b.Len, got.Len, len(want), len(got.Failed), len(failed))
	}
	for i, f := range got.Rejected {
		if f.Reason != failed[i] || f.Op != 11 {
			t.Fatalf("failure %d is %v, want %s", i, f, failed[i])
		}
	}
	for i, w := range want {
		if got.Origin[i] != w[0] || got.TableRows[i] != w[1] {
			t.Fatalf("result %d is of rows %d and %d, want %v", i, got.Origin[i], got.TableRows[i], w)
		}
		for k, v := range rowOf(got.Cols, i) {
			if need[k] && !optest.Same(v, b.Row(int(w[0]))[k]) {
				t.Fatalf("result %d: column %d is %v, want %v", i, k, v, b.Row(int(w[0]))[k])
			}
		}
	}
}

// More results than there is room for send the task back.
func TestLookupWithoutRoom(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "k", Type: stream.Integer})
	p, err := kernel.NewLookup(operator.Side{Relation: relation(schema), Need: []bool{true}}, &operator.Probe{Keys: []*model.Expr{model.Col(0, stream.Integer)}})
	if err != nil {
		t.Fatal(err)
	}
	keys := stream.Column{Type: stream.Integer, I32: []int32{1, 2, 1, 2, 1}}
	table := newTable(t, &lookupCase{probe: &operator.Probe{}, keys: []stream.Column{keys}, table: 5})
	k := compile(t, d, p.Program)
	slot, err := d.NewSlot(p.Sizes(10, 12))
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Free()
	call := p.NewCall()
	call.Resident = upload(t, d, table.Images)
	for ones, redo := range map[int]string{4: "", 5: "more rows of the table match than there is room for"} {
		b := stream.NewBatch(schema, nil)
		for range ones {
			b.AppendRow([]stream.Value{stream.Int(1)})
		}
		if err := p.Load(wholeOf(b), table, slot, call); err != nil {
			t.Fatal(err)
		}
		if err := slot.Run(k, call); err != nil {
			t.Fatal(err)
		}
		if _, err := slot.Wait(); err != nil {
			t.Fatal(err)
		}
		var got kernel.Selected
		if p.Read(slot, &got); got.Redo != redo {
			t.Errorf("%d rows of 3 matches: %q, want %q", ones, got.Redo, redo)
		}
	}
}

func TestLookupRefusals(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "name", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Integer})
	x, name := model.Col(1, stream.Integer), model.Col(0, stream.Varchar)
	for _, c := range []struct {
		why string
		key *model.Expr
	}{
		{"compares text", name},
		{"ln: processors differ", model.Call("ln", stream.Double, x)},
	} {
		_, err := kernel.NewLookup(operator.Side{Relation: relation(schema), Need: []bool{false, true}}, &operator.Probe{Keys: []*model.Expr{c.key}})
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("got %v, want it to say %q", err, c.why)
		}
	}
	if _, err := kernel.NewTable(nil, kernel.TableRowsMax+1, false); err == nil {
		t.Error("a table of too many rows is taken")
	}
}

func TestLookupCompilesForCUDA(t *testing.T) {
	for seed := range uint64(4) {
		g := optest.NewGen(seed, fixedTypes())
		c := randomLookup(g)
		c.side.Need = make([]bool, g.Schema.Len())
		p, err := kernel.NewLookup(c.side, c.probe)
		if err != nil {
			t.Fatal(err)
		}
		compileForCUDA(t, p.Program.Source)
	}
}
