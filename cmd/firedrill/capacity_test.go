package main

import (
	"strings"
	"testing"
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
		{"as JSON", "capacity plan -o json", 0, `"Program": "prometheus"`, ""},
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
