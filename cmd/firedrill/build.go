package main

import (
	"context"
	"fmt"

	"firedrill/deploy/stack"
)

const buildUsage = `build [flags]

Builds the upstream programs that are missing, and starts nothing. "firedrill up" does this too.`

func build(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("build", buildUsage)
	which := addStackFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	target, err := which.stack(p)
	if err != nil {
		return err
	}
	tools, err := stack.Tools(target.Root)
	if err != nil {
		return err
	}
	built, err := stack.Build(ctx, target.Root, target.Bin, tools, p.stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Built %d upstream programs; all %d are in %s.\n", built, len(tools), target.Bin)
	return nil
}
