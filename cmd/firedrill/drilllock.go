package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"firedrill/chaos/fault"
	"firedrill/deploy/stack"
)

// runningDrill is what a copy knows of the drill that runs on it.
type runningDrill struct {
	PID   int       `json:"pid"`
	Drill string    `json:"drill"` // hidden while it is a mystery
	Since time.Time `json:"since"`
}

func (t drillTarget) runningPath() string { return filepath.Join(t.notes(), "running") }

// lock makes sure that one drill at a time runs on the copy. The lock goes with the
// process that holds it, however that ends.
func (t drillTarget) lock(drill string) (release func(), err error) {
	if err := os.MkdirAll(t.notes(), 0o700); err != nil {
		return nil, fmt.Errorf("lock the copy for drills: %w", err)
	}
	l := flock.New(filepath.Join(t.notes(), "lock"))
	switch got, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the copy for drills: %w", err)
	case !got:
		other, _ := t.running() // without it the message says less
		return nil, fmt.Errorf("%w: drill %q (process %d) runs on %s; \"firedrill drill stop\" ends it", errUsage, other.Drill, other.PID, t.Data)
	}
	text, err := json.Marshal(runningDrill{PID: os.Getpid(), Drill: drill, Since: time.Now()})
	if err == nil {
		err = os.WriteFile(t.runningPath(), text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("note which drill runs: %w", err), l.Unlock())
	}
	return func() {
		_ = os.Remove(t.runningPath())
		_ = l.Unlock()
	}, nil
}

// running is the drill that noted itself last; it may have been killed.
func (t drillTarget) running() (runningDrill, error) {
	text, err := os.ReadFile(t.runningPath())
	if errors.Is(err, fs.ErrNotExist) {
		return runningDrill{}, nil
	}
	var r runningDrill
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read which drill runs: %w", err)
	}
	return r, nil
}

const drillStopUsage = `drill stop [flags]

Ends the drill that runs, which undoes what it did, and then every fault that is left, whoever began it: those that
services show, and those of processes that were killed together with all that watched over them.`

// stopPatience is how long a drill may take to undo everything.
const stopPatience = 2 * time.Minute

func drillStop(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill stop", drillStopUsage)
	which := addStackFlags(fs)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	target := drillTarget{Stack: kit, getenv: p.getenv}
	stopped, err := target.endRunning(ctx)
	if err != nil {
		return err
	}
	if stopped != "" {
		fmt.Fprintf(p.stdout, "Stopped drill %s.\n", stopped)
	}
	healed, err := target.heal(ctx)
	for _, what := range healed {
		fmt.Fprintf(p.stdout, "Ended %s.\n", what)
	}
	if err == nil && stopped == "" && len(healed) == 0 {
		fmt.Fprintf(p.stdout, "Nothing is broken in %s.\n", target.Data)
	}
	return err
}

// endRunning interrupts the drill that runs and waits until it has undone
// everything. It returns the drill's name, "" if none ran.
func (t drillTarget) endRunning(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	if _, err := os.Stat(t.notes()); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	l := flock.New(filepath.Join(t.notes(), "lock"))
	got, err := l.TryLock()
	if err != nil {
		return "", fmt.Errorf("look for a drill in %s: %w", t.Data, err)
	}
	if got {
		return "", l.Unlock()
	}
	drill, err := t.running()
	if err != nil || drill.PID == 0 {
		return "", fmt.Errorf("a drill runs on %s, but does not say which: %w", t.Data, err)
	}
	if err := syscall.Kill(drill.PID, syscall.SIGTERM); err != nil {
		return "", fmt.Errorf("stop drill %q (process %d): %w", drill.Drill, drill.PID, err)
	}
	if got, err = l.TryLockContext(ctx, 50*time.Millisecond); err != nil || !got {
		return "", fmt.Errorf("drill %q (process %d) does not end: %w", drill.Drill, drill.PID, err)
	}
	return drill.Drill, l.Unlock()
}

// heal undoes every fault that is left on the copy, and says what there was.
func (t drillTarget) heal(ctx context.Context) ([]string, error) {
	config := t.faults("")
	processes, err := fault.HealProcesses(ctx, config.Notes, config.Processes)
	token, tokenErr := os.ReadFile(t.RunFile(stack.FaultsToken))
	if errors.Is(tokenErr, fs.ErrNotExist) {
		return processes, err // never up: no service can show any
	}
	services, serviceErr := fault.HealServices(ctx, config.Admins, strings.TrimSpace(string(token)))
	return append(processes, services...), errors.Join(err, tokenErr, serviceErr)
}
