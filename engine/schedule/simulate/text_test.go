package simulate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what scenarios give now below them")

const rule = "---\n"

// Each file in testdata is a scenario, a line of dashes, and what comes of it.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			scenario, want, _ := strings.Cut(string(text), rule)
			f, err := Parse(strings.NewReader(scenario))
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := f.Play(&got); err != nil {
				t.Fatal(err)
			}
			if *rewrite {
				if err := os.WriteFile(name, []byte(scenario+rule+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != want {
				t.Errorf("%s: got\n%s\nwant\n%s", name, &got, want)
			}
		})
	}
}

func TestScenarioMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"policy hls":                                "needs a processor",
		"processor CPU\nquery A CPU 1ms":            "has no end",
		"processor CPU\nquery A GPU 1ms":            `no processor "GPU"`,
		"processor CPU x":                           "line 1",
		"processor CPU\nquery A CPU 1":              "line 2",
		"processor CPU\nquery A CPU 1ms\nqueue A B": `no query "B"`,
		"speed 3":                                      "none of",
		"processor CPU\nquery A CPU 1ms\nat 3s":        "want: at",
		"processor CPU\nquery A CPU 1ms\nhome A":       "want: home",
		"processor CPU\nquery A CPU 1ms\nuntil 1s 2s":  "one duration",
		"processor CPU\nquery A tasks 3 CPU 1ms extra": "pairs",
	} {
		if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
