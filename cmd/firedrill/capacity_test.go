package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"firedrill/deploy/capacity"
)

func TestCapacityCommands(t *testing.T) {
	for _, tc := range []struct {
		name           string
		args           string
		code           int
		stdout, stderr string
	}{
		{"no command", "capacity", 2, "", "missing argument: COMMAND"},
		{"unknown", "capacity guess", 2, "", `unknown command: "guess"`},
		{"help", "capacity help", 0, "what a request costs", ""},
		{"the tables", "capacity plan", 0, "| loki needs |", ""},
		{"nothing measured", "capacity plan --file nowhere.json", 2, "", "nowhere.json"},
		{"no program", "capacity limit", 2, "", "missing argument: PROGRAM"},
		{"a program without a ramp", "capacity limit grafana", 2, "", "want prometheus, loki or tempo"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := sloCommand(t, strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("exit %d, want %d\n%s\n%s", code, tc.code, stdout, stderr)
			}
		})
	}
}

func TestCapacityPlanAsJSON(t *testing.T) {
	code, stdout, stderr := sloCommand(t, "capacity", "plan", "-o", "json")
	var plans []capacity.Plan
	if err := json.Unmarshal([]byte(stdout), &plans); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if len(plans) != len(capacity.Scenarios()) {
		t.Fatalf("%d plans, want %d", len(plans), len(capacity.Scenarios()))
	}
	for _, plan := range plans {
		if !slices.ContainsFunc(plan.Needs, func(n capacity.Need) bool { return n.Program == "prometheus" && n.Cores > 0 }) {
			t.Errorf("a plan says nothing of prometheus: %+v", plan)
		}
	}
}
