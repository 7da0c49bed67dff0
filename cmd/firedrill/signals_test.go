package main

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// built returns the path of the program, built from the current sources.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "firedrill")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

// unanswered returns the URL of a server that takes connections and never answers.
func unanswered(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}

// Every phase of every command that can take long ends soon after SIGINT and SIGTERM. Each case runs until the phase shows by a
// line of its output.
func TestEveryPhaseEndsWhenItIsTold(t *testing.T) {
	program, silent := built(t), unanswered(t)
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer quick.Close()
	never := httptest.NewServer(http.NotFoundHandler())
	defer never.Close()
	load := func(more ...string) []string {
		return append([]string{"load", "--admin", "off", "--rate", "20/s"}, more...)
	}
	for _, phase := range []struct {
		name  string
		args  []string
		shows string // part of a line that shows that the phase has begun
	}{
		{"load reads targets", load("--targets", "-"), "Reading all targets"},
		{"load waits for a URL", load("--wait", never.URL, quick.URL), "Waiting for"},
		{"load runs", load(quick.URL), "ad hoc on"},
		{"load waits for answers", load("--timeout", "1h", silent), "lag p99"},
		{"a lesson runs", []string{"load", "demo-omission", "--duration", "1h"}, "closed loop"},
		{"incidents are replayed", []string{"slo", "sim"}, "rules,"},
		{"policies are searched", []string{"slo", "tune"}, "policies"},
		{"verify asks", []string{
			"verify", "--timeout", "1h", "--gateway", silent, "--prometheus", silent, "--loki", silent, "--tempo", silent, "--alertmanager", silent,
		}, "request 1 of"},
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(phase.name+"/"+signal.String(), func(t *testing.T) { endsBy(t, program, phase.args, phase.shows, signal) })
		}
	}
}

// endsBy starts a command, waits for a line of its output, sends the signal, and waits for its end.
func endsBy(t *testing.T, program string, args []string, shows string, signal syscall.Signal) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(slices.Clone(os.Environ()), "FIREDRILL_DATA="+t.TempDir())
	stdin, err := cmd.StdinPipe() // stays open and silent
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	output, into, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = into, into
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	into.Close()
	seen := make(chan string, 1)
	shown := make(chan struct{})
	go func() {
		var all strings.Builder
		found := false
		for lines := bufio.NewScanner(output); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
			if !found && strings.Contains(lines.Text(), shows) {
				found = true
				close(shown)
			}
		}
		seen <- all.String()
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	kill := func(format string, a ...any) {
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf(format+"; it printed\n%s", append(a, <-seen)...)
	}
	select {
	case <-shown:
	case <-ended:
		t.Fatalf("it ended before it showed %q:\n%s", shows, <-seen)
	case <-time.After(machinetest.Patience(t, 30*time.Second)):
		kill("it never showed %q", shows)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	// Two seconds are promised. The wait is longer on a slow machine, and generous: what hangs waits for an hour.
	select {
	case <-ended:
	case <-time.After(machinetest.Patience(t, 20*time.Second)):
		kill("it still runs after %s", signal)
	}
}
