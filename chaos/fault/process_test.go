package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/machine/machinetest"
	"firedrill/internal/proc"
)

const long = time.Hour // a lease that no test waits for

// processCase is a test case for one fault of a process: the effect on the victim to wait
// for, and what must remain afterwards.
type processCase struct {
	kind   string
	params map[string]any
	shows  func(t *testing.T, s *supervisor)
	gone   func(t *testing.T, s *supervisor)
}

func processCases() []processCase {
	answers := func(t *testing.T, s *supervisor) {
		t.Helper()
		machinetest.Eventually(t, "the victim answers", s.answers)
	}
	return []processCase{
		{"kill", nil, func(t *testing.T, s *supervisor) {
			machinetest.Eventually(t, "the victim is started again", func() bool { return s.started() == 2 && s.answers() })
		}, answers},
		{"restart_loop", map[string]any{"every": "1s"}, func(t *testing.T, s *supervisor) {
			machinetest.Eventually(t, "the victim is started again and again", func() bool { return s.started() >= 3 })
		}, func(t *testing.T, s *supervisor) {
			answers(t, s)
			starts := s.started()
			time.Sleep(1500 * time.Millisecond) // longer than the interval of the loop
			if now := s.started(); now != starts {
				t.Errorf("started %d times after the end", now-starts)
			}
		}},
		{"stop", nil, func(t *testing.T, s *supervisor) {
			if p, _ := s.Process(t.Context(), "victim"); !p.IsZero() {
				t.Errorf("it has process %v, want none", p)
			}
			if err := s.get("/"); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("asked, it gives %v, want a refused connection", err)
			}
		}, answers},
		{"hang", nil, func(t *testing.T, s *supervisor) {
			machinetest.Eventually(t, "the victim's process is stopped", func() bool { return state(t, s) == "T" })
			if err := s.getWithin(time.Second, "/"); !os.IsTimeout(err) {
				t.Errorf("asked, it gives %v, want a time-out", err)
			}
		}, func(t *testing.T, s *supervisor) {
			answers(t, s)
			if s.started() != 1 {
				t.Errorf("it was started %d times, want only once", s.started())
			}
		}},
		{"memory_limit", map[string]any{"headroom": 64 << 20}, func(t *testing.T, s *supervisor) {
			if err := s.get("/take?bytes=1000000"); err != nil || s.started() != 1 {
				t.Errorf("it may not take what it may: %v", err)
			}
			// Go maps its heap in address space that it has reserved, and Linux lets such a mapping pass the limit
			// once.
			for _, what := range []string{"taking more and more ends it", "its successor is limited too"} {
				before := s.started()
				machinetest.Eventually(t, what, func() bool {
					_ = s.get("/take?bytes=300000000")
					return s.started() > before
				})
			}
			machinetest.Eventually(t, "it is started again", s.answers)
		}, func(t *testing.T, s *supervisor) {
			answers(t, s)
			starts := s.started()
			if err := s.get("/take?bytes=300000000"); err != nil || s.started() != starts {
				t.Errorf("it is still limited: %v", err)
			}
		}},
	}
}

// state returns the letter by which Linux shows the state of a process.
func state(t *testing.T, s *supervisor) string {
	t.Helper()
	p, _ := s.Process(t.Context(), "victim")
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return after[:1]
}

func planFor(t *testing.T, c processCase, s *supervisor, lease time.Duration) plan {
	return plan{
		Fault: drill.Fault{Kind: c.kind, Target: "victim", Params: c.params}, Lease: lease,
		Notes: filepath.Join(t.TempDir(), "notes"), Victim: s.url,
	}
}

func noNotes(t *testing.T, dir string) {
	t.Helper()
	machinetest.Eventually(t, "no note is left", func() bool {
		left, err := notes(dir)
		return err == nil && len(left) == 0
	})
}

func TestProcessFaultsShowAndEnd(t *testing.T) {
	for _, c := range processCases() {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s := newSupervisor(t)
			p := planFor(t, c, s, long)
			i, err := p.injector().Begin(t.Context(), p.Fault, p.Lease)
			if err != nil {
				t.Fatal(err)
			}
			c.shows(t, s)
			if err := i.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			for range 2 { // ending twice does no harm
				if err := i.End(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !s.answers() {
				t.Error("the victim does not answer when the fault has ended")
			}
			c.gone(t, s)
			noNotes(t, p.Notes)
		})
	}
}

func TestProcessFaultsEndWithTheirLease(t *testing.T) {
	for _, c := range processCases() {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s := newSupervisor(t)
			p := planFor(t, c, s, time.Second) // nobody renews this lease
			i, err := p.injector().Begin(t.Context(), p.Fault, p.Lease)
			if err != nil {
				t.Fatal(err)
			}
			noNotes(t, p.Notes) // the watchdog has undone it
			c.gone(t, s)
			if err := i.Renew(t.Context()); err == nil || !strings.Contains(err.Error(), "renew "+c.kind+` on "victim"`) {
				t.Errorf("renewing what is over gives %v, want an error", err)
			}
			if err := i.End(t.Context()); err != nil {
				t.Errorf("ending what is over: %v", err)
			}
		})
	}
}

func TestProcessFaultsEndWhenTheRunnerIsKilled(t *testing.T) {
	for _, c := range processCases() {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s := newSupervisor(t)
			p := planFor(t, c, s, long) // the watchdog notices that the runner ends
			runner := startRunner(t, p)
			c.shows(t, s)
			if err := runner.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			noNotes(t, p.Notes)
			c.gone(t, s)
		})
	}
}

func TestProcessFaultsAreHealedThoughRunnerAndWatchdogWereKilled(t *testing.T) {
	for _, c := range processCases() {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s := newSupervisor(t)
			p := planFor(t, c, s, long)
			runner := startRunner(t, p)
			c.shows(t, s)
			left, err := notes(p.Notes)
			if err != nil || len(left) != 1 {
				t.Fatalf("%d notes, %v, want one", len(left), err)
			}
			killNow(t, left[0].Watchdog.PID)
			killNow(t, runner.Process.Pid)
			healed, err := HealProcesses(t.Context(), p.Notes, s)
			if err != nil || fmt.Sprint(healed) != "["+c.kind+" on victim]" {
				t.Errorf("healed %v, %v", healed, err)
			}
			c.gone(t, s)
			noNotes(t, p.Notes)
		})
	}
}

// TestHealProcessesTellsTheWatchdog checks that HealProcesses lets a running watchdog undo
// the fault.
func TestHealProcessesTellsTheWatchdog(t *testing.T) {
	s := newSupervisor(t)
	p := planFor(t, processCase{kind: "hang"}, s, long)
	i, err := p.injector().Begin(t.Context(), p.Fault, p.Lease)
	if err != nil {
		t.Fatal(err)
	}
	left, err := notes(p.Notes)
	if err != nil || len(left) != 1 {
		t.Fatalf("%d notes, %v", len(left), err)
	}
	if _, err := HealProcesses(t.Context(), p.Notes, s); err != nil {
		t.Fatal(err)
	}
	if left[0].Watchdog.Lives() || !s.answers() {
		t.Error("the watchdog lives, or the victim still hangs")
	}
	if err := i.Renew(t.Context()); !errors.Is(err, errWatchdogGone) {
		t.Errorf("renewing then gives %v", err)
	}
	if err := i.End(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEndHealsWhatAKilledWatchdogLeft checks that the runner itself ends a fault if the
// watchdog was killed.
func TestEndHealsWhatAKilledWatchdogLeft(t *testing.T) {
	s := newSupervisor(t)
	p := planFor(t, processCase{kind: "hang"}, s, long)
	i, err := p.injector().Begin(t.Context(), p.Fault, p.Lease)
	if err != nil {
		t.Fatal(err)
	}
	left, err := notes(p.Notes)
	if err != nil || len(left) != 1 {
		t.Fatalf("%d notes, %v", len(left), err)
	}
	killNow(t, left[0].Watchdog.PID)
	if err := i.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !s.answers() {
		t.Error("the victim still hangs")
	}
	noNotes(t, p.Notes)
}

// TestProcessFaultsWithoutAStack checks that without a supervisor no fault can begin, and
// that there is nothing to undo.
func TestProcessFaultsWithoutAStack(t *testing.T) {
	p := plan{
		Fault: drill.Fault{Kind: "stop", Target: "victim"}, Lease: long,
		Notes: filepath.Join(t.TempDir(), "notes"), Victim: "http://" + freeAddr(t),
	}
	_, err := p.injector().Begin(t.Context(), p.Fault, p.Lease)
	if err == nil || !strings.Contains(err.Error(), ErrNoStack.Error()) {
		t.Errorf("error %v, want one that says that nothing supervises", err)
	}
	noNotes(t, p.Notes)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	if err := (note{ID: "x", Kind: "stop", Target: "victim", Watchdog: proc.Identity{PID: dead.Process.Pid, Born: 1}}).write(p.Notes); err != nil {
		t.Fatal(err)
	}
	if _, err := HealProcesses(t.Context(), p.Notes, remote(p.Victim)); err != nil {
		t.Error(err)
	}
	noNotes(t, p.Notes)
}

func killNow(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
