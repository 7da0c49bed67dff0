//go:build e2e

package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fleet is the shop with one process for each service.
type fleet struct {
	binary   string
	dir      string            // data and logs
	database string            // URL; "" for SQLite
	gateway  string            // URL
	admin    map[string]string // URLs by service
	env      []string
	names    []string // in start order

	mu      sync.Mutex // guards running
	running map[string]*exec.Cmd
}

func newFleet(t *testing.T, database string) *fleet {
	t.Helper()
	offset := freeOffset(t)
	f := &fleet{
		dir: t.TempDir(), database: database,
		gateway: portURL(offset, ports["gateway"]), admin: adminURLs(offset),
		running: make(map[string]*exec.Cmd),
	}
	f.binary = filepath.Join(f.dir, "shop")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", f.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build shop: %v\n%s", err, out)
	}
	for _, p := range parts() {
		f.names = append(f.names, p.name)
	}
	f.env = append(os.Environ(),
		"FIREDRILL_PORT_OFFSET="+strconv.Itoa(offset),
		"SHOP_DATA="+filepath.Join(f.dir, "data"),
		"DATABASE_URL="+database,
		"SHOP_JWT_KEY=a key that survives a gateway crash",
		"SHOP_RATE_USER=1000", "SHOP_RATE_USER_BURST=1000",
		"SHOP_ORDER_GIVE_UP="+giveUp.String(),
		"SHOP_BANK_SEED="+strconv.FormatUint(*killSeed, 10),
		"LOG_FORMAT=json", "LOG_LEVEL=warn", "LOKI_URL=", "OTEL_EXPORTER_OTLP_ENDPOINT=", "NATS_URL=",
	)
	t.Cleanup(func() { f.end(t) })
	return f
}

// end kills the running processes. If the test failed, it logs the ends of
// their logs.
func (f *fleet) end(t *testing.T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cmd := range f.running {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if !t.Failed() {
		return
	}
	for _, name := range f.names {
		const most = 3000 // bytes of each log
		log, _ := os.ReadFile(f.log(name))
		t.Logf("the end of the log of %s:\n%s", name, log[max(0, len(log)-most):])
	}
}

func (f *fleet) log(name string) string { return filepath.Join(f.dir, name+".log") }

func (f *fleet) start(t *testing.T, name string) {
	t.Helper()
	log, err := os.OpenFile(f.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(f.binary, name)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = f.dir, f.env, log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[name] = cmd
}

func (f *fleet) take(name string) *exec.Cmd {
	f.mu.Lock()
	defer f.mu.Unlock()
	cmd := f.running[name]
	delete(f.running, name)
	return cmd
}

// kill kills a service. It is an error if the service had ended by itself.
func (f *fleet) kill(t *testing.T, name string) {
	t.Helper()
	cmd := f.take(name)
	if err := cmd.Process.Kill(); err != nil {
		t.Errorf("kill %s: %v", name, err)
	}
	_ = cmd.Wait() // returns the signal as an error
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("%s ended by itself before it was killed: %s", name, cmd.ProcessState)
	}
}

// stop sends SIGTERM to a service, which must exit with status 0.
func (f *fleet) stop(t *testing.T, name string) {
	t.Helper()
	cmd := f.take(name)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop %s: %v", name, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s ended with %v after SIGTERM", name, err)
	}
}

// harass kills and restarts services until ctx ends, all equally often. When it
// returns, all are running. It returns the number of kills by service.
func (f *fleet) harass(ctx context.Context, t *testing.T, random *rand.Rand) map[string]int {
	kills := make(map[string]int)
	var next []int
	for {
		if len(next) == 0 {
			next = random.Perm(len(f.names))
		}
		victim := f.names[next[0]]
		next = next[1:]
		pause := time.Duration(200+random.IntN(800)) * time.Millisecond
		down := time.Duration(random.IntN(500)) * time.Millisecond
		if random.IntN(8) == 0 {
			down += giveUp // long enough for orders to be abandoned
		}
		select {
		case <-ctx.Done():
			return kills
		case <-time.After(pause):
		}
		f.kill(t, victim)
		kills[victim]++
		time.Sleep(down)
		f.start(t, victim)
	}
}
