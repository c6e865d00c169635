package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const about = `Millrace runs continuous SQL queries over streams on all processors of a machine.

  millrace run examples/demo/demo.sql      run a script, show its results
  millrace run -e "SELECT ..."             run a statement
  millrace sql                             write statements interactively
  millrace explain query.sql               show what would run, and where

Scripts declare streams (CREATE STREAM .. WITH (connector = 'file', path = ..)), and
query them with windows: SELECT .. FROM s [RANGE 60 SECONDS SLIDE 1 SECOND] GROUP BY ..
See docs/guide/getting-started.md and docs/cli.md.`

// rootCommand assembles the commands.
func rootCommand(t terminal) *cobra.Command {
	root := &cobra.Command{
		Use:           "millrace",
		Short:         "streaming SQL on all processors of a machine",
		Long:          about,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Version = thisBuild().line()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SuggestionsMinimumDistance = 2
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(runCommand(t), sqlCommand(t), checkCommand(t), explainCommand(t), benchCommand(t), devicesCommand(t), versionCommand(t))
	root.AddCommand(laterCommands()...)
	root.InitDefaultCompletionCmd()
	return root
}

// unknownCommand refuses whatever follows the program's name and is no command. Cobra
// calls it only when no sub-command matched.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	name := args[0]
	if ext := filepath.Ext(name); ext == ".sql" || ext == ".model" || isFile(name) {
		return fmt.Errorf("unknown command %q; to run a script: millrace run %s", name, strings.Join(args, " "))
	}
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %q?", name, near[0])
	}
	return fmt.Errorf("unknown command %q; see millrace --help", name)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// flagError adds the nearest flag to an unknown one, and where help is to all others.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			return fmt.Errorf("unknown flag --%s; did you mean --%s?", unknown.GetSpecifiedName(), near)
		}
	}
	return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
}

// nearestFlag borrows cobra's search for similar command names.
func nearestFlag(cmd *cobra.Command, name string) string {
	probe := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		probe.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if near := probe.SuggestionsFor(name); len(near) > 0 {
		return near[0]
	}
	return ""
}

// completeScripts offers scripts and models for a command's arguments.
func completeScripts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"sql", "model"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeWords offers the values of a flag.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	// The only error is an unknown flag, which the commands' tests would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// laterCommands are commands of later versions. They refuse, whatever follows them.
func laterCommands() []*cobra.Command {
	var out []*cobra.Command
	for _, c := range []struct{ name, short, instead string }{
		{"sdg", "translate a Go program into a dataflow", "write the job in SQL"},
		{"serve", "run as a server with a console", "run jobs one by one with millrace run"},
	} {
		out = append(out, &cobra.Command{
			Use:                c.name,
			Short:              c.short + " (not built yet)",
			DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return fmt.Errorf("%s is not built yet in this version; %s", c.name, c.instead)
			},
		})
	}
	return out
}
