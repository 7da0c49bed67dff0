package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"firedrill/internal/private"
)

// Record describes a started copy. It is stored in the data folder, so that later commands know the copy
// whatever their own settings are.
type Record struct {
	Runtime    string      `json:"runtime,omitempty"` // Native or Compose
	Offset     int         `json:"offset"`
	Components []Component `json:"components"`
	Started    time.Time   `json:"started"`
	LoadRate   float64     `json:"load_rate,omitempty"` // of the background load, in arrivals per second; 0 without one
}

// readState returns the record of the copy, or nil if it has none.
func readState(s Settings) (*Record, error) {
	text, err := private.ReadFile(s.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state of the stack: %w", err)
	}
	var st Record
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, fmt.Errorf("%w %s: %w; \"firedrill down\" stops what runs and moves the file aside", ErrRecord, s.statePath(), err)
	}
	return &st, nil
}

// ErrRecord means that the record of a copy cannot be decoded.
var ErrRecord = errors.New("cannot read the state of the stack in")

// keepAside moves a record that cannot be decoded aside, and says so. The copy is then as one without a record.
func keepAside(s Settings, out io.Writer) error {
	_, err := readState(s)
	if !errors.Is(err, ErrRecord) {
		return nil // any other error is found where the record is needed
	}
	to, asideErr := private.Aside(s.statePath())
	if asideErr != nil {
		return errors.Join(err, asideErr)
	}
	fmt.Fprintf(out, "The state of the stack in %s cannot be read. It is now %s.\n", s.statePath(), to)
	return nil
}

func writeState(s Settings, st Record) error {
	text, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return fmt.Errorf("write state of the stack: %w", err)
	}
	if err := private.WriteFile(s.statePath(), text, 0o600); err != nil {
		return fmt.Errorf("write state of the stack: %w", err)
	}
	return nil
}

// lock ensures that only one command at a time changes the copy. If another command holds the lock, it writes
// so to out and waits. The system releases the lock when the process ends, also when it is killed.
func lock(ctx context.Context, s Settings, out io.Writer) (release func(), err error) {
	if err := s.ownFolders(); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.runDir(), "lock"))
	got, err := l.TryLock()
	if err == nil && !got {
		fmt.Fprintf(out, "Another firedrill command works on %s; waiting for it.\n", s.Data)
		_, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock data folder %s: %w", s.Data, err)
	}
	if err := keepAside(s, out); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return func() { _ = l.Unlock() }, nil
}
