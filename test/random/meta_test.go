package random

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/optimize"
)

// TestWhatMustNotMatter runs cases as they are, then without each optimization and without any, from the
// model's text form, and a second time: rows, their order, error rows and counts stay.
func TestWhatMustNotMatter(t *testing.T) {
	for _, seed := range cases(t, 300) {
		withCase(t, seed, func(c *testCase) {
			if failure := c.checkVariants(); failure != "" {
				report(t, "TestWhatMustNotMatter", c, failure)
			}
		})
	}
}

func (c *testCase) checkVariants() string {
	base := randomSetting(rand.New(rand.NewPCG(c.seed, 13)))
	want, wantErr := c.run(base)
	if wantErr != nil && !c.fails {
		return fmt.Sprintf("%s: %v", base, wantErr)
	}
	variants := []setting{base, base, base}
	variants[1].model = true
	variants[2].engine, variants[2].model = millrace.EngineReference, true
	off := []string{"none"}
	for _, o := range optimize.Catalogue() {
		off = append(off, "-"+o.Name)
	}
	for _, o := range off {
		s := base
		s.off = o
		variants = append(variants, s)
	}
	for _, s := range variants {
		if failure := c.checkSetting(s, want, wantErr); failure != "" {
			return failure
		}
	}
	return ""
}
