package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"firedrill/internal/proc"
	"firedrill/internal/wait"
)

// ErrNotRunning means that no supervisor of the copy answers. Its components can then be neither started nor
// stopped.
var ErrNotRunning = errors.New("the stack does not run")

// stateEvery is how often the state of a component is polled while it stops.
const stateEvery = 50 * time.Millisecond

// Process returns the process of the component. It is zero if the component has no process at the moment. It returns an
// error if the supervisor names a process that the copy did not start.
func (k Stack) Process(ctx context.Context, name string) (proc.Identity, error) {
	p, err := k.supervised(ctx, name)
	if err != nil || !p.IsRunning {
		return proc.Identity{}, err
	}
	found, err := proc.Identify(p.PID)
	if errors.Is(err, proc.ErrGone) {
		return proc.Identity{}, nil // it has ended since
	}
	if err != nil {
		return proc.Identity{}, fmt.Errorf("find the process of %q: %w", name, err)
	}
	all, err := k.members()
	if err != nil {
		return proc.Identity{}, err
	}
	if !slices.Contains(all.own, found) && found.Lives() {
		return proc.Identity{}, fmt.Errorf("the supervisor of %s says that %q is %s, which this copy did not start", k.Data, name, found)
	}
	return found, nil
}

// Start starts the component unless it runs or is about to be restarted, and returns when it is ready.
func (k Stack) Start(ctx context.Context, name string) error {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return err
	}
	defer release()
	c, err := k.component(name)
	if err != nil {
		return err
	}
	p, err := k.supervised(ctx, name)
	if err != nil {
		return err
	}
	if p.stopped() {
		if err := k.supervisor().start(ctx, name); err != nil {
			return fmt.Errorf("start %q: %w", name, err)
		}
	}
	return k.awaitReady(ctx, []Component{c}, nil)
}

// Stop stops the component and returns when it has no process. It stays stopped until it is started again.
func (k Stack) Stop(ctx context.Context, name string) error {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return err
	}
	defer release()
	p, err := k.supervised(ctx, name)
	if err != nil || p.stopped() {
		return err
	}
	if err := k.supervisor().stopOne(ctx, name); err != nil {
		return fmt.Errorf("stop %q: %w", name, err)
	}
	for {
		if p, err = k.supervised(ctx, name); err != nil || p.stopped() {
			return err
		}
		if !wait.Sleep(ctx, stateEvery) {
			return fmt.Errorf("stop %q: it is %q: %w", name, p.Status, context.Cause(ctx))
		}
	}
}

// supervised returns the supervisor's state of the named component. The error is ErrNotRunning if no supervisor
// answers.
func (k Stack) supervised(ctx context.Context, name string) (supervised, error) {
	states, err := k.supervisor().processes(ctx)
	if err != nil {
		return supervised{}, fmt.Errorf("%w in %s: %w", ErrNotRunning, k.Data, err)
	}
	p, ok := states[name]
	if !ok {
		return supervised{}, fmt.Errorf("%w: no component %q in %s", ErrSettings, name, k.Data)
	}
	return p, nil
}
