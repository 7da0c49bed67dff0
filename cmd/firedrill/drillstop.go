package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"firedrill/deploy/stack"
	"firedrill/internal/private"
)

const drillStopUsage = `drill stop [flags]

Ends the drill that runs, which undoes what it did, and then every fault that is left, whoever began it: those that
services show, and those of processes that were killed together with their watchdogs.`

func drillStop(ctx context.Context, p program, args []string) error {
	flags := p.newFlags("drill stop", drillStopUsage)
	which := addStackFlags(flags)
	if err := parse(flags, args, 0, 0); err != nil {
		return err
	}
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	stopped, err := t.folder().Stop(ctx)
	if err != nil {
		return err
	}
	if stopped != "" {
		fmt.Fprintf(p.stdout, "Stopped drill %s.\n", stopped)
	}
	healed, err := t.heal(ctx)
	for _, what := range healed {
		fmt.Fprintf(p.stdout, "Ended %s.\n", what)
	}
	if err == nil && stopped == "" && len(healed) == 0 {
		fmt.Fprintf(p.stdout, "Nothing is broken in %s.\n", t.Data)
	}
	return err
}

// heal ends every fault that is left on the copy, and returns what it ended.
func (t drillTarget) heal(ctx context.Context) ([]string, error) {
	token, err := private.ReadFile(t.RunFile(stack.FaultsToken))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // the copy was never started, so no service can have a fault
	}
	healed, healErr := t.session().Heal(ctx, strings.TrimSpace(string(token)))
	return healed, errors.Join(err, healErr)
}
