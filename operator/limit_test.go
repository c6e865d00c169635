package operator_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
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
	call := regexp.MustCompile(`(?:Full|textError|checkText)\("([^"]+)"`)
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
