//go:build e2e

package main_test

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// A second interrupt stops a run at once, even if the target never answers the active requests.
func TestLoadStopsAtOnceWhenInterruptedTwice(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cmd := exec.CommandContext(t.Context(), "../../.bin/firedrill", "load", "--rate", "50/s", "--timeout", "1h", "http://"+silent.Addr().String())
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	waitFor := func(text string) {
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
		t.Fatalf("it never said %q", text)
	}
	waitFor("failed 0") // the first line of the view: the run has started
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	waitFor("stopping when")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case <-exited:
		if code := cmd.ProcessState.ExitCode(); code != 3 {
			t.Errorf("it ended with %v, want the exit code 3", cmd.ProcessState)
		}
	case <-time.After(machinetest.Patience(t, 0)): // its requests wait for an hour
		t.Error("it still runs long after the second interrupt")
	}
}
