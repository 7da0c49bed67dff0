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
	"firedrill/internal/machine/machinetest"
)

// everyFault is a drill with one fault for each way in which faults are ended.
const everyFault = `
title: Everything at once
story: Nothing works.
load: {profile: trickle, rate: 5/s}
warmUp: 1s
faults:
  - {for: 30m, kind: hang, target: shipping}
  - {for: 30m, kind: stop, target: tempo}
  - {for: 30m, kind: restart_loop, target: bank, params: {every: 3s}}
  - {for: 30m, kind: memory_limit, target: catalog, params: {headroom: 500000000}}
  - {for: 30m, kind: wire_down, target: orders -> payments}
  - {for: 30m, kind: wire_latency, target: orders -> catalog, params: {latency: 100ms}}
  - {for: 30m, kind: errors, target: gateway, params: {ratio: 0.5}}
`

// output collects what a process prints. It can be read while the process runs.
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

// breakAll starts a drill with every fault, and returns when all are active.
func (c *stackCopy) breakAll() (*exec.Cmd, *output) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "everything.yaml")
	if err := os.WriteFile(file, []byte(everyFault), 0o600); err != nil {
		c.t.Fatal(err)
	}
	cmd, out := c.command("drill", "run", "--wait", patience(c.t, time.Minute), file), &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	machinetest.Await(c.t, "all faults begin", func() (string, bool) {
		if strings.Contains(out.String(), "verdict") {
			c.t.Fatalf("not all faults began:\n%s", out)
		}
		return out.String(), strings.Count(out.String(), "fault         began") == 7
	})
	if s := c.status(); s["shipping"].State == stack.Ready || s["tempo"].State != stack.Down {
		c.t.Errorf("shipping is %q, want not ready; tempo is %q, want down", s["shipping"].State, s["tempo"].State)
	}
	if got := c.faults(); got != "gateway: errors; orders: reroute; orders: reroute" {
		c.t.Errorf("services show %q", got)
	}
	return cmd, out
}

// faults returns the active faults of the services.
func (c *stackCopy) faults() string {
	c.t.Helper()
	token, err := os.ReadFile(filepath.Join(c.data, "run", stack.FaultsToken))
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	wait := machinetest.Patience(c.t, 0)
	for _, service := range []struct {
		name  string
		admin int
		wait  time.Duration
	}{
		{"gateway", 8100, wait}, {"catalog", 8101, wait}, {"orders", 8102, wait}, {"payments", 8103, wait}, {"bank", 8105, wait},
		{"shipping", 8104, time.Second}, // which hangs
	} {
		req, err := http.NewRequest(http.MethodGet, c.url(service.admin, "/faults"), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(token))
		resp, err := (&http.Client{Timeout: service.wait}).Do(req)
		if err != nil {
			continue // it hangs, or is starting
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

// dataLimit returns the line of a process's limits that memory_limit changes.
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

// helpers returns the processes that a drill on this copy has started: watchdogs and load.
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
			(strings.Contains(line, "drill watchdog") || strings.Contains(line, "load -o "+c.data)) {
			found = append(found, p)
		}
	}
	return found
}

// left returns what is left of the drill's faults. It leaves out components that are not ready yet.
func (c *stackCopy) left() []string {
	c.t.Helper()
	var left []string
	if f := c.faults(); f != "" {
		left = append(left, f)
	}
	if limit := c.dataLimit("catalog"); limit != "unlimited" {
		left = append(left, "catalog may have "+limit)
	}
	if notes, _ := filepath.Glob(filepath.Join(c.data, "run", "drill", "undo", "*.json")); len(notes) > 0 {
		left = append(left, fmt.Sprintf("notes %v", notes))
	}
	return left
}

// healed waits until nothing is left of the drill's faults. Their leases would end only after half an hour.
func (c *stackCopy) healed() {
	c.t.Helper()
	machinetest.Await(c.t, "all is healed", func() (string, bool) {
		left := c.left()
		for name, s := range c.status() {
			if s.State != stack.Ready {
				left = append(left, name+" is "+s.State)
			}
		}
		if n := len(c.helpers()); n > 0 {
			left = append(left, fmt.Sprintf("%d helpers run", n))
		}
		return fmt.Sprint(left), len(left) == 0
	})
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
	c.healed()

	// The windows of alerts still contain the errors of the drill.
	code, out := c.judge("drill", "run", "control")
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
	if left := c.left(); len(left) > 0 {
		t.Errorf("after the stop there is still %v", left)
	}
	c.healed()
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
	if left := c.left(); len(left) > 0 {
		t.Errorf("after the stop there is still %v", left)
	}
	c.healed()
}
