package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDrillExport(t *testing.T) {
	drill := func(faults string) string {
		file := filepath.Join(t.TempDir(), "sample.yaml")
		text := "title: A sample\nstory: Something is slow.\nload: {profile: none}\nlasts: 30s\nfaults: [" + faults + "]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const (
		down = "{for: 30s, kind: wire_down, target: orders -> database}"
		hang = "{for: 30s, kind: hang, target: bank}"
	)
	for _, tc := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"all of it", []string{"--format", "chaos-mesh", drill(down)}, 0, "deadline: 30s\n      networkChaos:", ""},
		{"in production's time", []string{"--format", "chaos-mesh", "--scale", "1", drill(down)}, 0, "deadline: 30m0s\n", ""},
		{"a part of it", []string{"--format", "chaos-mesh", drill(down + ", " + hang)}, 1, "kind: Workflow", "not in it: hang on bank"},
		{"none of it", []string{"--format", "chaos-mesh", drill(hang)}, 1, "", "can express none of its 1 faults"},
		{"a control run", []string{"--format", "chaos-mesh", drill("")}, 0, "", "there is nothing to export"},
		{"no format", []string{drill(down)}, 2, "", "want --format chaos-mesh"},
		{"no scale", []string{"--format", "chaos-mesh", "--scale", "0", drill(down)}, 2, "", "a scale greater than 0"},
		{"no drill", []string{"--format", "chaos-mesh", "nonesuch"}, 2, "", "nonesuch"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := sloCommand(t, append([]string{"drill", "export"}, tc.args...)...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("exit %d, want %d\n%s\n%s", code, tc.code, stdout, stderr)
			}
		})
	}
}

func TestDrillExportToAFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "sample.yaml")
	text := "title: A sample\nstory: Something is gone.\nload: {profile: none}\nfaults: [{for: 30s, kind: kill, target: orders}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "workflow.yaml")
	if code, stdout, stderr := sloCommand(t, "drill", "export", "--format", "chaos-mesh", "--save", out, file); code != 0 || stdout != "" {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if got, err := os.ReadFile(out); err != nil || !strings.Contains(string(got), "action: container-kill") {
		t.Errorf("%v: %s", err, got)
	}
}
