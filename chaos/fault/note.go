package fault

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

	"firedrill/chaos/drill"
	"firedrill/internal/private"
	"firedrill/internal/proc"
	"firedrill/internal/wait"
)

// note says how to undo a fault on a process. It is on disk from before the fault begins
// until it is undone, so that the fault can be undone even if its watchdog was killed.
type note struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`
	Target   string         `json:"target"`
	Params   map[string]any `json:"params,omitempty"`
	Watchdog proc.Identity  `json:"watchdog"`        // undoes the fault, unless it is killed
	Held     proc.Identity  `json:"held,omitzero"`   // the process that hangs or is limited
	Limit    *uint64        `json:"limit,omitempty"` // limit of the process before the fault, in bytes
}

func (n note) fault() drill.Fault {
	return drill.Fault{Kind: n.Kind, Target: n.Target, Params: n.Params}
}

func (n note) path(dir string) string { return filepath.Join(dir, n.ID+noteSuffix) }

func (n note) write(dir string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("note how to undo %s: %w", n.Kind, err)
	}
	if err := private.Folder(dir); err != nil {
		return fmt.Errorf("note how to undo %s: %w", n.Kind, err)
	}
	if err := private.WriteFile(n.path(dir), text, 0o600); err != nil {
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

// noteSuffix ends the names of notes.
const noteSuffix = ".json"

// notes reads the notes of all faults that are not undone. It keeps notes that cannot be
// read aside, so that they block nothing, and returns an error that names them with the
// other notes.
func notes(dir string) ([]note, error) {
	if err := private.Check(dir); err != nil {
		return nil, fmt.Errorf("look for faults: %w", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for faults: %w", err)
	}
	var all []note
	var bad []error
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") || !strings.HasSuffix(file.Name(), noteSuffix) {
			continue // such as a note that was never finished: its fault was not begun
		}
		path := filepath.Join(dir, file.Name())
		n, err := readNote(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // undone in the meantime
		case err != nil:
			bad = append(bad, keepAside(path, err))
		default:
			all = append(all, n)
		}
	}
	return all, errors.Join(bad...)
}

func readNote(path string) (note, error) {
	text, err := private.ReadFile(path)
	if err != nil {
		return note{}, err
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		return note{}, err
	}
	if n.ID+noteSuffix != filepath.Base(path) {
		return note{}, fmt.Errorf("it is about the fault %q", n.ID)
	}
	if _, err := newProcessFault(n.fault()); err != nil {
		return note{}, err
	}
	return n, nil
}

// keepAside renames a note that cannot be read because of cause, and returns an error that
// says what to do.
func keepAside(path string, cause error) error {
	err := fmt.Errorf("cannot read how to undo a fault: %q: %w", path, cause)
	to, asideErr := private.Aside(path)
	if asideErr != nil {
		return errors.Join(err, asideErr)
	}
	return fmt.Errorf("%w; it is now %q; restart the component that the fault was on (firedrill restart COMPONENT)", err, to)
}

// watchdogGrace is how long a watchdog may take to undo its fault after it is asked to end.
const watchdogGrace = 70 * time.Second

// HealProcesses undoes every fault on a process that has a note in dir, whoever began it.
// It returns each as "kind on component". It asks a watchdog that still runs to undo its
// fault, and undoes the fault itself if the watchdog was killed. A note that cannot be read
// is kept aside and part of the error.
func HealProcesses(ctx context.Context, dir string, p Processes) (healed []string, err error) {
	all, err := notes(dir)
	errs := []error{err} // what can be read is undone nevertheless
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
	if n.Watchdog.Send(syscall.SIGTERM) == nil {
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
func awaitEnd(ctx context.Context, i proc.Identity, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = wait.Until(ctx, 20*time.Millisecond, func() (bool, error) { return !i.Lives(), nil }) // the caller checks the result
}
