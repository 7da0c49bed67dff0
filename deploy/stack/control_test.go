package stack

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"firedrill/internal/machine/machinetest"
)

// fakeSupervisor answers as process-compose does for one component.
type fakeSupervisor struct {
	mu     sync.Mutex
	status string
	pid    int // process id of the component
	looks  int // number of queries of its state until a stop is done
	calls  []string
}

func (f *fakeSupervisor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch call := r.Method + " " + r.URL.Path; call {
	case "GET /processes":
		if f.status == "Terminating" {
			if f.looks--; f.looks == 0 {
				f.status = "Completed"
			}
		}
		state := supervised{Name: "loki", Status: f.status, PID: f.pid, IsRunning: f.status == "Running"}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": []supervised{state}})
	case "PATCH /process/stop/loki":
		f.status = "Terminating"
		f.calls = append(f.calls, call)
	case "POST /process/start/loki":
		f.status = "Running"
		f.calls = append(f.calls, call)
	default:
		http.NotFound(w, r)
	}
}

func controlled(t *testing.T, f *fakeSupervisor) Stack {
	t.Helper()
	k := Stack{Settings: Settings{Data: t.TempDir()}, Out: io.Discard, Patience: machinetest.Patience(t, 0)}
	serveSocket(t, k.Settings, f)
	ready := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(ready.Close)
	if err := writeState(k.Settings, Record{Components: []Component{{Name: "loki", Ready: ready.URL}}}); err != nil {
		t.Fatal(err)
	}
	return k
}

// serveSocket serves handler on the socket of a copy's supervisor.
func serveSocket(t *testing.T, s Settings, handler http.Handler) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.socketPath()), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", s.socketPath())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}

func TestControlOfOneComponent(t *testing.T) {
	f := &fakeSupervisor{status: "Running", looks: 3}
	k := controlled(t, f)
	f.pid = 42
	pid := func(want int) {
		t.Helper()
		got, err := k.supervised(t.Context(), "loki")
		if !got.IsRunning {
			got.PID = 0
		}
		if err != nil || got.PID != want {
			t.Errorf("process %d, %v, want %d", got.PID, err, want)
		}
	}
	pid(42)
	for range 2 { // a component that runs is not started, one that is stopped is not stopped
		if err := k.Start(t.Context(), "loki"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := k.Stop(t.Context(), "loki"); err != nil {
			t.Fatal(err)
		}
		pid(0)
	}
	if err := k.Start(t.Context(), "loki"); err != nil {
		t.Fatal(err)
	}
	pid(42)
	if got, want := strings.Join(f.calls, ", "), "PATCH /process/stop/loki, POST /process/start/loki"; got != want {
		t.Errorf("asked the supervisor %q, want %q", got, want)
	}
}

func TestControlOfNothing(t *testing.T) {
	k := controlled(t, &fakeSupervisor{status: "Running"})
	if _, err := k.Process(t.Context(), "nobody"); !errors.Is(err, ErrSettings) {
		t.Errorf("of an unknown component: %v", err)
	}
	gone := Stack{Settings: Settings{Data: t.TempDir()}, Out: io.Discard}
	_, err := gone.Process(t.Context(), "loki")
	for what, err := range map[string]error{"find": err, "start": gone.Start(t.Context(), "loki"), "stop": gone.Stop(t.Context(), "loki")} {
		if !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s without a stack: %v, want %v", what, err, ErrNotRunning)
		}
	}
}
