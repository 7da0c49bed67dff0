package machinetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"firedrill/internal/machine"
)

// failing records how a test failed.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper()                   {}
func (f *failing) Name() string              { return "TestOfAnother" }
func (f *failing) Fatalf(s string, a ...any) { f.said = fmt.Sprintf(s, a...) }

func TestPatienceIsAMinuteOrMore(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, time.Minute, time.Hour} {
		least := max(d, time.Minute)
		if got := Patience(t, d); got < least || got > least*10 {
			t.Errorf("Patience(%v) = %v, want %v or some times that", d, got, least)
		}
	}
}

// Eventually checks as often as needed.
func TestAwaitLooksUntilItHolds(t *testing.T) {
	looks := 0
	Eventually(t, "the third look", func() bool { looks++; return looks == 3 })
	if looks != 3 {
		t.Errorf("%d looks, want 3", looks)
	}
}

// The messages and the last line distinguish a slow machine from a broken product.
func TestCouldNotKeepUpIsToldApart(t *testing.T) {
	var before, after strings.Builder
	inconclusive.tell(&before)
	defer func(names []string) { inconclusive.names = names }(inconclusive.names)
	f := &failing{TB: t}
	CouldNotKeepUp(f, "rules were evaluated 9 s late")
	inconclusive.tell(&after)
	if want := "this machine could not keep up: rules were evaluated 9 s late"; f.said != want {
		t.Errorf("the test says %q, want %q", f.said, want)
	}
	if want := "1 inconclusive: this machine could not keep up (TestOfAnother)\n"; before.String() != "" || after.String() != want {
		t.Errorf("the last line is %q and then %q, want none and %q", &before, &after, want)
	}
}

func TestASlowMachineIsWaitedForLonger(t *testing.T) {
	defer func(before func() (machine.Capacity, error)) { calibrated = before }(calibrated)
	calibrated = func() (machine.Capacity, error) { return machine.Capacity{Cores: 2, Speed: 0.25}, nil }
	if got := Patience(t, time.Second); got != 4*time.Minute {
		t.Errorf("on a machine a quarter as fast Patience(1s) = %v, want 4 minutes", got)
	}
}
