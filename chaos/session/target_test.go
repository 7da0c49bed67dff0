package session

import (
	"errors"
	"slices"
	"testing"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// A drill that finds no data because nothing sends requests is refused with that reason.
func TestRefusalForWantOfLoad(t *testing.T) {
	refused := &run.RefusedError{Drill: "d", Reasons: []string{"no data"}}
	other := errors.New("disk full")
	for _, tc := range []struct {
		name    string
		quiet   bool
		profile string
		err     error
		says    bool
	}{
		{"no load at all", true, "", refused, true},
		{"the drill has a load", true, "steady", refused, false},
		{"the copy has a background load", false, "", refused, false},
		{"another error", true, "", other, false},
	} {
		got := (&Target{Quiet: tc.quiet}).explain(&drill.Drill{Load: drill.LoadSpec{Profile: tc.profile}}, tc.err)
		r := (*run.RefusedError)(nil)
		if says := errors.As(got, &r) && slices.Contains(r.Reasons, withoutLoad); says != tc.says {
			t.Errorf("%s: %v, want that it names the load: %v", tc.name, got, tc.says)
		}
	}
}
