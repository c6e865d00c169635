package model_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/modeltest"
)

// TestOutlineShowsEveryOperator also holds that lines are broken.
func TestOutlineShowsEveryOperator(t *testing.T) {
	for seed := range uint64(200) {
		m := modeltest.Random(rand.New(rand.NewPCG(seed, 3)), 12)
		outline := "\n" + model.Outline(m, nil)
		for _, op := range m.Ops {
			if head := fmt.Sprintf("\n  #%d %s %s", op.ID, op.Kind, op.Name); !strings.Contains(outline, head) {
				t.Fatalf("seed %d: no operator %q in\n%s", seed, head, outline)
			}
		}
	}
	wide := &model.Model{Ops: []*model.Operator{{Kind: model.SourceOp, Name: "s", Source: &model.Source{Connector: "datagen", Options: map[string]string{}}}}}
	for i := range 100 {
		wide.Ops[0].Source.Options[fmt.Sprintf("fields.column%d.kind", i)] = "sequence"
	}
	wide.Ops[0].Relation = model.Relation{Schema: model.ErrorSchema, Time: -1}
	for line := range strings.Lines(model.Outline(wide, nil)) {
		if len(line) > 120 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
}
