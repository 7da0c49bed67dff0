package main

import (
	"errors"
	"testing"

	"firedrill/chaos"
)

func TestMutantsVerdict(t *testing.T) {
	whole := func(v chaos.Verdict) chaos.Mutant { return chaos.Mutant{Change: changeNone, Verdict: v} }
	off := func(v chaos.Verdict) chaos.Mutant { return chaos.Mutant{Change: chaos.ChangeFaultOff, Verdict: v} }
	for _, tc := range []struct {
		name string
		all  []chaos.Mutant
		want int
	}{
		{"passes as it is, fails without its fault", []chaos.Mutant{whole(chaos.Pass), off(chaos.Fail)}, 0},
		{"passes without its fault", []chaos.Mutant{whole(chaos.Pass), off(chaos.Pass)}, exitFailed},
		{"fails as it is", []chaos.Mutant{whole(chaos.Fail), off(chaos.Fail)}, exitFailed},
		{"nobody can tell as it is", []chaos.Mutant{whole(chaos.Inconclusive), off(chaos.Fail)}, exitInvalid},
		{"nobody can tell without its fault", []chaos.Mutant{whole(chaos.Pass), off(chaos.Inconclusive)}, exitInvalid},
		{"a miss outweighs what nobody can tell", []chaos.Mutant{whole(chaos.Inconclusive), off(chaos.Pass)}, exitFailed},
	} {
		err := mutantsVerdict(tc.all)
		code := 0
		var own coder
		switch {
		case errors.As(err, &own):
			code = own.ExitCode()
		case err != nil:
			code = exitFailed
		}
		if code != tc.want {
			t.Errorf("%s: exit %d (%v), want %d", tc.name, code, err, tc.want)
		}
	}
}
