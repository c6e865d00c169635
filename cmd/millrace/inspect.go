package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/sql"
)

// This file holds the commands that look at a script without running it.

// inspectFlags are the flags that check and explain share.
type inspectFlags struct {
	statements []string
	vars       variables
	workers    int
	taskSize   byteSize
	optimize   switches
	processors string
	scheduler  string
}

func (f *inspectFlags) add(cmd *cobra.Command) {
	f.vars = variables{}
	cmd.ValidArgsFunction = completeScripts
	cmd.Flags().StringArrayVarP(&f.statements, "execute", "e", nil, "use this `SQL`, behind the files; repeatable")
	cmd.Flags().Var(f.vars, "set", "substitute ${name} in the script; repeatable")
}

func (f *inspectFlags) prepare(t terminal, files []string) (*millrace.Plan, error) {
	scripts, err := readScripts(files, f.statements, t.in)
	if err != nil {
		return nil, err
	}
	plan, err := millrace.Prepare(scripts, millrace.Options{Vars: f.vars, Workers: f.workers, TaskBytes: int64(f.taskSize), Optimize: f.optimize.value, Processors: f.processors, Scheduler: f.scheduler, Stdin: t.in})
	if err != nil {
		return nil, err
	}
	for _, n := range plan.Notes() {
		fmt.Fprintf(t.err, "note: %s\n", printableLines(n))
	}
	for _, w := range plan.Warnings() {
		fmt.Fprintf(t.err, "warning: %s\n", printableLines(w))
	}
	return plan, nil
}

func checkCommand(t terminal) *cobra.Command {
	f := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "check [FILE.sql ... | -] [-e SQL]",
		Short: "find mistakes in a script; run nothing",
		RunE: func(_ *cobra.Command, files []string) error {
			plan, err := f.prepare(t, files)
			if errors.Is(err, sql.ErrNoQuery) {
				_, err = fmt.Fprintln(t.out, "ok: no query")
				return err
			}
			if err != nil {
				return tellAll(t.err, err)
			}
			_, err = fmt.Fprintf(t.out, "ok: %s\n", plan.Summary())
			return err
		},
	}
	f.add(cmd)
	return cmd
}

func explainCommand(t terminal) *cobra.Command {
	f := &inspectFlags{}
	var dot, model, kernels, measured bool
	cmd := &cobra.Command{
		Use:   "explain [FILE.sql ... | -] [-e SQL]",
		Short: "show the model, what each optimization did, and where operators run",
		RunE: func(_ *cobra.Command, files []string) error {
			if !atMostOne(dot, model, kernels, measured) {
				return errors.New("give one of --analyze, --dot, --model and --kernels")
			}
			plan, err := f.prepare(t, files)
			if err != nil {
				return err
			}
			if kernels {
				return writeKernels(t, plan)
			}
			text := plan.Explain
			switch {
			case measured && !plan.Empty():
				defer limitThreads(plan.Options().Workers, plan.Options().Processors)()
				return analyze(&console{t: t}, plan, files)
			case plan.Empty() && !dot && !model:
				defer limitThreads(plan.Options().Workers, plan.Options().Processors)()
				screen := &console{t: t}
				if err := showListings(screen, "table", plan); err != nil {
					return err
				}
				return writeExplained(screen, plan, files)
			case dot:
				text = plan.DOT
			case model:
				text = plan.ModelText
			}
			_, err = io.WriteString(t.out, text())
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&f.workers, "workers", 0, "plan for this many threads (default: all cores)")
	cmd.Flags().Var(&f.taskSize, "task-size", "bytes of input that make a task, for --analyze (default 1MiB)")
	cmd.Flags().Var(&f.optimize, "optimize", switchesHelp)
	cmd.Flags().StringVar(&f.processors, "processors", millrace.Auto, processorsHelp)
	cmd.Flags().StringVar(&f.scheduler, "scheduler", "hls", schedulerHelp)
	cmd.Flags().BoolVar(&measured, "analyze", false, "run it, too, and show what each processor did; rows of SELECT are counted and not shown, INSERT INTO writes")
	cmd.Flags().BoolVar(&kernels, "kernels", false, "print the programs that devices run, in the C dialect that all kinds of devices share")
	cmd.Flags().BoolVar(&dot, "dot", false, "print the dataflow as a Graphviz graph")
	cmd.Flags().BoolVar(&model, "model", false, "print the model's text form, which millrace run FILE.model runs")
	return cmd
}

func atMostOne(set ...bool) bool {
	n := 0
	for _, s := range set {
		if s {
			n++
		}
	}
	return n <= 1
}

func writeKernels(t terminal, plan *millrace.Plan) error {
	text, err := plan.Kernels()
	if err != nil {
		return err
	}
	_, err = io.WriteString(t.out, text)
	return err
}
