//go:build e2e

package main_test

import (
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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"firedrill/deploy/stack"
	"firedrill/internal/machine/machinetest"
)

// TestMain also prints how many tests were inconclusive because the machine was too slow.
func TestMain(m *testing.M) { machinetest.Main(m) }

// stackCopy is one copy of the stack, with data and ports of its own. Only one runs at a time.
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

// sub runs a part of a test on the copy. Later parts run even if it fails.
func (c *stackCopy) sub(name string, part func(t *testing.T, c *stackCopy)) {
	c.t.Helper()
	outer := c.t
	outer.Run(name, func(t *testing.T) {
		inner := *c
		inner.t = t
		part(t, &inner)
	})
}

// offsets holds the offsets of all copies of this process.
var offsets taken

type taken struct {
	mu   sync.Mutex
	used []int
}

// take records an offset and returns true, unless one of its ports is used by a copy that was created before.
func (t *taken) take(offset int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ports := bases()
	for _, other := range t.used {
		if slices.ContainsFunc(ports, func(base int) bool { return slices.Contains(ports, base+offset-other) }) {
			return false
		}
	}
	t.used = append(t.used, offset)
	return true
}

// freeOffset returns an offset at which every port of the stack is free, below the range of outgoing
// connections.
func freeOffset(t *testing.T) int {
	t.Helper()
	for range 10000 {
		offset := 11000 + rand.IntN(12000)
		// The ports must not belong to another copy of this process that does not listen yet.
		if !offsets.take(offset) {
			continue
		}
		if !slices.ContainsFunc(bases(), func(base int) bool { return !portFree(base + offset) }) {
			return offset
		}
	}
	t.Fatal("no offset with free ports found")
	return 0
}

// bases returns the ports of the stack without an offset.
func bases() []int {
	all := []int{
		3000, 3100, 3200, 4222, 4317, 4318, 8000, 8001, 8002, 8003, 8004, 8005,
		8100, 8101, 8102, 8103, 8104, 8105, 8106, 8107, 9090, 9093, 9094, 9096, 9097,
	}
	for _, target := range []int{3110, 3120, 3130, 3140, 3150, 3210, 3220, 3230, 3240, 3250, 3260} { // of the distributed stack
		all = append(all, target, target+1, target+2)
	}
	return all
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

// run runs firedrill and returns its exit code and its output.
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

// judge runs a command that judges the stack. If the exit code says that the result is invalid, the machine
// could not keep up. The command is then run once more, and if the result is invalid again, the test ends as
// inconclusive.
func (c *stackCopy) judge(args ...string) (int, string) {
	c.t.Helper()
	code, out := c.run(args...)
	if code != exitInvalid {
		return code, out
	}
	c.t.Logf("firedrill %v is inconclusive, and is run once more:\n%s", args, out)
	if code, out = c.run(args...); code == exitInvalid {
		machinetest.CouldNotKeepUp(c.t, fmt.Sprintf("firedrill %v: %s", args, out))
	}
	return code, out
}

// exitInvalid is the exit code of a command whose result is invalid.
const exitInvalid = 3

// patience returns, as the value of a flag, how long a command must wait for something that takes at most d on
// the reference machine.
func patience(t *testing.T, d time.Duration) string {
	t.Helper()
	return machinetest.Patience(t, d).String()
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
	out, err := c.command("status", "--output", "json").Output()
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

// members returns the processes of the copy, found without firedrill.
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

// gone fails the test unless nothing of the copy is left. held are ports that the test itself holds.
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

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("signal %d: %v", pid, err)
	}
}
