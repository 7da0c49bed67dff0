package main

import (
	"os"
	"testing"
)

func TestRulesAreCurrent(t *testing.T) {
	want, err := generate(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(want) {
		t.Errorf("%s is not what Sloth makes of %s: run \"go run .\" in alerts/bench", rules, spec)
	}
}
