package main

import (
	"context"
	"errors"
	"io"

	"firedrill/deploy/compose"
	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

// deployment is one copy, as processes or in containers.
type deployment interface {
	lifecycle
	inspection
}

// lifecycle starts and stops a copy, and deletes its data.
type lifecycle interface {
	Up(ctx context.Context) (stack.Status, error)
	Down(ctx context.Context) (stopped int, err error)
	Reset(ctx context.Context) error
}

// inspection shows the state of a copy, and the log of one component.
type inspection interface {
	Status(ctx context.Context) (stack.Status, error)
	Logs(ctx context.Context, name string, n int, follow bool, out io.Writer) error
	Restart(ctx context.Context, name string) error
}

// addRunFlags adds the flags that select a copy, and whether it runs as processes or in containers.
func addRunFlags(fs flagSet) *stackFlags {
	f := addStackFlags(fs)
	fs.StringVar(&f.where, "stack", "", "`what` the copy runs in: native (processes) or compose (containers) (FIREDRILL_STACK; default what runs already, else native)")
	return f
}

// running returns the copy that the parsed flags and the environment select, and its settings.
func (f *stackFlags) running(p program) (deployment, stack.Stack, error) {
	kit, err := f.stack(p)
	if err != nil {
		return nil, kit, err
	}
	target, err := f.deployment(p, kit)
	return target, kit, err
}

// deployment returns kit as processes or as containers.
func (f *stackFlags) deployment(p program, kit stack.Stack) (deployment, error) {
	runtime, err := f.runtime(p, kit)
	if err != nil {
		return nil, err
	}
	if runtime == stack.Native {
		if kit.Shop {
			kit.BeforeStart = p.historyBeforeStart(kit)
		}
		return kit, nil
	}
	if !kit.Shop {
		return nil, cli.Misuse("--no-shop is for the native stack: containers do not see services of this machine")
	}
	if kit.Distributed {
		return nil, cli.Misuse("--distributed is for the native stack")
	}
	return compose.Project{
		Settings: kit.Settings, Version: ownVersion(), Getenv: p.getenv, Out: p.stderr, Patience: kit.Patience,
	}, nil
}

// runtime returns the runtime of the copy: what the flag or the environment says, or else the runtime of the
// running copy, or else native.
func (f *stackFlags) runtime(p program, kit stack.Stack) (string, error) {
	told, runtimes := f.where, map[string]string{"native": stack.Native, "compose": stack.Compose}
	if told == "" {
		told = p.getenv("FIREDRILL_STACK")
	}
	wanted, known := runtimes[told]
	if told != "" && !known {
		return "", cli.Misuse("--stack %q: want native or compose", told)
	}
	record, err := kit.Record()
	if errors.Is(err, stack.ErrRecord) { // whatever changes the copy moves it aside
		return wanted, nil
	}
	if err != nil || record == nil {
		return wanted, err
	}
	if told != "" && record.Runtime != wanted {
		return "", cli.Misuse("what runs in %s is not the %s stack; run \"firedrill down\" first, or give the other copy its own --data and --offset",
			kit.Data, told)
	}
	return record.Runtime, nil
}

// members returns what a deployment consists of, for messages.
func members(d deployment) string {
	if _, ok := d.(compose.Project); ok {
		return "containers"
	}
	return "processes"
}
