package dashboards_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"firedrill/dashboards"
)

var update = flag.Bool("update", false, "write the generated dashboards")

// The committed JSON equals the generated JSON, and there are no other files.
func TestGeneratedDashboardsAreCurrent(t *testing.T) {
	want, err := dashboards.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		file := filepath.Join("generated", name)
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != string(text) {
			t.Errorf("%s is not current (%v): run make dashboards", file, err)
		}
	}
	files, err := filepath.Glob("generated/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if want[filepath.Base(file)] == nil {
			t.Errorf("%s is of no dashboard: remove it", file)
		}
	}
}
