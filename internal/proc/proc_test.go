package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"firedrill/internal/machine/machinetest"
)

// child starts a process that sleeps, and returns its identity and its end.
func child(t *testing.T) (Identity, <-chan error) {
	t.Helper()
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait(); close(done) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
	i, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return i, done
}

func TestIdentify(t *testing.T) {
	i, _ := child(t)
	if again, err := Identify(i.PID); err != nil || again != i {
		t.Errorf("%+v, %v at the second look, %+v at the first", again, err, i)
	}
	sleep, err := exec.LookPath("sleep")
	if err == nil {
		sleep, err = filepath.EvalSymlinks(sleep)
	}
	if err != nil {
		t.Fatal(err)
	}
	self, err := Self()
	if err != nil || self.PID != os.Getpid() || self.Born > i.Born {
		t.Errorf("self is %+v, %v, and its child %+v", self, err, i)
	}
	if i.Exe != sleep || i.UID != os.Geteuid() || i.Born <= 0 || !i.Lives() {
		t.Errorf("%+v, want user %d and executable %s", i, os.Geteuid(), sleep)
	}
	for _, pid := range []int{0, -1, 1 << 30} {
		if _, err := Identify(pid); !errors.Is(err, ErrGone) {
			t.Errorf("process %d: %v, want %v", pid, err, ErrGone)
		}
	}
}

// TestSend checks that a signal reaches the process itself, and no other that has its id.
func TestSend(t *testing.T) {
	i, done := child(t)
	for name, other := range map[string]Identity{
		"born later":       {i.PID, i.Born + 1, i.UID, i.Exe},
		"born before":      {i.PID, i.Born - 1, i.UID, i.Exe},
		"another program":  {i.PID, i.Born, i.UID, "/bin/other"},
		"another's":        {i.PID, i.Born, i.UID + 1, i.Exe},
		"no process":       {},
		"of other formats": {PID: i.PID, Born: 1764581234567},
	} {
		if other.Lives() {
			t.Errorf("%s: it lives", name)
		}
		if err := other.Send(syscall.SIGKILL); err == nil {
			t.Errorf("%s: it was signalled", name)
		}
	}
	if !i.Lives() {
		t.Fatal("the process was signalled under a false identity")
	}
	if err := i.Send(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("it ended with %v", err)
	}
	if err := i.Send(syscall.SIGTERM); !errors.Is(err, ErrGone) || i.Lives() {
		t.Errorf("after its end: %v, want %v", err, ErrGone)
	}
}

// TestZombie checks that a process that has ended does not live, though nobody has waited for it.
func TestZombie(t *testing.T) {
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	i, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Send(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	machinetest.Eventually(t, "the killed process lives no longer", func() bool { return !i.Lives() })
	if !Exists(i.PID) {
		t.Error("its id is free before anybody waited for it")
	}
}

// TestReplacedProgram checks that a process is known after its program was built anew.
func TestReplacedProgram(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sleep")
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "3600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	i, err := Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("sleep (pid %d)", cmd.Process.Pid); !i.Lives() || i.String() != want {
		t.Errorf("%v, want %s, is not known after its program was removed", i, want)
	}
}
