//go:build e2e

// These tests run the built firedrill and the real stack. "make test-stack" builds both first.

package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"firedrill/deploy/stack"
	"firedrill/internal/machine/machinetest"
)

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
	machinetest.Eventually(t, "orders starts again after SIGKILL", func() bool {
		s := c.status()["orders"]
		return s.State == stack.Ready && s.Restarts == 1 && s.PID != first["orders"].PID
	})
	if out := c.must("logs", "-n", "5", "orders"); !strings.Contains(out, `"service":"orders"`) {
		t.Errorf("logs of orders:\n%s", out)
	}
	tidiesUp(t, c)
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

// tidiesUp kills the supervisor. The next up stops what is left, and starts everything.
func tidiesUp(t *testing.T, c *stackCopy) {
	t.Helper()
	old := c.status()["gateway"].PID
	signal(t, c.supervisor(), syscall.SIGKILL)
	if out := c.must("up"); !strings.Contains(out, "Stopping what an earlier run left") {
		t.Errorf("up after the supervisor was killed says:\n%s", out)
	}
	if s := c.status()["gateway"]; s.State != stack.Ready || s.PID == old {
		t.Errorf("gateway is %q with pid %d, was %d", s.State, s.PID, old)
	}
}

// Telemetry that was stored before a down is still there after the next up.
func TestTelemetryOutlivesDown(t *testing.T) {
	c := newCopy(t)
	c.must("up", "--no-shop")
	const trace = "5b8efff798038103d269b633813fc60c"
	now := time.Now().UnixNano()
	c.post(4318, "/v1/traces", fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"probe"}}]},
		"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"eee19b7ec3c1b174","name":"kept","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
		trace, now, now+1e6))
	c.post(3100, "/loki/api/v1/push", fmt.Sprintf(`{"streams":[{"stream":{"service_name":"probe"},"values":[["%d","kept",{"trace_id":%q}]]}]}`, now, trace))
	c.post(9093, "/api/v2/alerts", `[{"labels":{"alertname":"Kept"},"annotations":{"summary":"kept"}}]`)

	kept := func() {
		t.Helper()
		machinetest.Eventually(t, "the trace is found", func() bool { return strings.Contains(c.get(3200, "/api/traces/"+trace), `"kept"`) })
		machinetest.Eventually(t, "the log line is found by its trace id", func() bool {
			return strings.Contains(c.get(3100, `/loki/api/v1/query_range?query=%7Bservice_name%3D%22probe%22%7D+%7C+trace_id%3D%22`+trace+`%22`), `"kept"`)
		})
		machinetest.Eventually(t, "the notification is found", func() bool { return strings.Contains(c.get(9094, "/notifications"), `"alertname":"Kept"`) })
		machinetest.Eventually(t, "Prometheus has samples", func() bool {
			return strings.Contains(c.get(9090, "/api/v1/query?query=count_over_time(up%7Bjob%3D%22loki%22%7D%5B1h%5D)"), `"value"`)
		})
	}
	kept()
	c.must("down")
	c.gone()
	c.must("up", "--no-shop")
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
		c.sub(tc.name, func(_ *testing.T, c *stackCopy) {
			c.must("up")
			tc.breakIt()
			c.must("down")
			c.gone()
		})
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
	c.env = []string{"SHOP_BANK_LATENCY=soon"} // an invalid value, with which the shop does not start
	code, out := c.run("up")
	if code != 1 || !strings.Contains(out, "did not become ready: it ended 5 times") || !strings.Contains(out, `SHOP_BANK_LATENCY="soon"`) {
		t.Errorf("exit %d, want 1 and the shop's complaint in:\n%s", code, out)
	}
	c.gone()
}

func TestInterruptedUpStopsWhatItStarted(t *testing.T) {
	c := newCopy(t)
	c.env = []string{"SHOP_BANK_LATENCY=soon"} // the shop never becomes ready, so up keeps waiting
	cmd := c.command("up")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	machinetest.Eventually(t, "the stack starts", func() bool { return len(c.members()) > 5 })
	signal(t, cmd.Process.Pid, syscall.SIGINT)
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("ended with %v:\n%s", err, out.String())
	}
	c.gone()
}

func TestTwoCopiesSideBySide(t *testing.T) {
	one, two := newCopy(t), newCopy(t)
	// A path that is too long for a unix socket must work too.
	two.data = filepath.Join(two.data, strings.Repeat("long", 25))
	one.must("up", "--no-shop") // two whole stacks are too much for a small machine
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

// Checks that only need a running stack.
func TestCommandsOnARunningStack(t *testing.T) {
	c := newCopy(t)
	for _, args := range [][]string{
		{"up", "--offset", "70000"}, {"up", "extra"}, {"restart"}, {"nonsense"}, {"up", "--nonsense"},
	} {
		if code, out := c.run(args...); code != 2 {
			t.Errorf("firedrill %v: exit %d, want 2\n%s", args, code, out)
		}
	}
	c.must("up", "--no-shop")
	c.sub("settings that make no sense", func(t *testing.T, c *stackCopy) {
		if code, out := c.run("up", "--no-shop", "--offset", fmt.Sprint(c.offset+1)); code != 2 || !strings.Contains(out, "runs with port offset") {
			t.Errorf("up with another offset: exit %d\n%s", code, out)
		}
		if code, out := c.run("restart", "nobody"); code != 2 || !strings.Contains(out, "prometheus") {
			t.Errorf("restart of an unknown component: exit %d, want 2 and the names\n%s", code, out)
		}
	})
	c.sub("followed logs", followedLogs)
}

func followedLogs(t *testing.T, c *stackCopy) {
	t.Helper()
	cmd := c.command("logs", "-f", "-n", "10", "notifications")
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for _, alert := range []string{"Followed", "FollowedOn"} { // the first may have been there already
		c.post(9094, "/webhook", fmt.Sprintf(`{"alerts":[{"status":"firing","labels":{"alertname":%q}}]}`, alert))
		machinetest.Await(t, "the line of "+alert+" appears in the followed log", func() (string, bool) {
			said := out.String()
			return said, strings.Contains(said, fmt.Sprintf("%q", alert))
		})
	}
}
