package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"firedrill/chaos/session"
	"firedrill/deploy/stack"
)

// Port offsets of fresh copies. They are above the default offsets of all other copies, and the ports are below
// those that systems use for outgoing connections.
const (
	lowestOffset  = 11000
	highestOffset = 22000
	mostTries     = 100
)

// freshCopy starts a copy for one drill, with its data in dir. The returned function stops the copy and removes
// it, unless the user wants to keep it.
func (r *drillRunner) freshCopy(ctx context.Context, dir string) (*session.Target, func(), error) {
	t := r.target
	t.Data, t.Shop, t.Load = filepath.Join(dir, "stack"), true, true
	var err error
	if t.Offset, err = freePorts(ctx, t.Settings); err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(r.p.stderr, "Starting a stack for this drill in %s, port offset %d.\n", t.Data, t.Offset)
	if _, err := t.Up(ctx); err != nil {
		return nil, nil, fmt.Errorf("start a stack for the drill: %w", err)
	}
	if r.keep {
		return t.session(), func() {
			fmt.Fprintf(r.p.stderr, "The stack is left: firedrill status --data %[1]s; firedrill reset --data %[1]s\n", t.Data)
		}, nil
	}
	target := t.session()
	target.Ephemeral = true
	return target, func() {
		if err := t.Reset(context.WithoutCancel(ctx)); err != nil {
			fmt.Fprintf(r.p.stderr, "Remove the drill's stack: %v\n", err)
		}
	}, nil
}

// freePorts returns an offset at which all ports of the copy are free.
func freePorts(ctx context.Context, s stack.Settings) (int, error) {
	for range mostTries {
		s.Offset = lowestOffset + rand.IntN(highestOffset-lowestOffset)
		err := s.CheckPorts(ctx, s.Components())
		if taken := (*stack.PortsError)(nil); errors.As(err, &taken) {
			continue
		}
		return s.Offset, err
	}
	return 0, fmt.Errorf("find free ports for a stack: none of %d offsets is free", mostTries)
}
