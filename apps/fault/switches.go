package fault

import (
	"firedrill/apps/fault/kinds"
)

// Kinds that a part of the service shows while they are on.

// switched makes an effect that is a toggle of the Set.
func switched(which func(s *Set) *toggle) func(kinds.Values) (effect, error) {
	return func(kinds.Values) (effect, error) { return flip(which), nil }
}

type flip func(s *Set) *toggle

func (f flip) begin(s *Set, _ *dice) (func(), error) { return f(s).turnOn(), nil }
