package check

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"firedrill/deploy/stack"
	"firedrill/internal/machine/machinetest"
)

func TestShopInAJail(t *testing.T) {
	j := newJail(t)
	t.Run("is small", j.isSmall)
	t.Run("can write nothing", j.canWriteNothing)
	t.Run("sells", j.sells)
	t.Run("has history", j.hasHistory)
}

// isSmall checks that the image has at most 30 MB when it is pulled, that is, compressed.
func (j jail) isSmall(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(j.rootfs, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB, compressed %d MB", len(text)/1e6, packed.Len()/1e6)
	if packed.Len() >= 30e6 {
		t.Errorf("%d bytes compressed, want less than 30 MB", packed.Len())
	}
}

// canWriteNothing checks that the program cannot write outside /data, which is a volume if there is one.
func (j jail) canWriteNothing(t *testing.T) {
	cmd := j.command(t, "bank", "/shop", "-data", "/elsewhere", "bank")
	cmd.Env = append(cmd.Env, "DATABASE_URL=") // so that it uses a file
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "read-only file system") {
		t.Errorf("ended with %v, printed %s", err, out)
	}
}

// sells sends an order through all services. They must report that they are healthy, and stay below their
// memory limits.
func (j jail) sells(t *testing.T) {
	running := map[string]*exec.Cmd{}
	t.Cleanup(func() { stop(t, running) })
	for _, service := range j.shop() {
		cmd := j.command(t, service, "/shop", j.services[service].Command...)
		cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running[service] = cmd
	}
	for _, service := range j.shop() {
		check := j.services[service].HealthCheck.Test[1:]
		machinetest.Await(t, service+" is healthy", func() (string, bool) {
			out, err := j.command(t, service, check[0], check[1:]...).CombinedOutput()
			return string(out), err == nil
		})
	}
	id := j.order(t)
	machinetest.Await(t, "the order is shipped", func() (string, bool) {
		status, body := j.call(t, http.MethodGet, "/orders/"+id, "")
		return body, status == http.StatusOK && strings.Contains(body, `"shipped"`)
	})
	for service, cmd := range running {
		peak := residentPeak(t, cmd.Process.Pid)
		limit := int64(j.services[service].MemLimit)
		t.Logf("%s: at most %d MiB of %d", service, peak>>20, limit>>20)
		if peak >= limit {
			t.Errorf("%s took %d bytes, its limit is %d", service, peak, limit)
		}
	}
}

// shop returns the names of the shop's services.
func (j jail) shop() []string {
	var names []string
	for _, c := range j.p.Components() {
		if c.Kind == stack.KindShop {
			names = append(names, c.Name)
		}
	}
	return names
}

// hasHistory runs the command that fills Prometheus's volume twice. The second time, the volume has data
// already.
func (j jail) hasHistory(t *testing.T) {
	for _, want := range []string{"Made up 12h of history of 7 objectives", "no history is made up"} {
		cmd := j.command(t, "history", "/firedrill", j.services["history"].Command...)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("printed %q, %v; want %q", out, err, want)
		}
	}
}

// stop ends all processes at the same time, because each takes a while: it tries to send telemetry that nobody
// receives.
func stop(t *testing.T, running map[string]*exec.Cmd) {
	for _, cmd := range running {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Wait below reports a process that has already ended
	}
	for service, cmd := range running {
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("%s ended with %v; it printed\n%.2000s%s", service, err, cmd.Stdout, cmd.Stderr)
		}
	}
}

// order places one order and returns its id.
func (j jail) order(t *testing.T) string {
	t.Helper()
	status, body := j.call(t, http.MethodPost, "/orders", `{"lines":[{"product_id":"p-001","quantity":2}]}`)
	var order struct{ ID string }
	if err := json.Unmarshal([]byte(body), &order); err != nil || status != http.StatusCreated || order.ID == "" {
		t.Fatalf("order: %d %s, %v", status, body, err)
	}
	return order.ID
}

// call sends a request to the gateway as a user.
func (j jail) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	base := fmt.Sprintf("http://127.0.0.1:%d", 8000+j.p.Offset)
	resp, err := http.Post(base+"/login", "application/json", strings.NewReader(`{"user":"user-0001","password":"demo-user-0001"}`))
	if err != nil {
		t.Fatal(err)
	}
	var login struct{ Token string }
	err = json.NewDecoder(resp.Body).Decode(&login)
	resp.Body.Close()
	if err != nil || login.Token == "" {
		t.Fatalf("log in: %s, %v", resp.Status, err)
	}
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+login.Token)
	req.Header.Set("Idempotency-Key", "only")
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// residentPeak returns the largest resident memory of a process so far, in bytes.
func residentPeak(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmHWM in\n%s", text)
	}
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
