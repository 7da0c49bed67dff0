package fault

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/apps/fault"
	"firedrill/chaos/drill"
	"firedrill/internal/machine/machinetest"
	"firedrill/internal/proc"
)

// The roles of the test's binary. It plays all parts of a drill, each in its own process:
// the victim, the watchdog, and a runner that can be killed.
const (
	roleVar = "FAULT_TEST_ROLE"
	argVar  = "FAULT_TEST_ARG"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVar); role {
	case "":
		os.Exit(m.Run())
	case "victim":
		victimMain(os.Getenv(argVar))
	case "watchdog":
		dir, url, _ := strings.Cut(os.Getenv(argVar), " ")
		if Watchdog(context.Background(), os.Stdin, os.Stdout, dir, remote(url)) != nil {
			os.Exit(1)
		}
	case "runner":
		runnerMain(os.Getenv(argVar))
	default:
		panic(role)
	}
}

// self returns the command that runs this binary in a role.
func self(role, arg string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, argVar+"="+arg, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// victimMain serves until it is killed. "/" answers, and "/take?bytes=" allocates memory.
func victimMain(addr string) {
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }() // ends with the test
	var taken [][]byte
	http.HandleFunc("/take", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
		taken = append(taken, make([]byte, n))
	})
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	panic(http.ListenAndServe(addr, nil))
}

// supervisor keeps one victim running, as process-compose does.
type supervisor struct {
	t    *testing.T
	addr string // address of the victim
	url  string // URL of the supervisor, for other processes

	mu      sync.Mutex
	cmd     *exec.Cmd // nil while no victim runs
	stopped bool
	closed  bool
	starts  int
	over    sync.WaitGroup
}

func newSupervisor(t *testing.T) *supervisor {
	t.Helper()
	s := &supervisor{t: t, addr: freeAddr(t)}
	s.url = serve(t, s.handler())
	s.spawn()
	t.Cleanup(s.close)
	machinetest.Eventually(t, "the victim answers", s.answers)
	return s
}

func (s *supervisor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.pid()) })
	mux.HandleFunc("/start", func(_ http.ResponseWriter, r *http.Request) { _ = s.Start(r.Context(), "victim") })
	mux.HandleFunc("/stop", func(_ http.ResponseWriter, r *http.Request) { _ = s.Stop(r.Context(), "victim") })
	return mux
}

// spawn starts the victim. It restarts the victim whenever it ends, unless it was stopped.
func (s *supervisor) spawn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.cmd != nil {
		return
	}
	cmd := self("victim", s.addr)
	cmd.Stderr = nil // it prints a lot when it is killed
	if _, err := cmd.StdinPipe(); err != nil {
		s.t.Error(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Error(err)
		return
	}
	s.cmd, s.stopped, s.starts = cmd, false, s.starts+1
	s.over.Go(func() {
		_ = cmd.Wait()
		s.mu.Lock()
		s.cmd = nil
		again := !s.stopped
		s.mu.Unlock()
		if again {
			s.spawn()
		}
	})
}

func (s *supervisor) close() {
	s.mu.Lock()
	s.closed = true
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
	}
	s.mu.Unlock()
	s.over.Wait()
}

func (s *supervisor) Process(context.Context, string) (proc.Identity, error) {
	return processOf(s.pid())
}

// pid returns the process id of the victim, 0 while none runs.
func (s *supervisor) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// processOf returns the process with an id, and the zero Identity if there is none.
func processOf(pid int) (proc.Identity, error) {
	p, err := proc.Identify(pid)
	if errors.Is(err, proc.ErrGone) {
		return proc.Identity{}, nil
	}
	return p, err
}

func (s *supervisor) Start(ctx context.Context, _ string) error {
	s.spawn()
	for !s.answers() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

func (s *supervisor) Stop(context.Context, string) error {
	s.mu.Lock()
	s.stopped = true
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
	}
	s.mu.Unlock()
	s.over.Wait()
	return nil
}

func (s *supervisor) answers() bool { return s.get("/") == nil }

// get sends a request to the victim, with a time limit.
func (s *supervisor) get(path string) error {
	s.t.Helper()
	return s.getWithin(machinetest.Patience(s.t, 0), path)
}

func (s *supervisor) getWithin(limit time.Duration, path string) error {
	client := http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.addr + path)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (s *supervisor) started() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

// remote is the supervisor as another process uses it, by its URL.
type remote string

func (r remote) ask(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(r)+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", errors.Join(ErrNoStack, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func (r remote) Process(ctx context.Context, _ string) (proc.Identity, error) {
	text, err := r.ask(ctx, "/pid")
	if err != nil {
		return proc.Identity{}, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return proc.Identity{}, err
	}
	return processOf(pid)
}

func (r remote) Start(ctx context.Context, _ string) error {
	_, err := r.ask(ctx, "/start")
	return err
}

func (r remote) Stop(ctx context.Context, _ string) error {
	_, err := r.ask(ctx, "/stop")
	return err
}

// shortLease is the lease in tests that wait for its end. The runner renews it every third of its length, so it outlasts a
// stall of the machine of two thirds.
const shortLease = 3 * time.Second

// plan tells a runner in its own process what to do.
type plan struct {
	Fault         drill.Fault
	Lease         time.Duration
	Notes, Victim string // for the watchdog: folder, URL of the supervisor
	Admin, Token  string // of the caller
	Upstream      string // address that the caller dials
}

func (p plan) injector() *Injector {
	return New(Config{
		Admins: map[string]string{"orders": p.Admin}, Token: p.Token,
		Wires:      map[string]map[string]string{"orders": {"payments": p.Upstream}},
		Components: []string{"victim"}, Processes: remote(p.Victim), Notes: p.Notes,
		Watchdog: func(context.Context) *exec.Cmd { return self("watchdog", p.Notes+" "+p.Victim) },
	})
}

// runnerMain begins the fault, reports that, and renews the fault until it is killed.
func runnerMain(arg string) {
	var p plan
	if err := json.Unmarshal([]byte(arg), &p); err != nil {
		panic(err)
	}
	i, err := p.injector().Begin(context.Background(), p.Fault, p.Lease)
	fmt.Fprintln(os.Stdout, "begun", err)
	for err == nil {
		time.Sleep(p.Lease / 3)
		err = i.Renew(context.Background())
	}
	fmt.Fprintln(os.Stderr, "runner:", err)
}

// startRunner starts a runner and returns when its fault is on.
func startRunner(t *testing.T, p plan) *exec.Cmd {
	t.Helper()
	arg, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := self("runner", string(arg))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "begun <nil>\n" {
		t.Fatalf("the runner says %q, %v", line, err)
	}
	return cmd
}

// caller is a service whose requests go through a dialer that faults can reroute.
type caller struct {
	set   *fault.Set
	admin string
	http  *http.Client
}

const token = "secret"

func newCaller(t *testing.T) *caller {
	t.Helper()
	dialer := fault.NewDialer()
	set, err := fault.New(fault.Config{Service: "orders", Token: token, Dialer: dialer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.EndAll)
	mux := http.NewServeMux()
	for pattern, handler := range set.Admin() {
		mux.Handle(pattern, handler)
	}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{set: set, admin: serve(t, mux), http: &http.Client{Transport: transport, Timeout: machinetest.Patience(t, 0)}}
}

// serve serves h and returns the URL.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
