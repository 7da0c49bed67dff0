package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// shownDrill is a drill as JSON. The keys are those of its file.
type shownDrill struct {
	Name  string `json:"name"`
	Drill struct {
		Title string         `json:"title"`
		Story string         `json:"story"`
		Load  map[string]any `json:"load"`
	} `json:"drill"`
}

// The JSON of a drill has the content of its file.
func TestDrillAsJSON(t *testing.T) {
	target := drillsAt(t, 1000)
	all, err := target.drills()
	if err != nil {
		t.Fatal(err)
	}
	asJSON := func(into any, args ...string) {
		t.Helper()
		var out, stderr bytes.Buffer
		env := func(name string) string { return map[string]string{"FIREDRILL_ROOT": target.Root}[name] }
		if code := run(t.Context(), append(args, "--output", "json"), env, &out, &stderr); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr.String())
		}
		if err := json.Unmarshal(out.Bytes(), into); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out.String())
		}
	}
	matches := func(shown shownDrill, name, title, story string) {
		t.Helper()
		if shown.Name != name || shown.Drill.Title != title ||
			strings.TrimSpace(shown.Drill.Story) != strings.TrimSpace(story) || shown.Drill.Load["profile"] == nil {
			t.Errorf("shown %+v, want %s: %s", shown, name, title)
		}
	}
	var listed []shownDrill
	asJSON(&listed, "drill", "list")
	if len(listed) != len(all) {
		t.Fatalf("%d drills are listed, want %d", len(listed), len(all))
	}
	for i, d := range all {
		matches(listed[i], d.Name, d.Title, d.Story)
		var shown shownDrill
		asJSON(&shown, "drill", "show", d.Name)
		matches(shown, d.Name, d.Title, d.Story)
	}
}
