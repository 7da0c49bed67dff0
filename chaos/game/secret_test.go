package game_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	"firedrill/chaos/game"
)

func TestReplies(t *testing.T) {
	for want, reply := range map[string]game.Reply{
		"Right!": {Service: true, Fault: true}, "The service is right. The fault is not.": {Service: true},
		"The fault is right. It is elsewhere.": {Fault: true}, "Neither.": {},
	} {
		if got := reply.String(); got != want {
			t.Errorf("%+v says %q, want %q", reply, got, want)
		}
	}
}

func TestCheckFault(t *testing.T) {
	for name, want := range map[string]bool{"slow_query": true, "Slow Query": true, "slow-query": true, "slow": false, "": false} {
		if err := game.CheckFault(name, kinds.All()); (err == nil) != want {
			t.Errorf("%q: %v, want known: %v", name, err, want)
		}
	}
}

func TestConceal(t *testing.T) {
	err := game.Conceal(&drill.Drill{Name: "bank-down"}, errors.New(`drill "bank-down" refused: an alert fires`))
	if err.Error() != `drill "mystery" refused: an alert fires` {
		t.Errorf("it says %v", err)
	}
	if d := game.Display(); !d.Secret || d.Name != game.Name {
		t.Errorf("shown as %+v", d)
	}
}

// TestStoreWithoutAGame checks that there is no move without a game, and that removing it twice
// does no harm.
func TestStoreWithoutAGame(t *testing.T) {
	s := game.Store{Path: filepath.Join(t.TempDir(), "game.json")}
	moved := false
	err := s.Play(t.Context(), drill.Library{}, func(*game.Game, *drill.Drill) error { moved = true; return nil })
	if !errors.Is(err, game.ErrNone) || moved {
		t.Errorf("a move without a game: %v", err)
	}
	if g, err := s.Load(); g != nil || err != nil {
		t.Errorf("a game: %v, %v", g, err)
	}
	if err := errors.Join(s.Forget(), s.Forget()); err != nil {
		t.Error(err)
	}
	if _, err := (game.Store{Path: filepath.Join(t.TempDir(), "none", "game.json")}).Begin(t.Context(), game.Game{}); err == nil || !strings.Contains(err.Error(), "keep the mystery") {
		t.Errorf("a game in a folder that is missing: %v", err)
	}
}
