// Package compose runs a copy of the stack and the shop in containers, with the docker command and the file
// compose.yaml beside it. The components, their addresses and their configuration come from deploy/stack and
// deploy/config. The package must not know what the services do.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"firedrill/deploy/stack"
	"firedrill/internal/machine"
	"firedrill/internal/wait"
)

// Project is one copy in containers.
type Project struct {
	stack.Settings
	Version  string              // of the images that are built
	Getenv   func(string) string // the user's environment
	Out      io.Writer           // for progress
	Patience time.Duration       // how long components may take to become ready once their images are here; if 0, a minute, and more on a slower machine
}

// Up starts everything and returns when all components are ready. If it fails or ctx ends, it stops what it
// started. In a copy that runs already, it only starts the components that were stopped.
func (p Project) Up(ctx context.Context) (stack.Status, error) {
	if err := p.checkData(); err != nil {
		return stack.Status{}, err
	}
	release, err := p.Lock(ctx, p.Out)
	if err != nil {
		return stack.Status{}, err
	}
	defer release()
	d, err := p.docker(ctx)
	if err != nil {
		return stack.Status{}, err
	}
	before, err := p.Record()
	if err != nil {
		return stack.Status{}, err
	}
	if before != nil {
		return p.already(ctx, d, *before)
	}
	if p.Machine, err = machine.Measure(ctx, p.Data, machine.Calibrate); err != nil {
		return stack.Status{}, err
	}
	fmt.Fprintln(p.Out, p.Sizing(p.Patience))
	components := p.Components()
	if err := p.CheckPorts(ctx, components); err != nil {
		return stack.Status{}, err
	}
	if err := p.Render(); err != nil {
		return stack.Status{}, err
	}
	if err := d.run(ctx, p.Out, "build"); err != nil {
		return stack.Status{}, err
	}
	record := stack.Record{Runtime: stack.Compose, Offset: p.Offset, Components: components, Started: time.Now()}
	if p.Load {
		record.LoadRate = p.LoadRate()
	}
	if err := p.Keep(record); err != nil {
		return stack.Status{}, err
	}
	status, err := p.start(ctx, d, components)
	if err == nil {
		return status, nil
	}
	fmt.Fprintln(p.Out, "Stopping what was started.")
	// On Ctrl-C ctx has ended, but the containers must still be stopped.
	if stopErr := p.stop(context.WithoutCancel(ctx), d); stopErr != nil {
		err = fmt.Errorf("%w; and %w", err, stopErr)
	}
	return stack.Status{}, err
}

// already starts the stopped components of a running copy.
func (p Project) already(ctx context.Context, d docker, before stack.Record) (stack.Status, error) {
	if before.Offset != p.Offset {
		return stack.Status{}, fmt.Errorf("%w: the containers of %s run with port offset %d, not %d; run \"firedrill down\" first, or give the other copy its own --data",
			stack.ErrSettings, p.Data, before.Offset, p.Offset)
	}
	fmt.Fprintf(p.Out, "Already up since %s.\n", before.Started.Local().Format(time.DateTime))
	return p.start(ctx, d, before.Components)
}

// start starts the components that do not run and waits until all components are ready.
func (p Project) start(ctx context.Context, d docker, components []stack.Component) (stack.Status, error) {
	args := []string{"up", "--detach", "--no-build"}
	if !slices.ContainsFunc(components, func(c stack.Component) bool { return c.Kind == stack.KindLoad }) {
		args = append(args, "--scale", "load=0")
	}
	if err := d.run(ctx, p.Out, args...); err != nil {
		return stack.Status{}, err
	}
	if err := p.awaitReady(ctx, d, components); err != nil {
		return stack.Status{}, err
	}
	return p.look(ctx, d)
}

// probeEvery is how often components are probed while they start.
const probeEvery = 250 * time.Millisecond

// awaitReady probes the components until all of them are ready or the time is up.
func (p Project) awaitReady(ctx context.Context, d docker, components []stack.Component) error {
	patience := p.ReadyFor(p.Patience)
	deadline := time.Now().Add(patience)
	for {
		seen := p.Look(ctx, components, nil)
		late := slices.IndexFunc(seen, func(c stack.ComponentStatus) bool { return c.State != stack.Ready })
		switch {
		case late < 0:
			return nil
		case time.Now().After(deadline):
			return p.notReady(ctx, d, seen[late], patience)
		}
		if !wait.Sleep(ctx, probeEvery) {
			return context.Cause(ctx)
		}
	}
}

// notReady returns an error that says why a component is not ready and what it printed last.
func (p Project) notReady(ctx context.Context, d docker, c stack.ComponentStatus, patience time.Duration) error {
	tail, _ := d.output(ctx, "logs", "--no-log-prefix", "--tail", "15", c.Name) // without a log, the error has only the cause
	return &stack.NotReadyError{
		Component: c.Name, Cause: fmt.Sprintf("%s after %s", c.Why, patience.Round(time.Millisecond)),
		Log: "its container's log", Tail: strings.TrimSpace(tail),
	}
}

// Status probes the components of the copy. It works without docker, but then does not know which containers
// run.
func (p Project) Status(ctx context.Context) (stack.Status, error) {
	d, _ := p.docker(ctx) // without docker, the probes still show which components answer
	return p.look(ctx, d)
}

func (p Project) look(ctx context.Context, d docker) (stack.Status, error) {
	record, err := p.Record()
	if err != nil {
		return stack.Status{}, err
	}
	known, rate := p.Size(record)
	if record == nil {
		return stack.Status{Data: p.Data, Offset: p.Offset, Machine: known}, nil
	}
	runs, _ := d.running(ctx) // as above
	return stack.Status{
		Data: p.Data, Offset: record.Offset, Started: &record.Started,
		Components: p.Look(ctx, record.Components, runs), Machine: known, LoadRate: rate,
	}, nil
}

// Down stops and removes the containers and keeps their data. It returns how many ran.
func (p Project) Down(ctx context.Context) (int, error) { return p.down(ctx) }

// Reset stops the copy and deletes its data. Images are kept.
func (p Project) Reset(ctx context.Context) error {
	if _, err := p.down(ctx, "--volumes"); err != nil {
		return err
	}
	native := stack.Stack{Settings: p.Settings, Getenv: p.Getenv, Out: p.Out}
	return native.Reset(ctx) // the rendered configuration, and the data of an earlier native copy
}

func (p Project) down(ctx context.Context, flags ...string) (int, error) {
	release, err := p.Lock(ctx, p.Out)
	if err != nil {
		return 0, err
	}
	defer release()
	d, err := p.docker(ctx)
	if err != nil {
		return 0, err
	}
	running, err := d.running(ctx)
	if err != nil {
		return 0, err
	}
	return len(running), p.stop(ctx, d, flags...)
}

func (p Project) stop(ctx context.Context, d docker, flags ...string) error {
	if err := d.run(ctx, p.Out, append([]string{"down", "--remove-orphans"}, flags...)...); err != nil {
		return err
	}
	return p.Forget()
}

// Logs writes the last n lines that the named component printed. With follow, it also writes new lines until
// ctx ends.
func (p Project) Logs(ctx context.Context, name string, n int, follow bool, out io.Writer) error {
	if _, err := p.container(name); err != nil {
		return err
	}
	d, err := p.docker(ctx)
	if err != nil {
		return err
	}
	args := []string{"logs", "--no-log-prefix", "--tail", fmt.Sprint(n)}
	if follow {
		args = append(args, "--follow")
	}
	if err := d.run(ctx, out, append(args, name)...); !follow || ctx.Err() == nil {
		return err
	}
	return nil // the user ended it
}

// Restart stops and starts one component and returns when it is ready.
func (p Project) Restart(ctx context.Context, name string) error {
	c, err := p.container(name)
	if err != nil {
		return err
	}
	release, err := p.Lock(ctx, p.Out)
	if err != nil {
		return err
	}
	defer release()
	d, err := p.docker(ctx)
	if err != nil {
		return err
	}
	if err := d.run(ctx, p.Out, "restart", name); err != nil {
		return err
	}
	return p.awaitReady(ctx, d, c)
}

// unprobed returns the names of the containers that are not components and have no readiness probe.
func unprobed() []string { return []string{"history", "postgres"} }

// container returns the named component of the running copy. It returns none if the name is one of the unprobed
// containers.
func (p Project) container(name string) ([]stack.Component, error) {
	record, err := p.Record()
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, errors.New("nothing was started in " + p.Data + "; run \"firedrill up\"")
	}
	names := unprobed()
	if slices.Contains(names, name) {
		return nil, nil
	}
	for _, c := range record.Components {
		if c.Name == name {
			return []stack.Component{c}, nil
		}
		names = append(names, c.Name)
	}
	return nil, fmt.Errorf("%w: no component %q; there are %s", stack.ErrSettings, name, strings.Join(names, ", "))
}
