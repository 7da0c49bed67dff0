package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"firedrill/internal/proc"
)

// Longest durations of the steps of a stop on the reference machine. A slower machine gets more time.
const (
	lingerFor = 300 * time.Millisecond
	termFor   = time.Second
	killFor   = 5 * time.Second
	portsFor  = 2 * time.Second
)

// orderlyFor returns how long an orderly stop may take. The supervisor kills a component after stopSeconds. It
// stops the shop first, then Loki and Tempo, then Prometheus. If one of each hangs, this takes three times
// stopSeconds.
func (s Settings) orderlyFor() time.Duration {
	return 3 * time.Duration(s.seconds(stopSeconds)) * time.Second
}

// Down stops every process of the copy: it asks the supervisor, then sends SIGTERM, then SIGKILL. It returns
// how many processes ran.
func (k Stack) Down(ctx context.Context) (int, error) {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return 0, err
	}
	defer release()
	running, err := k.members()
	if err != nil {
		return 0, err
	}
	if len(running.others) > 0 {
		fmt.Fprintf(k.Out, "Left alone, because this copy did not start them, though they have its mark %s: %s\n", marker, names(running.others))
	}
	return len(running.own), k.stopAll(ctx)
}

// stopAll stops every process of the copy and removes the files that say that it runs.
func (k Stack) stopAll(ctx context.Context) error {
	left, err := k.stopOrderly(ctx)
	if err != nil {
		return err
	}
	if len(left.own) > 0 {
		if err := k.stopByForce(ctx); err != nil {
			return err
		}
	}
	if st, err := readState(k.Settings); err == nil && st != nil {
		awaitPorts(ctx, st.Components, k.Machine.Patience(portsFor))
	}
	for _, path := range []string{k.statePath(), k.socketPath(), k.launchedPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidy up after the stack: %w", err)
		}
	}
	if dir := filepath.Dir(k.socketPath()); dir != k.runDir() {
		_ = os.Remove(dir) // it is only for the socket; the next start creates it
	}
	return nil
}

// stopOrderly lets the supervisor stop everything and returns the processes that are left. If no supervisor
// answers, these are all processes.
func (k Stack) stopOrderly(ctx context.Context) (membership, error) {
	left, err := k.members()
	if err != nil || len(left.own) == 0 {
		return left, err
	}
	boss := k.supervisor()
	if _, err := boss.processes(ctx); err != nil {
		return left, nil
	}
	patience := k.orderlyFor()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// The result of the call is not used: it returns when everything has stopped, or fails because the
	// supervisor ended.
	go func() { _ = boss.stop(ctx) }()
	if left, err = k.waitUntil(ctx, patience, onlySupervisor); err != nil || !onlySupervisor(left) {
		return left, err
	}
	// A supervisor without components sometimes takes seconds to end.
	return k.waitGone(ctx, k.Machine.Patience(lingerFor))
}

// onlySupervisor reports whether no process but the supervisor is left.
func onlySupervisor(left membership) bool {
	return !slices.ContainsFunc(left.own, func(p proc.Identity) bool { return p != left.boss })
}

// stopByForce stops processes that no supervisor stops, because it hangs or has ended. A supervisor that still
// runs is killed first; otherwise it would restart what is terminated here.
func (k Stack) stopByForce(ctx context.Context) error {
	left, err := k.members()
	if err != nil {
		return err
	}
	if slices.Contains(left.own, left.boss) {
		_ = left.boss.Send(syscall.SIGKILL) // it may have ended meanwhile
	}
	signalAll(left.own, syscall.SIGTERM)
	if left, err = k.waitGone(ctx, k.Machine.Patience(termFor)); err != nil {
		return err
	}
	signalAll(left.own, syscall.SIGKILL)
	if left, err = k.waitGone(ctx, k.Machine.Patience(killFor)); err != nil {
		return err
	}
	if len(left.own) > 0 {
		return fmt.Errorf("stop the stack: these outlived SIGKILL: %s", names(left.own))
	}
	return nil
}

// dataNames returns the names that a copy creates in its data folder. Reset removes only these, because a
// folder that was named by mistake may contain anything.
func dataNames() []string {
	return []string{
		"alertmanager", "config", "drill", "drills", "grafana", "load", "logs", "loki", "machine.json", "notifications.jsonl", "notifications.jsonl.1",
		"notifications.jsonl.1.unreadable", "notifications.jsonl.unreadable",
		"prometheus", "rules", "run", "shop", "tempo",
	}
}

// Reset stops the copy and deletes its data. Built programs are kept.
func (k Stack) Reset(ctx context.Context) error {
	if _, err := k.Down(ctx); err != nil {
		return err
	}
	for _, name := range dataNames() {
		if err := os.RemoveAll(filepath.Join(k.Data, name)); err != nil {
			return fmt.Errorf("delete data: %w", err)
		}
	}
	_ = os.Remove(k.Data) // succeeds only if the folder is empty
	return nil
}
