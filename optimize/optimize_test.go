package optimize

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/modeltest"
)

var rewriteGolden = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden runs the catalogue over each testdata/*.model and compares the model, the
// record and the needed columns with the .golden beside it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.model")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata/*.model", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".model"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Parse(string(text))
			if err == nil {
				err = model.Verify(m)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(m, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := report(r)
			golden := strings.TrimSuffix(file, ".model") + ".golden"
			if *rewriteGolden {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s\nif the new one is right: go test ./optimize -rewrite", got, want)
			}
		})
	}
}

func report(r *Result) string {
	var b strings.Builder
	for _, rec := range r.Records {
		fmt.Fprintf(&b, "%s\n", rec.Name)
		for _, s := range rec.Applied {
			fmt.Fprintf(&b, "  applied   %s\n", s)
		}
		for _, s := range rec.Declined {
			fmt.Fprintf(&b, "  declined  %s\n", s)
		}
	}
	b.WriteString("needed\n")
	for _, op := range r.Model.Ops {
		for _, port := range []model.Port{model.Out, model.Late, model.Arrival, model.Errors} {
			e := model.Edge{Op: op.ID, Port: port}
			set, ok := r.Needed[e]
			if !ok {
				continue
			}
			fmt.Fprintf(&b, "  %-6s", e)
			for i, f := range r.Model.Schema(e).Fields {
				if set[i] {
					fmt.Fprintf(&b, " %s", f.Name)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String() + "\n" + model.Format(r.Model)
}

// TestRandomModels: whatever is rewritten verifies, the model given stays as it was,
// every sink stays, every edge that is read has a set of the right width, and nothing
// goes back and forth: a second run moves no filter (it may drop what only a moved
// filter read), a third finds nothing to do.
func TestRandomModels(t *testing.T) {
	for seed := range uint64(300) {
		m := modeltest.Random(rand.New(rand.NewPCG(seed, 3)), 14)
		before := model.Format(m)
		r, err := Run(m, nil)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, before)
		}
		if model.Format(m) != before {
			t.Fatalf("seed %d: the model given was changed", seed)
		}
		if a, b := sinks(m), sinks(r.Model); a != b {
			t.Fatalf("seed %d: %d sinks became %d", seed, a, b)
		}
		second, err := Run(r.Model, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		third, err := Run(second.Model, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if moved := second.Records[2].Applied; len(moved) > 0 || !model.Equal(second.Model, third.Model) {
			t.Errorf("seed %d: not at rest: %v\n%s\nbecame\n%s", seed, moved, model.Format(second.Model), model.Format(third.Model))
		}
		checkNeeded(t, seed, r)
	}
}

func sinks(m *model.Model) int {
	n := 0
	for _, op := range m.Ops {
		if op.Kind == model.SinkOp {
			n++
		}
	}
	return n
}

func checkNeeded(t *testing.T, seed uint64, r *Result) {
	for e := range r.Model.Consumers() {
		if len(r.Needed[e]) != r.Model.Schema(e).Len() {
			t.Fatalf("seed %d: edge %s has %d columns and %d needs", seed, e, r.Model.Schema(e).Len(), len(r.Needed[e]))
		}
	}
	for _, op := range r.Model.Ops {
		if op.Kind == model.SourceOp && r.Needed[model.Edge{Op: op.ID, Port: model.Out}] == nil {
			t.Fatalf("seed %d: source #%d has no needs", seed, op.ID)
		}
		if op.Kind != model.FilterOp {
			continue
		}
		need := r.Needed[op.Inputs[0]]
		for _, e := range op.Filter {
			e.Columns(func(c int) {
				if !need[c] {
					t.Errorf("seed %d: filter #%d reads column %d, which is not needed", seed, op.ID, c)
				}
			})
		}
	}
}

func TestSwitches(t *testing.T) {
	for _, c := range []struct {
		text                string
		redundancy, reorder bool
	}{
		{"", true, true}, {"all", true, true}, {"none", false, false},
		{"-reorder", true, false}, {"none,+reorder", false, true}, {"-redundancy, all", true, true}, {"reorder", true, true},
	} {
		s, err := ParseSwitches(c.text)
		if err != nil || s.On("redundancy") != c.redundancy || s.On("reorder") != c.reorder {
			t.Errorf("%q: %v %v", c.text, s, err)
		}
	}
	if _, err := ParseSwitches("-fussion"); err == nil || !strings.Contains(err.Error(), "the switches are fusion, redundancy, reorder, selection, self-join, all and none") {
		t.Errorf("unknown switch: %v", err)
	}
	m := modeltest.Random(rand.New(rand.NewPCG(1, 3)), 14)
	off, err := ParseSwitches("none")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(m, off)
	if err != nil || !model.Equal(r.Model, m) || !r.Records[0].Off {
		t.Errorf("switched off, but: %v %v", r.Records, err)
	}
}

// TestDocumented: docs/optimizations.md has a section for each entry, in their order,
// that begins with its summary.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/optimizations.md")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(page)
	for _, o := range Catalogue() {
		heading := "\n## " + o.Name + "\n\n*" + o.Summary + "*\n"
		_, after, found := strings.Cut(rest, heading)
		if !found {
			t.Fatalf("docs/optimizations.md has no section %q behind those before it", heading)
		}
		rest = after
	}
	if strings.Contains(rest, "\n## ") {
		t.Error("docs/optimizations.md has a section of no optimization")
	}
}
