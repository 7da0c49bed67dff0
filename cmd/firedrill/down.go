package main

import (
	"context"
	"fmt"
	"time"
)

const downUsage = `down [flags]

Stops every process of the copy: the shop first, then the stack, so that the last telemetry arrives. What does not end
is terminated and then killed, also when the supervisor itself hangs or is gone. Other copies are not touched.`

func down(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("down", downUsage)
	which := addRunFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	target, kit, err := which.running(p)
	if err != nil {
		return err
	}
	begin := time.Now()
	stopped, err := target.Down(ctx)
	if err != nil {
		return err
	}
	if stopped == 0 {
		fmt.Fprintf(p.stdout, "Nothing ran in %s.\n", kit.Data)
		return nil
	}
	fmt.Fprintf(p.stdout, "Stopped %d %s in %.1f s.\n", stopped, members(target), time.Since(begin).Seconds())
	return nil
}

const resetUsage = `reset [flags]

Stops the copy and deletes its metrics, logs, traces, orders and settings. Built programs stay, and so does anything in
the data folder that firedrill did not put there.`

func reset(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("reset", resetUsage)
	which := addRunFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	target, kit, err := which.running(p)
	if err != nil {
		return err
	}
	if err := target.Reset(ctx); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Deleted the data in %s.\n", kit.Data)
	return nil
}
