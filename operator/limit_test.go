package operator_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/operator"
)

var rewrite = flag.Bool("rewrite", false, "write the table of docs/limits.md anew")

const limitsDocument = "../docs/limits.md"

var limitsTable = regexp.MustCompile(`(?s)(<!-- buffers -->\n).*?(<!-- end -->\n)`)

// TestLimitsDocument: the table of buffers in docs/limits.md is that of the code, and every
// error of a full buffer names one of them.
func TestLimitsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("| buffer | what is in it | what helps besides `--memory` |\n|---|---|---|\n")
	names := map[string]bool{}
	for _, l := range operator.Limits() {
		names[l.Name] = true
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", l.Name, l.Holds, l.Else)
	}
	text, err := os.ReadFile(limitsDocument)
	if err != nil {
		t.Fatal(err)
	}
	if !limitsTable.Match(text) {
		t.Fatalf("%s has no table of buffers", limitsDocument)
	}
	now := limitsTable.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(b.String(), "$", "$$")+"${2}")
	if now != string(text) {
		if !*rewrite {
			t.Fatalf("%s is not what the code says: run go test ./operator -run LimitsDocument -rewrite", limitsDocument)
		}
		if err := os.WriteFile(limitsDocument, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkFullNames(t, names)
}

// checkFullNames reads the calls of Full and textError with a name in them.
func checkFullNames(t *testing.T, names map[string]bool) {
	t.Helper()
	call := regexp.MustCompile(`(?:Full|bounded|textError|checkText)\("([^"]+)"`)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			if found++; !names[m[1]] {
				t.Errorf("%s: %q is not among the limits", e.Name(), m[1])
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d errors of full buffers were found", found)
	}
}

// TestFills: what a buffer held at most is kept, whoever says it, and told in the order of
// Limits.
func TestFills(t *testing.T) {
	var f operator.Fills
	if got := f.Peaks(10); len(got) != 0 {
		t.Errorf("nothing was held: %v", got)
	}
	var wait sync.WaitGroup
	for i := range int64(8) {
		wait.Go(func() {
			for n := range int64(1000) {
				if err := f.Bound("join buffer", n*8+i, 1<<20); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if err := f.Bound(operator.LimitIngress, 3<<20, 2<<20); err == nil || !strings.Contains(err.Error(), "3.0 MiB, over its limit of 2.0 MiB") {
		t.Errorf("a full buffer: %v", err)
	}
	want := []operator.Fill{{Name: operator.LimitIngress, PeakBytes: 3 << 20, LimitBytes: 9}, {Name: "join buffer", PeakBytes: 7999, LimitBytes: 9}}
	if got := f.Peaks(9); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	var nobody *operator.Fills
	if err := nobody.Bound("join buffer", 2, 1); err == nil || nobody.Bound("join buffer", 1, 1) != nil {
		t.Errorf("nobody asks: %v", err)
	}
}
