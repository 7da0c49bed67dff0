package session

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

	"github.com/gofrs/flock"

	"firedrill/internal/private"
	"firedrill/internal/proc"
)

// Folder has the folders of a copy for drills.
type Folder struct {
	// Data is the copy's data folder. People identify the copy by it.
	Data string
	// Notes is the folder for information about the current or last drill of the copy.
	Notes string
}

// Undo returns the folder for notes of how to undo faults on processes.
func (f Folder) Undo() string { return filepath.Join(f.Notes, "undo") }

// Results returns the folder for results of drills.
func (f Folder) Results() string { return filepath.Join(f.Data, "drills") }

// Running describes the drill that runs on a copy.
type Running struct {
	proc.Identity           // the process that runs it
	Drill         string    `json:"drill"` // the name that may be shown
	Since         time.Time `json:"since"`
}

// BusyError means that another drill runs on the copy.
type BusyError struct {
	Running
	Data string // data folder of the copy
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("drill %q (process %d) runs on %s; \"firedrill drill stop\" ends it", e.Drill, e.PID, e.Data)
}

func (f Folder) runningPath() string { return filepath.Join(f.Notes, "running") }

func (f Folder) lockFile() *flock.Flock { return flock.New(filepath.Join(f.Notes, "lock")) }

// Lock locks the copy, so that only one drill at a time runs on it, and stores the drill's
// name. The lock ends with the process that holds it. The error is a *BusyError if another
// drill holds it.
func (f Folder) Lock(name string) (release func(), err error) {
	if err := private.Folder(f.Notes); err != nil {
		return nil, fmt.Errorf("lock the copy for drills: %w", err)
	}
	l := f.lockFile()
	switch got, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the copy for drills: %w", err)
	case !got:
		other, _ := f.Running() // without it the message only lacks the name
		return nil, &BusyError{other, f.Data}
	}
	if err := f.begins(name); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return func() {
		_ = os.Remove(f.runningPath())
		_ = l.Unlock()
	}, nil
}

// begins stores that this process runs a drill.
func (f Folder) begins(name string) error {
	if err := private.Folder(f.Notes); err != nil {
		return fmt.Errorf("note which drill runs: %w", err)
	}
	self, err := proc.Self()
	if err != nil {
		return fmt.Errorf("note which drill runs: %w", err)
	}
	text, err := json.Marshal(Running{Identity: self, Drill: name, Since: time.Now()})
	if err == nil {
		err = private.WriteFile(f.runningPath(), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("note which drill runs: %w", err)
	}
	return nil
}

// Running returns the drill that last stored its name; it may have been killed. It returns
// the zero Running if there is none.
func (f Folder) Running() (Running, error) {
	text, err := private.ReadFile(f.runningPath())
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, nil
	}
	var r Running
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read which drill runs: %w", err)
	}
	return r, nil
}

// stopPatience is how long a drill may take to undo everything.
const stopPatience = 2 * time.Minute

// Stop interrupts the running drill and waits until it has undone everything. It returns
// the drill's name; "" if no drill ran.
func (f Folder) Stop(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	if err := private.Check(f.Notes); err != nil {
		return "", fmt.Errorf("look for a drill in %s: %w", f.Data, err)
	}
	if _, err := os.Stat(f.Notes); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	l := f.lockFile()
	got, err := l.TryLock()
	if err != nil {
		return "", fmt.Errorf("look for a drill in %s: %w", f.Data, err)
	}
	if got {
		return "", l.Unlock()
	}
	r, err := f.Running()
	switch {
	case err != nil:
		return "", fmt.Errorf("a drill runs on %s, but does not say which: %w", f.Data, err)
	case r.IsZero():
		return "", fmt.Errorf("a drill runs on %s, but does not say which", f.Data)
	}
	if err := r.Send(syscall.SIGTERM); err != nil && !errors.Is(err, proc.ErrGone) { // one that has ended holds no lock
		return "", fmt.Errorf("stop drill %q: %w", r.Drill, err)
	}
	if got, err = l.TryLockContext(ctx, 50*time.Millisecond); err != nil || !got {
		return "", fmt.Errorf("drill %q (process %d) does not end: %w", r.Drill, r.PID, err)
	}
	return r.Drill, l.Unlock()
}
