package journey_test

import (
	"strings"
	"testing"

	"firedrill/loadgen/journey"
)

func TestRunID(t *testing.T) {
	for _, c := range []struct {
		text string
		want journey.RunID
		ok   bool
	}{
		{"0000000000000007", 7, true}, {"ffffffffffffffff", 1<<64 - 1, true}, {"00000000deadbeef", 0xdeadbeef, true},
		{"", 0, false}, {"x", 0, false}, {"-1", 0, false}, {"10000000000000000", 0, false},
	} {
		got, err := journey.ParseRunID(c.text)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: %d, %v; want %d, no error: %v", c.text, got, err, c.want, c.ok)
		}
		if err != nil && !strings.Contains(err.Error(), "want 16 hex digits") {
			t.Errorf("%q: error %v", c.text, err)
		}
		if c.ok && got.String() != c.text {
			t.Errorf("%d is written as %s, want %s", got, got, c.text)
		}
	}
	if a, b := journey.NewRunID(), journey.NewRunID(); a == b {
		t.Errorf("two new ids are both %s", a)
	}
}
