package session

import (
	"testing"

	"firedrill/chaos/drill"
	"firedrill/internal/machine"
)

func TestFit(t *testing.T) {
	for _, tc := range []struct {
		name string
		load drill.LoadSpec
		rate string
		want string
		c    machine.Capacity
	}{
		{name: "the reference machine", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, c: machine.Capacity{Cores: 2, Speed: 1}, want: "20/s"},
		{name: "a little slower", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, c: machine.Capacity{Cores: 2, Speed: 0.8}, want: "20/s"},
		{name: "six tenths", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, c: machine.Capacity{Cores: 2, Speed: 0.6}, want: "16/s"},
		{name: "a third as fast", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, c: machine.Capacity{Cores: 2, Speed: 0.33}, want: "10/s"},
		{name: "hardly alive", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, c: machine.Capacity{Cores: 1, Speed: 0.01}, want: "10/s"},
		{name: "a rate a minute", load: drill.LoadSpec{Profile: "steady", Rate: "90/m"}, c: machine.Capacity{Cores: 1, Speed: 0.01}, want: "45/m"},
		{name: "nothing is known", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, want: "20/s"},
		{name: "as told", load: drill.LoadSpec{Profile: "steady", Rate: "20/s"}, rate: "5/s", c: machine.Capacity{Cores: 2, Speed: 1}, want: "5/s"},
		{name: "the profile's own stages", load: drill.LoadSpec{Profile: "spike"}, c: machine.Capacity{Cores: 1, Speed: 0.1}, want: ""},
		{name: "no load", rate: "5/s", c: machine.Capacity{Cores: 1, Speed: 0.1}, want: ""},
	} {
		d := &drill.Drill{Name: "d", Load: tc.load}
		if got := fit(d, tc.rate, tc.c); got.Load.Rate != tc.want || d.Load != tc.load {
			t.Errorf("%s: %q, want %q; the drill itself has %+v", tc.name, got.Load.Rate, tc.want, d.Load)
		}
	}
}

func TestCheckRate(t *testing.T) {
	for rate, want := range map[string]bool{"": true, "5/s": true, "0.5/m": true, "0/s": false, "0.0/s": false, "5": false, "-5/s": false, "5/d": false, "x": false} {
		if err := CheckRate(rate); (err == nil) != want {
			t.Errorf("%q: %v, want good: %v", rate, err, want)
		}
	}
}
