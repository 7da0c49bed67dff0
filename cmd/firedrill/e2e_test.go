//go:build e2e

// These tests run the built firedrill and the real stack. "make test-stack" builds both first.

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"firedrill/deploy/stack"
)

// stackCopy is one copy of the stack, with data and ports of its own.
type stackCopy struct {
	t      *testing.T
	data   string
	offset int
	env    []string
}

func newCopy(t *testing.T) *stackCopy {
	t.Helper()
	c := &stackCopy{t: t, data: filepath.Join(t.TempDir(), "data"), offset: freeOffset(t)}
	t.Cleanup(func() {
		if t.Failed() {
			_, out := c.run("status")
			t.Log("state at the end:\n" + out)
		}
		c.run("down")
		if left := c.members(); len(left) > 0 {
			t.Errorf("left running after down: %v", left)
		}
	})
	return c
}

// freeOffset finds an offset at which every port of the stack is free, below the range that outgoing connections use.
func freeOffset(t *testing.T) int {
	t.Helper()
	for range 100 {
		offset := 11000 + rand.IntN(12000)
		if !slices.ContainsFunc(bases(), func(base int) bool { return !portFree(base + offset) }) {
			return offset
		}
	}
	t.Fatal("no offset with free ports found")
	return 0
}

// bases are the ports of the stack without an offset.
func bases() []int {
	return []int{
		3000, 3100, 3200, 4222, 4317, 4318, 8000, 8001, 8002, 8003, 8004, 8005,
		8100, 8101, 8102, 8103, 8104, 8105, 8106, 9090, 9093, 9094, 9096, 9097,
	}
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func (c *stackCopy) command(args ...string) *exec.Cmd {
	cmd := exec.Command("../../.bin/firedrill", args...)
	cmd.Env = append(os.Environ(), "FIREDRILL_DATA="+c.data, fmt.Sprintf("FIREDRILL_PORT_OFFSET=%d", c.offset))
	cmd.Env = append(cmd.Env, c.env...)
	return cmd
}

// run runs firedrill and returns its exit code and all that it printed.
func (c *stackCopy) run(args ...string) (int, string) {
	c.t.Helper()
	out, err := c.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("firedrill %v: %v", args, err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

func (c *stackCopy) must(args ...string) string {
	c.t.Helper()
	code, out := c.run(args...)
	if code != 0 {
		c.t.Fatalf("firedrill %v: exit %d\n%s", args, code, out)
	}
	return out
}

func (c *stackCopy) status() map[string]stack.ComponentStatus {
	c.t.Helper()
	out, err := c.command("status", "-json").Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("firedrill status: %v", err)
	}
	var s stack.Status
	if err := json.Unmarshal(out, &s); err != nil {
		c.t.Fatalf("status is no JSON: %v\n%s", err, out)
	}
	byName := map[string]stack.ComponentStatus{}
	for _, one := range s.Components {
		byName[one.Name] = one
	}
	return byName
}

// members are the processes of the copy, found without any help of firedrill.
func (c *stackCopy) members() []string {
	c.t.Helper()
	all, err := process.Processes()
	if err != nil {
		c.t.Fatal(err)
	}
	var found []string
	for _, p := range all {
		if env, err := p.Environ(); err == nil && slices.Contains(env, "FIREDRILL_STACK_MEMBER="+c.data) {
			name, _ := p.Name()
			found = append(found, fmt.Sprintf("%s(%d)", name, p.Pid))
		}
	}
	return found
}

// gone fails the test unless nothing of the copy is left; held are ports that the test itself holds.
func (c *stackCopy) gone(held ...int) {
	c.t.Helper()
	if left := c.members(); len(left) > 0 {
		c.t.Fatalf("still running: %v", left)
	}
	for _, base := range bases() {
		if !slices.Contains(held, base) && !portFree(base+c.offset) {
			c.t.Fatalf("port %d is still held", base+c.offset)
		}
	}
}

func (c *stackCopy) supervisor() int {
	c.t.Helper()
	all, err := process.Processes()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range all {
		name, _ := p.Name()
		if env, err := p.Environ(); err == nil && name == "process-compose" && slices.Contains(env, "FIREDRILL_STACK_MEMBER="+c.data) {
			return int(p.Pid)
		}
	}
	c.t.Fatal("no supervisor runs")
	return 0
}

func (c *stackCopy) url(base int, path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", base+c.offset, path)
}

func (c *stackCopy) get(base int, path string) string {
	resp, err := http.Get(c.url(base, path))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

func (c *stackCopy) post(base int, path, body string) {
	c.t.Helper()
	resp, err := http.Post(c.url(base, path), "application/json", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		c.t.Fatalf("POST %s: %s: %s", path, resp.Status, answer)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("signal %d: %v", pid, err)
	}
}

func TestLifeOfAStack(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	first := c.status()
	if len(first) < 12 {
		t.Fatalf("%d components, want 12: %v", len(first), first)
	}
	for name, s := range first {
		if s.State != stack.Ready || s.PID == 0 || s.Restarts != 0 {
			t.Errorf("%s: state %q, pid %d, %d restarts", name, s.State, s.PID, s.Restarts)
		}
	}
	if out := c.must("up"); !strings.Contains(out, "Already up") {
		t.Errorf("a second up says:\n%s", out)
	}
	if again := c.status(); again["orders"].PID != first["orders"].PID {
		t.Error("a second up started orders anew")
	}
	if got := c.get(8000, "/products"); !strings.Contains(got, "p-001") {
		t.Errorf("products: %.200s", got)
	}

	c.must("restart", "bank")
	if s := c.status()["bank"]; s.State != stack.Ready || s.PID == first["bank"].PID {
		t.Errorf("after a restart bank is %q with pid %d, was %d", s.State, s.PID, first["bank"].PID)
	}
	signal(t, first["orders"].PID, syscall.SIGKILL)
	eventually(t, "orders starts again after SIGKILL", func() bool {
		s := c.status()["orders"]
		return s.State == stack.Ready && s.Restarts == 1 && s.PID != first["orders"].PID
	})
	if out := c.must("logs", "-n", "5", "orders"); !strings.Contains(out, `"service":"orders"`) {
		t.Errorf("logs of orders:\n%s", out)
	}
	c.must("down")
	c.gone()
	if code, out := c.run("status"); code != 1 || !strings.Contains(out, "Nothing runs") {
		t.Errorf("status after down: exit %d, %s", code, out)
	}
	if out := c.must("down"); !strings.Contains(out, "Nothing ran") {
		t.Errorf("a second down says %q", out)
	}
	c.must("reset")
	if _, err := os.Stat(c.data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data folder after reset: %v", err)
	}
}

// What was told before a down is still known after the next up.
func TestTelemetryOutlivesDown(t *testing.T) {
	c := newCopy(t)
	c.must("up", "-no-shop")
	const trace = "5b8efff798038103d269b633813fc60c"
	now := time.Now().UnixNano()
	c.post(4318, "/v1/traces", fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"probe"}}]},
		"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"eee19b7ec3c1b174","name":"kept","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
		trace, now, now+1e6))
	c.post(3100, "/loki/api/v1/push", fmt.Sprintf(`{"streams":[{"stream":{"service_name":"probe"},"values":[["%d","kept",{"trace_id":%q}]]}]}`, now, trace))
	c.post(9093, "/api/v2/alerts", `[{"labels":{"alertname":"Kept"},"annotations":{"summary":"kept"}}]`)

	kept := func() {
		t.Helper()
		eventually(t, "the trace is found", func() bool { return strings.Contains(c.get(3200, "/api/traces/"+trace), `"kept"`) })
		eventually(t, "the log line is found by its trace id", func() bool {
			return strings.Contains(c.get(3100, `/loki/api/v1/query_range?query=%7Bservice_name%3D%22probe%22%7D+%7C+trace_id%3D%22`+trace+`%22`), `"kept"`)
		})
		eventually(t, "the notification is found", func() bool { return strings.Contains(c.get(9094, "/notifications"), `"alertname":"Kept"`) })
		eventually(t, "Prometheus has samples", func() bool {
			return strings.Contains(c.get(9090, "/api/v1/query?query=count_over_time(up%7Bjob%3D%22loki%22%7D%5B1h%5D)"), `"value"`)
		})
	}
	kept()
	c.must("down")
	c.gone()
	c.must("up", "-no-shop")
	kept()
}

func TestDownLeavesNothingOfAHungStack(t *testing.T) {
	c := newCopy(t)
	stop := func(names ...string) {
		running := c.status()
		for _, name := range names {
			signal(t, running[name].PID, syscall.SIGSTOP)
		}
	}
	for _, tc := range []struct {
		name    string
		breakIt func()
	}{
		{"a service and a program of the stack hang", func() { stop("payments", "prometheus") }},
		{"the supervisor hangs", func() { signal(t, c.supervisor(), syscall.SIGSTOP) }},
		{"everything hangs", func() { stop("payments", "loki", "broker"); signal(t, c.supervisor(), syscall.SIGSTOP) }},
		{"the supervisor was killed", func() { signal(t, c.supervisor(), syscall.SIGKILL) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.must("up")
			tc.breakIt()
			c.must("down")
			c.gone()
		})
	}
}

func TestUpTidiesUpAfterAKilledSupervisor(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	old := c.status()["gateway"].PID
	signal(t, c.supervisor(), syscall.SIGKILL)
	out := c.must("up")
	if !strings.Contains(out, "Stopping what an earlier run left") {
		t.Errorf("up says:\n%s", out)
	}
	if s := c.status()["gateway"]; s.State != stack.Ready || s.PID == old {
		t.Errorf("gateway is %q with pid %d, was %d", s.State, s.PID, old)
	}
}

func TestUpNamesTakenPorts(t *testing.T) {
	c := newCopy(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 3100+c.offset))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, out := c.run("up")
	want := fmt.Sprintf("%d, which loki needs, by %s (pid %d)", 3100+c.offset, filepath.Base(os.Args[0]), os.Getpid())
	if code != 1 || !strings.Contains(out, want) || !strings.Contains(out, "PORT_OFFSET=") {
		t.Errorf("exit %d, want 1 and %q in:\n%s", code, want, out)
	}
	c.gone(3100)
}

func TestUpShowsTheLogOfWhatDoesNotStart(t *testing.T) {
	c := newCopy(t)
	c.env = []string{"SHOP_BANK_LATENCY=soon"} // which the shop refuses
	code, out := c.run("up")
	if code != 1 || !strings.Contains(out, "did not become ready: it ended 5 times") || !strings.Contains(out, `SHOP_BANK_LATENCY="soon"`) {
		t.Errorf("exit %d, want 1 and the shop's complaint in:\n%s", code, out)
	}
	c.gone()
}

func TestInterruptedUpStopsWhatItStarted(t *testing.T) {
	c := newCopy(t)
	c.env = []string{"SHOP_BANK_LATENCY=soon"} // the shop never gets ready, so up is still waiting
	cmd := c.command("up")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stack starts", func() bool { return len(c.members()) > 5 })
	signal(t, cmd.Process.Pid, syscall.SIGINT)
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("ended with %v:\n%s", err, out.String())
	}
	c.gone()
}

func TestTwoCopiesSideBySide(t *testing.T) {
	one, two := newCopy(t), newCopy(t)
	// A path too long for a unix socket must do as well.
	two.data = filepath.Join(two.data, strings.Repeat("long", 25))
	one.must("up")
	two.must("up")
	one.must("down")
	one.gone()
	for name, s := range two.status() {
		if s.State != stack.Ready {
			t.Errorf("%s of the other copy is %q: %s", name, s.State, s.Why)
		}
	}
	two.must("down")
	two.gone()
}

func TestFollowedLogs(t *testing.T) {
	c := newCopy(t)
	c.must("up", "-no-shop")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../.bin/firedrill", "logs", "-f", "-n", "10", "-data", c.data, "notifications")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.post(9094, "/webhook", `{"alerts":[{"status":"firing","labels":{"alertname":"Followed"}}]}`)
	seen := make(chan bool, 1)
	go func() {
		var text []byte
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			if text = append(text, buf[:n]...); bytes.Contains(text, []byte("Followed")) || err != nil {
				seen <- bytes.Contains(text, []byte("Followed"))
				return
			}
		}
	}()
	select {
	case ok := <-seen:
		if !ok {
			t.Error("the followed log ended without the line")
		}
	case <-time.After(10 * time.Second):
		t.Error("the line did not appear within 10 s")
	}
	cancel()
	_ = cmd.Wait()
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	c := newCopy(t)
	for _, args := range [][]string{
		{"up", "-offset", "70000"}, {"up", "extra"}, {"restart"}, {"nonsense"}, {"up", "-nonsense"},
	} {
		if code, out := c.run(args...); code != 2 {
			t.Errorf("firedrill %v: exit %d, want 2\n%s", args, code, out)
		}
	}
	c.must("up", "-no-shop")
	if code, out := c.run("up", "-no-shop", "-offset", fmt.Sprint(c.offset+1)); code != 2 || !strings.Contains(out, "runs with port offset") {
		t.Errorf("up with another offset: exit %d\n%s", code, out)
	}
	if code, out := c.run("restart", "nobody"); code != 2 || !strings.Contains(out, "prometheus") {
		t.Errorf("restart of an unknown component: exit %d, want 2 and the names\n%s", code, out)
	}
}
