package main

import (
	"context"
	"fmt"
	"time"
)

const restartUsage = `restart [flags] COMPONENT

Stops and starts one component and returns when it is ready again.`

func restart(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("restart", restartUsage)
	which := addRunFlags(fs)
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	target, _, err := which.running(p)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := target.Restart(ctx, fs.Arg(0)); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s is ready again after %.1f s.\n", fs.Arg(0), time.Since(begin).Seconds())
	return nil
}
