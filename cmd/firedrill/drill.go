package main

import "context"

const drillUsage = `drill COMMAND [flags]

Drills: something is broken on purpose while the shop is under load, and a machine checks that metrics, traces, logs and
alerts show it, that nothing else is hurt, and that all goes quiet again. Each is a file in chaos/drills; docs/drills.md has
their format and every fault there is.

    firedrill drill list                    what there is
    firedrill drill run total-outage        on the stack that runs
    firedrill drill all                     each on a stack of its own, with a scorecard
    firedrill drill mystery                 one of them, and you find out which

Whatever happens to the command, faults end by themselves within seconds: each is on a lease.

Commands:
`

func drillCommands() []command {
	return []command{
		{"list", "the drills there are", drillList},
		{"show", "what a drill does and expects", drillShow},
		{"run", "run drills on the stack that runs, and judge them", drillRun},
		{"export", "say a drill's faults in the language of Chaos Mesh", drillExport},
		{"all", "run every drill, each on a stack of its own", drillAll},
		{"matrix", "run drills and print what each signal showed of each", drillMatrix},
		{"mutants", "test drills: take away what they must notice, and see them fail", drillMutants},
		{"mystery", "run one without saying which; find out", drillMystery},
		{"hint", "the next hint of the mystery", drillHint},
		{"guess", "say what the mystery is", drillGuess},
		{"report", "what a drill came to, again", drillReport},
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
