package main

import (
	"strings"
	"testing"
	"time"

	"firedrill/deploy/stack"
	"firedrill/internal/machine"
)

func TestPrintMachine(t *testing.T) {
	known := &stack.Machine{Capacity: machine.Capacity{Cores: 1, Speed: 0.5, Measured: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)}}
	for _, tc := range []struct {
		name   string
		status stack.Status
		want   string
	}{
		{"nothing is known", stack.Status{LoadRate: 25}, ""},
		{"full load", stack.Status{Machine: known, LoadRate: 25}, "This machine: 1 core, 0.25 times the reference machine (measured 2026-01-02 03:04:05). Background load 25/s.\n"},
		{"lower load", stack.Status{Machine: known, LoadRate: 10}, "This machine: 1 core, 0.25 times the reference machine (measured 2026-01-02 03:04:05). Background load 10/s instead of 25/s.\n"},
		{"no load", stack.Status{Machine: known}, "This machine: 1 core, 0.25 times the reference machine (measured 2026-01-02 03:04:05). No background load.\n"},
	} {
		var out strings.Builder
		printMachine(&out, tc.status)
		if out.String() != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, out.String(), tc.want)
		}
	}
}
