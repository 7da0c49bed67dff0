package session_test

import (
	"errors"
	"fmt"
	"testing"

	"firedrill/chaos/run"
	"firedrill/chaos/session"
)

func TestRefusals(t *testing.T) {
	a, b := &run.RefusedError{Drill: "a"}, &run.RefusedError{Drill: "b"}
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"another error", errors.New("no"), 0},
		{"one", a, 1},
		{"one that is wrapped", fmt.Errorf("run: %w", a), 1},
		{"several", errors.Join(a, b), 2},
		{"several among others", errors.Join(a, errors.New("no"), fmt.Errorf("run: %w", b)), 2},
	} {
		if got := session.Refusals(tc.err); len(got) != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, len(got), tc.want)
		}
	}
}
