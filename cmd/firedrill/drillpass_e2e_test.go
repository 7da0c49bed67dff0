//go:build e2e

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	drillreport "firedrill/chaos/report"
	chaosrun "firedrill/chaos/run"
	"firedrill/internal/machine/machinetest"
)

// The control run, a drill that stops a process, and a drill with a fault of a network connection, each on a
// stack of its own. total-outage, which fills the quiet panels of dashboards, covers faults of services. "make
// ci-full" runs all drills.
func TestDrillsPass(t *testing.T) {
	names := []string{"control", "blackout-loki", "partition-orders-payments"}
	c := newCopy(t)
	junit := filepath.Join(t.TempDir(), "junit.xml")
	_, out := c.run(append([]string{"drill", "run", "--fresh", "--junit", junit}, names...)...)
	t.Log(out)
	c.passed(junit, names)
	if out := c.must("drill", "report"); !strings.Contains(out, "PASS  ") {
		t.Errorf("the latest report:\n%s", out)
	}
	if left, _ := filepath.Glob(filepath.Join(c.data, "drills", "*", "stack")); len(left) > 0 {
		t.Errorf("stacks are left: %v", left)
	}
}

// passed checks that the drills have passed, and that each left all of its files.
func (c *stackCopy) passed(junit string, names []string) {
	c.t.Helper()
	text, err := os.ReadFile(junit)
	if err != nil || strings.Count(string(text), "<testsuite ") != len(names) {
		c.t.Errorf("JUnit has not %d drills: %v\n%s", len(names), err, text)
	}
	for _, name := range names {
		c.sub(name, func(t *testing.T, c *stackCopy) {
			pages, _ := filepath.Glob(filepath.Join(c.data, "drills", "*-"+name, "report.html"))
			if len(pages) != 1 {
				t.Errorf("it left %d pages, want one", len(pages))
			}
			c.passes(name)
		})
	}
}

// passes checks that the drill has passed. If it is inconclusive, it is run once more, alone: the machine then
// has no other work.
func (c *stackCopy) passes(name string) {
	c.t.Helper()
	j := c.journal(name)
	if j.Verdict == chaosrun.Inconclusive {
		c.t.Logf("%s is inconclusive, and is run once more: %v", name, j.Reasons)
		_, out := c.run("drill", "run", "--fresh", name)
		c.t.Log(out)
		j = c.journal(name)
	}
	switch {
	case j.Verdict == chaosrun.Pass:
	case j.Verdict == chaosrun.Inconclusive && becauseOfMachine(j):
		machinetest.CouldNotKeepUp(c.t, fmt.Sprintf("drill %s: %s", name, strings.Join(j.Reasons, "; ")))
	default:
		c.t.Errorf("the verdict of %s is %s, want pass: %s", name, j.Verdict, strings.Join(j.Reasons, "; "))
	}
}

// becauseOfMachine reports whether, according to the drill itself, the machine and not the stack prevented a
// verdict.
func becauseOfMachine(j *chaosrun.Journal) bool {
	return j.Advice != ""
}

// journal returns the result of the last run of a drill.
func (c *stackCopy) journal(name string) *chaosrun.Journal {
	c.t.Helper()
	j := c.lastJournal(name)
	if j == nil {
		c.t.Fatalf("drill %s left no journal", name)
	}
	return j
}

// lastJournal returns the result of the last run of a drill. It returns nil if there is none, because the drill
// was refused.
func (c *stackCopy) lastJournal(name string) *chaosrun.Journal {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.data, "drills", "*-"+name, "journal.json"))
	if err != nil {
		c.t.Fatalf("find the journal of %s: %v", name, err)
	}
	if len(files) == 0 {
		return nil
	}
	j, err := drillreport.Read(slices.Max(files)) // folders are named by time
	if err != nil {
		c.t.Fatal(err)
	}
	return j
}
