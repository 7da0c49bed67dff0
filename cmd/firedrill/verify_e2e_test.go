//go:build e2e

package main_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// These checks run on a stack with its background load, in an order in which none disturbs the next. The
// verification holds, the dashboards show data, and the stack's own metrics match the contracts. At last a
// service hangs; then the verification fails and names the service.
func TestRunningStackIsProven(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	c.sub("every cell of the proof holds", func(t *testing.T, c *stackCopy) {
		code, out := c.judge("verify", "--timeout", patience(t, 2*time.Minute))
		if code != 0 || !strings.Contains(out, "All 90 cells hold") {
			t.Errorf("verify: exit %d\n%s", code, out)
		}
	})
	c.sub("dashboards show the stack", dashboardsShow)
	c.sub("the stack's own metrics are as its contracts say", contractsHold)
	c.sub("the proof misses a hung service", missesAHungService)
}

func missesAHungService(t *testing.T, c *stackCopy) {
	t.Helper()
	shipping := c.status()["shipping"].PID
	signal(t, shipping, syscall.SIGSTOP)
	defer signal(t, shipping, syscall.SIGCONT)
	// Long enough to distinguish missing telemetry from late telemetry, also on a slow machine.
	code, out := c.judge("verify", "--timeout", patience(t, time.Minute))
	if code != 1 {
		t.Errorf("verify with shipping hung: exit %d, want 1", code)
	}
	for _, cell := range []string{"services / shipping / traces", "edges / orders → shipping / trace"} {
		if !strings.Contains(out, cell) {
			t.Errorf("verify does not name %q:\n%s", cell, out)
		}
	}
}
