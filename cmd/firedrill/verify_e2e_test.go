//go:build e2e

package main_test

import (
	"strings"
	"syscall"
	"testing"
)

// The proof holds on the real stack with its background load, and does not when
// a service hangs: then it names the service.
func TestVerifyProvesTheRealStackAndMissesAHungService(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	if out := c.must("verify", "-timeout", "2m"); !strings.Contains(out, "All 90 cells hold") {
		t.Errorf("verify says:\n%s", out)
	}

	shipping := c.status()["shipping"].PID
	signal(t, shipping, syscall.SIGSTOP)
	code, out := c.run("verify", "-timeout", "20s")
	signal(t, shipping, syscall.SIGCONT)
	if code != 1 {
		t.Errorf("verify with shipping hung: exit %d, want 1", code)
	}
	for _, cell := range []string{"services / shipping / traces", "edges / orders → shipping / trace"} {
		if !strings.Contains(out, cell) {
			t.Errorf("verify does not name %q:\n%s", cell, out)
		}
	}
}
