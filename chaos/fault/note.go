package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"firedrill/chaos/drill"
	"firedrill/internal/wait"
)

// note says how to undo a fault on a process. It is on disk from before the fault begins
// until it is undone, so that the fault can be undone even if its watchdog was killed.
type note struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`
	Target   string         `json:"target"`
	Params   map[string]any `json:"params,omitempty"`
	Watchdog identity       `json:"watchdog"`        // undoes the fault, unless it is killed
	Held     identity       `json:"held,omitzero"`   // the process that hangs or is limited
	Limit    *uint64        `json:"limit,omitempty"` // limit of the process before the fault, in bytes
}

func (n note) fault() drill.Fault {
	return drill.Fault{Kind: n.Kind, Target: n.Target, Params: n.Params}
}

func (n note) path(dir string) string { return filepath.Join(dir, n.ID+".json") }

func (n note) write(dir string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("note how to undo %s: %w", n.Kind, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("note how to undo %s: %w", n.Kind, err)
	}
	if err := renameio.WriteFile(n.path(dir), text, 0o600); err != nil {
		return fmt.Errorf("note how to undo %s: %w", n.Kind, err)
	}
	return nil
}

func (n note) remove(dir string) error {
	if err := os.Remove(n.path(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the undone %s: %w", n.Kind, err)
	}
	return nil
}

// notes reads the notes of all faults that are not undone.
func notes(dir string) ([]note, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for faults in %s: %w", dir, err)
	}
	var all []note
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // undone in the meantime
		}
		var n note
		if err == nil {
			err = json.Unmarshal(text, &n)
		}
		if err != nil {
			return nil, fmt.Errorf("read how to undo a fault in %s: %w", path, err)
		}
		all = append(all, n)
	}
	return all, nil
}

// watchdogGrace is how long a watchdog may take to undo its fault after it is asked to end.
const watchdogGrace = 70 * time.Second

// HealProcesses undoes every fault on a process that has a note in dir, whoever began it.
// It returns each as "kind on component". It asks a watchdog that still runs to undo its
// fault, and undoes the fault itself if the watchdog was killed.
func HealProcesses(ctx context.Context, dir string, p Processes) (healed []string, err error) {
	all, err := notes(dir)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, n := range all {
		if err := healNote(ctx, dir, n, p); err != nil {
			errs = append(errs, fmt.Errorf("undo %s on %q: %w", n.Kind, n.Target, err))
			continue
		}
		healed = append(healed, n.Kind+" on "+n.Target)
	}
	return healed, errors.Join(errs...)
}

func healNote(ctx context.Context, dir string, n note, p Processes) error {
	if n.Watchdog.lives() && syscall.Kill(n.Watchdog.PID, syscall.SIGTERM) == nil {
		awaitEnd(ctx, n.Watchdog, watchdogGrace)
	}
	if _, err := os.Stat(n.path(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil // its watchdog undid it
	}
	f, err := newProcessFault(n.fault())
	if err != nil {
		return err
	}
	v := victim{Processes: p, note: n, keep: func(note) error { return nil }}
	if err := v.heal(ctx, f); err != nil {
		return err
	}
	return n.remove(dir)
}

// awaitEnd waits until the process has ended, at most for patience.
func awaitEnd(ctx context.Context, i identity, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = wait.Until(ctx, 20*time.Millisecond, func() (bool, error) { return !i.lives(), nil }) // the caller checks the result
}
