package game

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/private"
)

// ErrNone means that a copy has no game.
var ErrNone = errors.New("there is no mystery")

// Store keeps the game of one copy in a file. Commands in different processes share it: the
// drill records what happens, and players guess.
type Store struct{ Path string }

// Begin stores a new game. It returns the observer of the drill's events. The observer must
// get all events to the end of the drill, even if ctx has ended.
func (s Store) Begin(ctx context.Context, g Game) (func(run.Event), error) {
	if err := s.keep(&g); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	return func(e run.Event) {
		if e.Kind != run.EventFault && e.Kind != run.EventNotification {
			return
		}
		// If this fails, the game lacks a time and the drill goes on.
		_ = s.update(ctx, func(g *Game) { g.Observe(e) })
	}, nil
}

// Load returns the copy's last game; nil if there was none.
func (s Store) Load() (*Game, error) {
	text, err := private.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no game is no error
	}
	g := new(Game)
	if err == nil {
		err = json.Unmarshal(text, g)
	}
	if err != nil {
		return nil, fmt.Errorf("read the mystery: %w", err)
	}
	return g, nil
}

// Play calls do to make a move in the game. It stores the game even if do fails, because
// wrong guesses count. The error is ErrNone if there is no game.
func (s Store) Play(ctx context.Context, drills drill.Library, do func(*Game, *drill.Drill) error) error {
	g, err := s.Load()
	switch {
	case err != nil:
		return err
	case g == nil:
		return ErrNone
	}
	d, err := drills.One(g.Drill)
	if err != nil {
		return err
	}
	var moved error
	kept := s.update(ctx, func(g *Game) { moved = do(g, d) })
	return errors.Join(moved, kept)
}

// Forget removes the game, if there is one.
func (s Store) Forget() error {
	if err := os.Remove(s.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the mystery: %w", err)
	}
	return nil
}

// update changes the game while holding a lock against other processes.
func (s Store) update(ctx context.Context, change func(*Game)) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	l := flock.New(s.Path + ".lock")
	if _, err := l.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("lock the mystery: %w", err)
	}
	defer l.Unlock() //nolint:errcheck // goes with the process anyway
	g, err := s.Load()
	switch {
	case err != nil:
		return err
	case g == nil:
		return ErrNone
	}
	change(g)
	return s.keep(g)
}

// keep replaces the file atomically, so that no reader sees half of it. The folder must
// exist.
func (s Store) keep(g *Game) error {
	text, err := json.Marshal(g)
	if err == nil {
		err = private.WriteFile(s.Path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the mystery: %w", err)
	}
	return nil
}
