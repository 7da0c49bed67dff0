package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/deploy/stack"
	"firedrill/internal/machine/machinetest"
)

// fakeDocker puts a program named docker on the PATH. It records each call and runs the shell script, with the
// subcommand of compose in $1. asked returns the calls, one per line, without the arguments that all calls
// share.
func fakeDocker(t *testing.T, script string) (asked func() string) {
	t.Helper()
	dir := t.TempDir()
	journal := filepath.Join(dir, "journal")
	text := fmt.Sprintf(`#!/bin/sh
[ "$1 $2" = "compose version" ] && exit 0
[ "$1" = version ] && exit 0
shift; [ "$1" = --file ] && shift 2
echo "$COMPOSE_PROJECT_NAME $*" >> %s
%s
`, journal, script)
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(journal)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(text)
	}
}

// started returns a copy with a record. Its only component answers with the status that the returned pointer
// points to.
func started(t *testing.T) (Project, *int) {
	t.Helper()
	p, status := sample(t), http.StatusOK
	p.Offset = 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	release, err := p.Lock(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	record := stack.Record{Runtime: stack.Compose, Components: []stack.Component{{Name: "loki", Ready: server.URL}}}
	if err := p.Keep(record); err != nil {
		t.Fatal(err)
	}
	return p, &status
}

func TestWhatIsMissingOfDocker(t *testing.T) {
	for _, c := range []struct{ name, docker, want string }{
		{"all", "", "STACK=compose needs Docker: "},
		{"the plugin", `[ $1 = compose ] && { echo "docker: unknown command"; exit 1; }`, "needs its compose plugin: docker compose version: exit status 1: docker: unknown command\n"},
		{"the engine", `[ $1 = version ] && { echo "Cannot connect" >&2; exit 1; }`, "needs a running engine: docker version --format {{.Server.Version}}: exit status 1: Cannot connect\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.docker != "" {
				if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+c.docker+"\nexit 0\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir)
			_, err := sample(t).Up(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"make up" without STACK=compose`) {
				t.Errorf("error %v, want %q and a way out", err, c.want)
			}
		})
	}
}

// If nothing listens on the ports of the copy, Up builds, starts, reports what the component printed, and stops
// everything again.
func TestUpThatDoesNotGetReadyStopsWhatItStarted(t *testing.T) {
	asked := fakeDocker(t, `[ "$1" = logs ] && echo "config: bad"; exit 0`)
	var out bytes.Buffer
	p := sample(t)
	p.Out, p.Patience, p.Load = &out, time.Millisecond, false
	for p.Offset = 23100; p.CheckPorts(t.Context(), p.Components()) != nil; p.Offset += 100 {
	}
	_, err := p.Up(t.Context())
	var late *stack.NotReadyError
	if !errors.As(err, &late) || late.Component != "gateway" || late.Tail != "config: bad" {
		t.Errorf("error %v, want that the gateway is late and what it printed", err)
	}
	calls := strings.ReplaceAll(asked(), p.name()+" ", "")
	want := "build\nup --detach --no-build --scale load=0\nlogs --no-log-prefix --tail 15 gateway\ndown --remove-orphans\n"
	if calls != want {
		t.Errorf("docker was asked\n%swant\n%s", calls, want)
	}
	if record, err := p.Record(); record != nil || err != nil {
		t.Errorf("a record %v stays, %v", record, err)
	}
}

func TestUpNamesTakenPorts(t *testing.T) {
	asked := fakeDocker(t, "exit 0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := sample(t)
	p.Offset = l.Addr().(*net.TCPAddr).Port - 3000
	var taken *stack.PortsError
	_, err = p.Up(t.Context())
	ofGrafana := func(port stack.TakenPort) bool { return port.Component == "grafana" }
	if !errors.As(err, &taken) || !slices.ContainsFunc(taken.Taken, ofGrafana) || asked() != "" {
		t.Errorf("error %v after asking docker %q; want that grafana's port is taken, and nothing asked", err, asked())
	}
}

func TestUpOfARunningCopyStartsWhatWasStopped(t *testing.T) {
	asked := fakeDocker(t, `[ "$1" = ps ] && echo loki; exit 0`)
	p, _ := started(t)
	p.Patience = machinetest.Patience(t, 0)
	status, err := p.Up(t.Context())
	if err != nil || !status.Up() {
		t.Errorf("status %+v, %v", status, err)
	}
	if !strings.Contains(asked(), " up --detach --no-build --scale load=0\n") || strings.Contains(asked(), "build\nup") {
		t.Errorf("docker was asked\n%s", asked())
	}
	p.Offset = 7
	if _, err := p.Up(t.Context()); !errors.Is(err, stack.ErrSettings) || !strings.Contains(err.Error(), "port offset 0, not 7") {
		t.Errorf("with another offset: error %v", err)
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		name, docker string
		answer       int
		want         string
	}{
		{"ready", `echo loki`, http.StatusOK, stack.Ready},
		{"running, not ready", `echo loki`, http.StatusServiceUnavailable, stack.NotReady},
		{"no container", `echo grafana`, http.StatusServiceUnavailable, stack.Down},
		{"docker fails, it answers", `exit 1`, http.StatusOK, stack.Ready},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeDocker(t, c.docker)
			p, answer := started(t)
			*answer = c.answer
			status, err := p.Status(t.Context())
			if err != nil || len(status.Components) != 1 || status.Components[0].State != c.want {
				t.Errorf("status %+v, %v; want %q", status, err, c.want)
			}
		})
	}
	if status, err := sample(t).Status(t.Context()); err != nil || status.Started != nil {
		t.Errorf("of what never ran: %+v, %v", status, err)
	}
}

func TestDownAndReset(t *testing.T) {
	asked := fakeDocker(t, `[ "$1" = ps ] && printf 'loki\ntempo\n'; exit 0`)
	p, _ := started(t)
	if n, err := p.Down(t.Context()); n != 2 || err != nil {
		t.Errorf("stopped %d, %v; want 2", n, err)
	}
	if record, _ := p.Record(); record != nil {
		t.Error("the record stays")
	}
	if err := p.Reset(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.Data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data after reset: %v", err)
	}
	want := "ps --services --status running\ndown --remove-orphans\nps --services --status running\ndown --remove-orphans --volumes\n"
	if got := strings.ReplaceAll(asked(), p.name()+" ", ""); got != want {
		t.Errorf("docker was asked\n%swant\n%s", got, want)
	}
}

func TestLogsAndRestart(t *testing.T) {
	asked := fakeDocker(t, `[ "$1" = logs ] && echo printed; exit 0`)
	p, _ := started(t)
	p.Patience = machinetest.Patience(t, 0)
	var out bytes.Buffer
	for _, name := range []string{"loki", "postgres"} {
		if err := p.Logs(t.Context(), name, 5, name == "loki", &out); err != nil {
			t.Error(err)
		}
		if err := p.Restart(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if err := p.Logs(t.Context(), "nobody", 5, false, &out); !errors.Is(err, stack.ErrSettings) || !strings.Contains(err.Error(), "history, postgres, loki") {
		t.Errorf("logs of nobody: %v", err)
	}
	want := "logs --no-log-prefix --tail 5 --follow loki\nrestart loki\nlogs --no-log-prefix --tail 5 postgres\nrestart postgres\n"
	if got := strings.ReplaceAll(asked(), p.name()+" ", ""); got != want || strings.Count(out.String(), "printed") != 2 {
		t.Errorf("docker was asked\n%swant\n%sand printed %q", got, want, out.String())
	}
}

// Ctrl-C ends a followed log without an error.
func TestFollowedLogsEnd(t *testing.T) {
	fakeDocker(t, `echo printed; trap 'exit 130' INT; while :; do sleep 0.05; done`)
	p, _ := started(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := p.Logs(ctx, "loki", 5, true, writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil })); err != nil {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
