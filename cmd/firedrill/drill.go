package main

import "context"

const drillUsage = `drill COMMAND [flags]

A drill breaks something on purpose while the shop is under load. It then checks that metrics, traces, logs and alerts show it,
that nothing else is hurt, and that all alerts resolve. Each drill is a file in chaos/drills; docs/drills.md documents the format
and every kind of fault.

    firedrill drill list                    what there is
    firedrill drill run total-outage        on the stack that runs
    firedrill drill all                     each on a stack of its own, with a scorecard
    firedrill drill mystery                 one of them, and you find out which

Whatever happens to the command, every fault ends by itself within seconds, because it is on a lease.

Commands:
`

func drillCommands() []command {
	return []command{
		{"list", "the drills there are", drillList},
		{"show", "what a drill does and expects", drillShow},
		{"run", "run drills on the stack that runs, and judge them", drillRun},
		{"export", "translate a drill's faults for Chaos Mesh", drillExport},
		{"all", "run every drill, each on a stack of its own", drillAll},
		{"matrix", "run drills and print what each signal showed of each", drillMatrix},
		{"mutants", "test drills: take away what they must notice; they must fail", drillMutants},
		{"mystery", "run a drill without saying which, for players to find out", drillMystery},
		{"hint", "the next hint of the mystery", drillHint},
		{"guess", "guess what is broken in the mystery", drillGuess},
		{"report", "show the results of drills again", drillReport},
		{"stop", "end the drill that runs, and every fault", drillStop},
	}
}

// drillWatchdogCommand is not listed: drills run it themselves.
const drillWatchdogCommand = "watchdog"

// drillMain runs a subcommand of drill.
func drillMain(ctx context.Context, p program, args []string) error {
	if len(args) > 0 && args[0] == drillWatchdogCommand {
		return drillWatchdog(ctx, p, args[1:])
	}
	return p.subcommand(ctx, "drill", drillUsage, drillCommands(), args)
}
