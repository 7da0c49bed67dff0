package fault

import (
	"context"
	"errors"
	"testing"

	"firedrill/apps/fault/client"
	"firedrill/apps/internal/web"
)

func TestSwitches(t *testing.T) {
	s := newSet(t, "catalog")
	broken := errors.New("broken")
	checks := s.Checks(map[string]web.Check{
		"good": func(context.Context) error { return nil },
		"bad":  func(context.Context) error { return broken },
	})
	for kind, on := range map[string]func() bool{
		"cache_stampede": s.Stampede,
		"n_plus_one":     s.NPlusOne,
		"unready":        func() bool { return checks["good"](t.Context()) != nil },
	} {
		if on() {
			t.Errorf("%s is on before the fault", kind)
		}
		first := begin(t, s, kind, nil)
		if _, err := s.Begin(t.Context(), "second", Spec{Kind: kind}, client.MaxLease); err != nil {
			t.Fatal(err)
		}
		first()
		if !on() {
			t.Errorf("%s is off while another fault wants it on", kind)
		}
		s.End("second")
		if on() {
			t.Errorf("%s is on after the end", kind)
		}
	}
	if err := checks["bad"](t.Context()); !errors.Is(err, broken) {
		t.Errorf("a check that fails by itself: %v", err)
	}
}
