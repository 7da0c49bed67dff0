package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// How long each step of a stop may take at most on the reference machine. A slower one gets more.
const (
	lingerFor = 300 * time.Millisecond
	termFor   = time.Second
	killFor   = 5 * time.Second
	portsFor  = 2 * time.Second
)

// orderlyFor is how long an orderly stop may take. The supervisor gives a component stopSeconds before it kills it, and stops
// the shop before Loki and Tempo and these before Prometheus: three times that when one of each hangs.
func (s Settings) orderlyFor() time.Duration {
	return 3 * time.Duration(s.seconds(stopSeconds)) * time.Second
}

// Down stops every process of the copy: asks the supervisor, then terminates, then kills. It returns how many ran.
func (k Stack) Down(ctx context.Context) (int, error) {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return 0, err
	}
	defer release()
	running, err := members(k.Data)
	if err != nil {
		return 0, err
	}
	return len(running), k.stopAll(ctx)
}

// stopAll leaves no process of the copy, and nothing that says it runs.
func (k Stack) stopAll(ctx context.Context) error {
	left, err := k.stopOrderly(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		if err := k.stopByForce(ctx); err != nil {
			return err
		}
	}
	if st, err := readState(k.Settings); err == nil && st != nil {
		awaitPorts(ctx, st.Components, k.Machine.Patience(portsFor))
	}
	for _, path := range []string{k.statePath(), k.socketPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidy up after the stack: %w", err)
		}
	}
	return nil
}

// stopOrderly lets the supervisor stop everything, and returns what is left: all of it if no supervisor answers.
func (k Stack) stopOrderly(ctx context.Context) ([]*process.Process, error) {
	left, err := members(k.Data)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	boss := k.supervisor()
	if _, err := boss.processes(ctx); err != nil {
		return left, nil
	}
	patience := k.orderlyFor()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// The answer comes when everything has stopped, or is cut off by that; what counts is who is left.
	go func() { _ = boss.stop(ctx) }()
	if left, err = waitUntil(ctx, k.Data, patience, onlySupervisor); err != nil || !onlySupervisor(left) {
		return left, err
	}
	// With nothing left to supervise it sometimes lingers for seconds.
	return waitGone(ctx, k.Data, k.Machine.Patience(lingerFor))
}

// onlySupervisor says whether at most the supervisor is left.
func onlySupervisor(left []*process.Process) bool {
	return !slices.ContainsFunc(left, func(p *process.Process) bool { return !isSupervisor(p) })
}

// stopByForce is for what no supervisor stops: it is hung or gone. A living one is killed first, lest it start again what
// is terminated here.
func (k Stack) stopByForce(ctx context.Context) error {
	left, err := members(k.Data)
	if err != nil {
		return err
	}
	for _, p := range left {
		if isSupervisor(p) {
			_ = p.SendSignal(syscall.SIGKILL)
		}
	}
	signalAll(left, syscall.SIGTERM)
	if left, err = waitGone(ctx, k.Data, k.Machine.Patience(termFor)); err != nil {
		return err
	}
	signalAll(left, syscall.SIGKILL)
	if left, err = waitGone(ctx, k.Data, k.Machine.Patience(killFor)); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("stop the stack: these outlived SIGKILL: %s", strings.Join(names(left), ", "))
	}
	return nil
}

// dataNames is what a copy writes below its data folder; Reset removes these and nothing else, for a data folder named by
// mistake may hold anything.
func dataNames() []string {
	return []string{
		"alertmanager", "config", "drill", "drills", "grafana", "load", "logs", "loki", "machine.json", "notifications.jsonl", "notifications.jsonl.1",
		"prometheus", "rules", "run", "shop", "tempo",
	}
}

// Reset stops the copy and deletes its data. Built programs stay.
func (k Stack) Reset(ctx context.Context) error {
	if _, err := k.Down(ctx); err != nil {
		return err
	}
	for _, name := range dataNames() {
		if err := os.RemoveAll(filepath.Join(k.Data, name)); err != nil {
			return fmt.Errorf("delete data: %w", err)
		}
	}
	_ = os.Remove(k.Data) // only when nothing else is in it
	return nil
}
