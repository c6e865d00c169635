package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/bench"
)

const schedulingAbout = `Compare the scheduling policies on a simulated CPU and device, in virtual time. The
policies are the engine's; only how long a task takes is given, partly from published
measurements. No device is needed, and the figures are the same on every machine.

  millrace bench scheduling
  millrace bench scheduling --workers 1 --plot scheduling.svg`

// schedulingTasksMax bounds the time of the simulation.
const schedulingTasksMax = 1_000_000

func schedulingCommand(t terminal) *cobra.Command {
	var s bench.Scheduling
	var plot string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "scheduling",
		Short: "compare scheduling policies on simulated processors",
		Long:  schedulingAbout,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if s.Workers < 1 || s.Workers > workersMax {
				return fmt.Errorf("--workers %d: want a number from 1 to %d", s.Workers, workersMax)
			}
			if s.Tasks < 1 || s.Tasks > schedulingTasksMax {
				return fmt.Errorf("--tasks %d: want a number from 1 to %d", s.Tasks, schedulingTasksMax)
			}
			rows, err := s.Run()
			if err != nil {
				return failed(err)
			}
			if plot != "" {
				if err := plotScheduling(plot, rows); err != nil {
					return err
				}
			}
			if asJSON {
				return failed(bench.WriteSchedulingJSON(t.out, rows))
			}
			return failed(bench.WriteScheduling(t.out, rows))
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&s.Workers, "workers", 16, "workers of the simulated CPU")
	flags.IntVar(&s.Tasks, "tasks", 10_000, "tasks of each query")
	flags.StringVar(&plot, "plot", "", "draw both workloads, the ratios and the changing query to this SVG `FILE`")
	flags.BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func plotScheduling(name string, rows []bench.SchedulingRow) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return failed(errors.Join(bench.WriteSchedulingSVG(file, rows), file.Close()))
}
