package main

import (
	"context"
	"os"

	"firedrill/chaos/fault"
)

const drillGuardUsage = `drill guard [flags]

Does one fault to a process, which it reads from standard input, and undoes it when its lease ends or standard input does.
Drills run this command; there is no reason to run it by hand.`

func drillGuard(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill guard", drillGuardUsage)
	which := addStackFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	target := drillTarget{Stack: kit, getenv: p.getenv}
	return fault.Guard(ctx, os.Stdin, p.stdout, target.undo(), supervised{kit})
}
