package main

import (
	"context"
	"os"

	"firedrill/chaos/fault"
)

const drillWatchdogUsage = `drill watchdog [flags]

Does one fault to a process, which it reads from standard input, and undoes it when its lease ends or standard input does.
Drills run this command; there is no reason to run it by hand.`

func drillWatchdog(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill watchdog", drillWatchdogUsage)
	which := addStackFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	return fault.Watchdog(ctx, os.Stdin, p.stdout, t.folder().Undo(), supervised{t.Stack})
}
