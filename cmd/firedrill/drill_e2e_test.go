//go:build e2e

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"firedrill/deploy/stack"
)

// lease is how long a fault outlives whoever holds it, in a drill.
const lease = 10 * time.Second

// everyFault is a drill with one fault of each way in which faults are undone.
const everyFault = `
title: Everything at once
story: Nothing works.
load: {profile: trickle, rate: 5/s}
warmUp: 1s
faults:
  - {for: 10m, kind: hang, target: shipping}
  - {for: 10m, kind: stop, target: tempo}
  - {for: 10m, kind: restart_loop, target: bank, params: {every: 3s}}
  - {for: 10m, kind: memory_limit, target: catalog, params: {headroom: 500000000}}
  - {for: 10m, kind: wire_down, target: orders -> payments}
  - {for: 10m, kind: wire_latency, target: orders -> catalog, params: {latency: 100ms}}
  - {for: 10m, kind: errors, target: gateway, params: {ratio: 0.5}}
`

// output is what a process prints, for reading while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// breakAll starts a drill with every fault, and returns when all are on.
func (c *stackCopy) breakAll() (*exec.Cmd, *output) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "everything.yaml")
	if err := os.WriteFile(file, []byte(everyFault), 0o600); err != nil {
		c.t.Fatal(err)
	}
	cmd, out := c.command("drill", "run", "-wait", "1m", file), &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	deadline := time.Now().Add(2 * time.Minute)
	for strings.Count(out.String(), "fault         began") < 7 {
		if time.Now().After(deadline) || strings.Contains(out.String(), "verdict") {
			c.t.Fatalf("not all faults began:\n%s", out)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if s := c.status(); s["shipping"].State == stack.Ready || s["tempo"].State != stack.Down {
		c.t.Errorf("shipping is %q, want not ready; tempo is %q, want down", s["shipping"].State, s["tempo"].State)
	}
	if got := c.faults(); got != "gateway: errors; orders: reroute; orders: reroute" {
		c.t.Errorf("services show %q", got)
	}
	return cmd, out
}

// faults are those that services show.
func (c *stackCopy) faults() string {
	c.t.Helper()
	token, err := os.ReadFile(filepath.Join(c.data, "run", stack.FaultsToken))
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, service := range []struct {
		name  string
		admin int
	}{{"gateway", 8100}, {"catalog", 8101}, {"orders", 8102}, {"payments", 8103}, {"shipping", 8104}, {"bank", 8105}} {
		req, err := http.NewRequest(http.MethodGet, c.url(service.admin, "/faults"), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(token))
		resp, err := (&http.Client{Timeout: time.Second}).Do(req)
		if err != nil {
			continue // it hangs, or is being started
		}
		var shows struct{ Active []struct{ Kind string } }
		err = json.NewDecoder(resp.Body).Decode(&shows)
		resp.Body.Close()
		if err != nil {
			c.t.Fatal(err)
		}
		for _, a := range shows.Active {
			all = append(all, service.name+": "+a.Kind)
		}
	}
	return strings.Join(all, "; ")
}

// dataLimit is the line of a process's limits that memory_limit changes.
func (c *stackCopy) dataLimit(component string) string {
	c.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.status()[component].PID))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max data size"); ok {
			return strings.Fields(rest)[0]
		}
	}
	return ""
}

// helpers are the processes that a drill on this copy has started: guards and load.
func (c *stackCopy) helpers() []*process.Process {
	c.t.Helper()
	all, err := process.Processes()
	if err != nil {
		c.t.Fatal(err)
	}
	var found []*process.Process
	for _, p := range all {
		line, err := p.Cmdline()
		if err == nil && strings.Contains(line, c.data) &&
			(strings.Contains(line, "drill guard") || strings.Contains(line, "load -o "+c.data)) {
			found = append(found, p)
		}
	}
	return found
}

// healed waits until nothing of the drill's faults is left.
func (c *stackCopy) healed(within time.Duration) {
	c.t.Helper()
	deadline := time.Now().Add(within)
	for {
		var left []string
		for name, s := range c.status() {
			if s.State != stack.Ready {
				left = append(left, name+" is "+s.State)
			}
		}
		if f := c.faults(); f != "" {
			left = append(left, f)
		}
		if limit := c.dataLimit("catalog"); limit != "unlimited" {
			left = append(left, "catalog may have "+limit)
		}
		if n := len(c.helpers()); n > 0 {
			left = append(left, fmt.Sprintf("%d helpers run", n))
		}
		if notes, _ := filepath.Glob(filepath.Join(c.data, "run", "drill", "undo", "*.json")); len(notes) > 0 {
			left = append(left, fmt.Sprintf("notes %v", notes))
		}
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("not healed within %s: %v", within, left)
		}
		time.Sleep(50 * time.Millisecond)
	}
	restarts := c.status()["bank"].Restarts
	time.Sleep(4 * time.Second) // longer than the restart loop's period
	if now := c.status()["bank"].Restarts; now != restarts {
		c.t.Errorf("bank was restarted %d times after all was over", now-restarts)
	}
}

func TestFaultsEndThoughTheDrillIsKilled(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	drill, _ := c.breakAll()
	if got := c.dataLimit("catalog"); got == "unlimited" || got == "" {
		t.Errorf("the memory of catalog is limited to %q", got)
	}
	signal(t, drill.Process.Pid, syscall.SIGKILL)
	_ = drill.Wait()
	c.healed(lease + 10*time.Second) // tempo takes some seconds to be ready

	// What the drill did is still in the windows of alerts.
	code, out := c.run("drill", "run", "control")
	if code != 2 || !strings.Contains(out, `drill "control" refused`) {
		t.Errorf("a drill while alerts fire: exit %d, want 2 and a refusal:\n%s", code, out)
	}
}

func TestFaultsEndThoughTheDrillAndItsGuardsAreKilled(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	drill, _ := c.breakAll()
	for _, p := range c.helpers() {
		_ = p.Kill()
	}
	signal(t, drill.Process.Pid, syscall.SIGKILL)
	_ = drill.Wait()
	out := c.must("drill", "stop")
	for _, want := range []string{"Ended hang on shipping.", "Ended stop on tempo.", "Ended errors in gateway."} {
		if !strings.Contains(out, want) {
			t.Errorf("drill stop does not say %q:\n%s", want, out)
		}
	}
	c.healed(lease)
	if out := c.must("drill", "stop"); !strings.Contains(out, "Nothing is broken") {
		t.Errorf("a second stop says:\n%s", out)
	}
}

func TestDrillIsStopped(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	drill, said := c.breakAll()
	code, out := c.run("drill", "run", "control")
	if want := fmt.Sprintf(`drill "everything" (process %d) runs`, drill.Process.Pid); code != 2 || !strings.Contains(out, want) {
		t.Errorf("a second drill: exit %d, want 2 and %q:\n%s", code, want, out)
	}
	if out := c.must("drill", "stop"); !strings.Contains(out, "Stopped drill everything.") {
		t.Errorf("drill stop says:\n%s", out)
	}
	if err := drill.Wait(); drill.ProcessState.ExitCode() != 3 || !strings.Contains(said.String(), "ABORTED") {
		t.Errorf("the drill ended with %v:\n%s", err, said)
	}
	c.healed(time.Second)
}

// The control run, and the drills that are over soonest, each on a stack of its own. All of them: firedrill drill all.
func TestDrillsPass(t *testing.T) {
	for _, lane := range [][]string{
		{"control", "total-outage", "blackout-loki"},
		{"partition-orders-payments", "shipping-hangs", "bank-down"},
	} {
		t.Run(strings.Join(lane, " "), func(t *testing.T) {
			t.Parallel() // two stacks at a time
			c := newCopy(t)
			junit := filepath.Join(t.TempDir(), "junit.xml")
			out := c.must(append([]string{"drill", "run", "-fresh", "-junit", junit}, lane...)...)
			t.Log(out)
			for _, name := range lane {
				if !strings.Contains(out, "PASS  "+name+":") {
					t.Errorf("%s did not pass", name)
				}
				pages, _ := filepath.Glob(filepath.Join(c.data, "drills", "*-"+name, "report.html"))
				if len(pages) != 1 {
					t.Errorf("%s left %d pages, want one", name, len(pages))
				}
			}
			text, err := os.ReadFile(junit)
			if err != nil || strings.Count(string(text), "<testsuite ") != len(lane) || strings.Contains(string(text), "<failure") {
				t.Errorf("JUnit: %v\n%s", err, text)
			}
			if out := c.must("drill", "report"); !strings.Contains(out, "PASS  "+lane[len(lane)-1]) {
				t.Errorf("the latest report:\n%s", out)
			}
			if left, _ := filepath.Glob(filepath.Join(c.data, "drills", "*", "stack")); len(left) > 0 {
				t.Errorf("stacks are left: %v", left)
			}
		})
	}
}
