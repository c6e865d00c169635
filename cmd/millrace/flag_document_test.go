package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestFlagsDocumented: docs/cli.md has every flag of every command, and no other in its
// tables.
func TestFlagsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, m := range regexp.MustCompile("--([a-z][a-z-]*)").FindAllStringSubmatch(string(page), -1) {
		written[m[1]] = true
	}
	known := map[string]bool{}
	var b buffers
	for _, cmd := range rootCommand(b.terminal()).Commands() {
		if cmd.Name() == "completion" || cmd.DisableFlagParsing {
			continue
		}
		collectFlags(cmd, known)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" && f.Name != "execute" && !written[f.Name] {
				t.Errorf("docs/cli.md does not have --%s of millrace %s", f.Name, cmd.Name())
			}
		})
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z][a-z-]*)").FindAllStringSubmatch(string(page), -1) {
		if !known[row[1]] {
			t.Errorf("docs/cli.md has --%s, and no command has it", row[1])
		}
	}
}

func collectFlags(cmd *cobra.Command, into map[string]bool) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { into[f.Name] = true })
	for _, sub := range cmd.Commands() {
		collectFlags(sub, into)
	}
}
