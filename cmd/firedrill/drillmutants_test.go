package main

import (
	"errors"
	"testing"

	chaosrun "firedrill/chaos/run"
)

func TestMutantsVerdict(t *testing.T) {
	whole := func(v chaosrun.Verdict) chaosrun.Mutant {
		return chaosrun.Mutant{Change: chaosrun.ChangeNone, Verdict: v}
	}
	off := func(v chaosrun.Verdict) chaosrun.Mutant {
		return chaosrun.Mutant{Change: chaosrun.ChangeFaultOff, Verdict: v}
	}
	for _, tc := range []struct {
		name string
		all  []chaosrun.Mutant
		want int
	}{
		{"passes as it is, fails without its fault", []chaosrun.Mutant{whole(chaosrun.Pass), off(chaosrun.Fail)}, 0},
		{"passes without its fault", []chaosrun.Mutant{whole(chaosrun.Pass), off(chaosrun.Pass)}, exitFailed},
		{"fails as it is", []chaosrun.Mutant{whole(chaosrun.Fail), off(chaosrun.Fail)}, exitFailed},
		{"nobody can tell as it is", []chaosrun.Mutant{whole(chaosrun.Inconclusive), off(chaosrun.Fail)}, exitInvalid},
		{"nobody can tell without its fault", []chaosrun.Mutant{whole(chaosrun.Pass), off(chaosrun.Inconclusive)}, exitInvalid},
		{"a miss outweighs what nobody can tell", []chaosrun.Mutant{whole(chaosrun.Inconclusive), off(chaosrun.Pass)}, exitFailed},
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
