package main

import (
	"context"

	"github.com/spf13/cobra"

	"firedrill/internal/cli"
)

func (p program) drillCommand() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use:   "drill COMMAND",
		Short: "Break something on purpose, and check that it is noticed",
		Long: `Drills. A drill breaks something on purpose while the shop is under load. A machine checks that metrics, traces, logs and
alerts show it, that nothing else is hurt, and that everything recovers. Each drill is a file in chaos/drills; docs/drills.md
describes their format and every fault.

Each fault is on a lease: it ends by itself within seconds, whatever happens to the command.`,
		Example: `  firedrill drill list                    the drills of the repository
  firedrill drill run total-outage        on the stack that runs
  firedrill drill all                     each on a stack of its own, with a scorecard
  firedrill drill mystery                 one of them, and you find out which`,
	})
	ctx := context.Background()
	for _, c := range drillCommands() {
		child := p.wrapped(ctx, c)
		switch c.name {
		case "show", "run", "export", "matrix", "mutants":
			child.ValidArgsFunction = p.completeDrills
		}
		cmd.AddCommand(child)
	}
	watchdog := p.wrapped(ctx, command{drillWatchdogCommand, "do one fault to a process, and undo it when its lease ends", drillWatchdog})
	watchdog.Hidden = true // only drills run it
	cmd.AddCommand(watchdog)
	return cmd
}

func drillCommands() []command {
	return []command{
		{"list", "list the drills of the repository", drillList},
		{"show", "show what a drill does and expects", drillShow},
		{"run", "run drills on the stack that runs, and judge them", drillRun},
		{"export", "write a drill's faults for Chaos Mesh", drillExport},
		{"all", "run every drill, each on a stack of its own", drillAll},
		{"matrix", "run drills and print what each signal showed of each", drillMatrix},
		{"mutants", "test drills: take away what they must notice, and see them fail", drillMutants},
		{"mystery", "run a drill without saying which, for you to find out", drillMystery},
		{"hint", "print the next hint of the mystery", drillHint},
		{"guess", "guess what the mystery is", drillGuess},
		{"report", "print the results of earlier drills", drillReport},
		{"stop", "end the drill that runs, and every fault", drillStop},
	}
}

// drillWatchdogCommand is the name of the command that drills run to inject and end faults.
const drillWatchdogCommand = "watchdog"
