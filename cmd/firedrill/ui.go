package main

import (
	"context"
	"fmt"
	"os"

	"firedrill/deploy/stack"
)

const uiUsage = `ui [flags]

Opens process-compose's terminal view of the running target. Leaving it (F10) leaves everything running.`

func ui(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("ui", uiUsage)
	which := addRunFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	target, err := which.stack(p)
	if err != nil {
		return err
	}
	runtime, err := which.runtime(p, target)
	if err != nil {
		return err
	}
	if runtime != stack.Native {
		return fmt.Errorf("%w: this view is process-compose's, which runs no containers; \"firedrill status\" and \"logs\" show them", errUsage)
	}
	cmd, err := target.AttachCommand(ctx)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, p.stdout, p.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("show process-compose's view: %w", err)
	}
	return nil
}
