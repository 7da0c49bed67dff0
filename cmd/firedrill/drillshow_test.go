package main

import (
	"bytes"
	"strings"
	"testing"
)

// For programs a drill is what its file says, in JSON.
func TestDrillAsJSON(t *testing.T) {
	target := drillsAt(t, 1000)
	all, err := target.drills()
	if err != nil {
		t.Fatal(err)
	}
	for args, drills := range map[string]int{"list": len(all), "show": 1} {
		var out, stderr bytes.Buffer
		line := []string{"drill", args, "-json"}
		if args == "show" {
			line = append(line, "control")
		}
		env := func(name string) string { return map[string]string{"FIREDRILL_ROOT": target.Root}[name] }
		if code := run(t.Context(), line, env, &out, &stderr); code != 0 {
			t.Fatalf("%v: exit code %d: %s", line, code, stderr.String())
		}
		if got := strings.Count(out.String(), `"story":`); got < drills || strings.Contains(out.String(), "WarmUp") {
			t.Errorf("%v: %d stories, want %d or more, in the words of the file:\n%s", line, got, drills, out.String())
		}
	}
}
