//go:build e2e && full

package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// All drills of the repository pass, each on a stack of its own.
func TestEveryDrillPasses(t *testing.T) {
	files, err := filepath.Glob("../../chaos/drills/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("drills %v, %v", files, err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	c, junit := newCopy(t), filepath.Join(t.TempDir(), "junit.xml")
	_, out := c.run("drill", "all", "--junit", junit)
	t.Log(out)
	c.passed(junit, names)
}
