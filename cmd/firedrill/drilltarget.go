package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"firedrill/chaos"
	"firedrill/chaos/fault"
	"firedrill/chaos/observe"
	"firedrill/deploy/stack"
)

// drillTarget is the copy of the stack that a drill is about.
type drillTarget struct {
	stack.Stack
	getenv func(string) string
}

// drillNotes is the folder for notes of how to undo faults on processes.
func (t drillTarget) notes() string { return t.RunFile("drill") }

// results is the folder for what drills came to.
func (t drillTarget) results() string { return filepath.Join(t.Data, "drills") }

// drills reads all of the repository's drills.
func (t drillTarget) drills() ([]*chaos.Drill, error) {
	all, err := chaos.LoadAll(filepath.Join(t.Root, "chaos", "drills"), fault.New(t.faults("")))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return all, nil
}

// drill finds one by its name, or reads a file of the user's.
func (t drillTarget) drill(name string) (*chaos.Drill, error) {
	path := name
	if !strings.HasSuffix(name, chaos.Extension) {
		path = filepath.Join(t.Root, "chaos", "drills", name+chaos.Extension)
	}
	d, err := chaos.LoadFile(path, fault.New(t.faults("")))
	if err != nil {
		return nil, fmt.Errorf("%w: %w; \"firedrill drill list\" shows what there is", errUsage, err)
	}
	return d, nil
}

// faults says what of the copy can be made worse.
func (t drillTarget) faults(token string) fault.Config {
	c := fault.Config{
		Admins: map[string]string{}, Token: token, Wires: t.wires(),
		Processes: supervised{t.Stack}, Guard: t.guard, Notes: t.notes(),
	}
	for _, part := range t.Components() {
		c.Components = append(c.Components, part.Name)
		if part.Kind == stack.KindShop {
			c.Admins[part.Name] = strings.TrimSuffix(part.Ready, "/readyz")
		}
	}
	return c
}

// guard is the command that does and undoes a fault on a process.
func (t drillTarget) guard(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, t.Executable, "drill", drillGuardCommand, "-data", t.Data, "-offset", strconv.Itoa(t.Offset))
}

// callers says who calls whom in the shop; the import graph of apps says the same.
func callers() map[string][]string {
	return map[string][]string{
		"gateway":  {"catalog", "orders"},
		"orders":   {"catalog", "payments", "broker"},
		"payments": {"bank"},
		"shipping": {"orders", "broker"},
		"catalog":  nil,
	}
}

// wires are the addresses that each service dials.
func (t drillTarget) wires() map[string]map[string]string {
	listens := map[string]string{}
	for _, part := range t.Components() {
		if u, err := url.Parse(part.URL); err == nil {
			listens[part.Name] = u.Host
		}
	}
	values := t.Values()
	database := databaseAddr(t.getenv("DATABASE_URL"))
	wires := map[string]map[string]string{}
	for caller, dependencies := range callers() {
		to := map[string]string{"loki": values.Loki.Addr(), "tempo": values.OTLPGRPC.Addr()}
		for _, d := range dependencies {
			to[d] = listens[d]
		}
		if database != "" && caller != "gateway" {
			to["database"] = database
		}
		wires[caller] = to
	}
	return wires
}

// databaseAddr is where a PostgreSQL server listens; "" for files.
func databaseAddr(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	if u.Port() == "" {
		return u.Hostname() + ":5432"
	}
	return u.Host
}

// places are what ${NAME} in a drill means.
func (t drillTarget) places() map[string]string {
	places := map[string]string{}
	for _, part := range t.Components() {
		if u, err := url.Parse(part.URL); err == nil {
			places[part.Name] = "http://" + u.Host
		}
		if u, err := url.Parse(part.Ready); err == nil {
			places[part.Name+".admin"] = "http://" + u.Host
		}
	}
	return places
}

// eyes look at the copy.
func (t drillTarget) eyes() (*observe.Eyes, error) {
	places := t.places()
	return observe.New(observe.Config{
		Prometheus: places["prometheus"], Loki: places["loki"], Tempo: places["tempo"],
		Notifications: places["notifications"], Places: places,
	})
}

// mustBeOurs refuses a target that no drill may break.
func (t drillTarget) mustBeOurs(ctx context.Context) error {
	record, err := t.Record()
	switch {
	case err != nil:
		return err
	case record == nil:
		return fmt.Errorf("%w: nothing runs in %s: \"make up\" starts it; or give -fresh", errUsage, t.Data)
	case record.Runtime != stack.Native:
		return fmt.Errorf("%w: what runs in %s runs in containers, where drills cannot get at processes and wires: drill a native copy", errUsage, t.Data)
	}
	if _, err := t.PID(ctx, "prometheus"); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

// supervised are the processes of a copy as faults need them.
type supervised struct{ stack.Stack }

func (s supervised) PID(ctx context.Context, component string) (int, error) {
	pid, err := s.Stack.PID(ctx, component)
	return pid, gone(err)
}

func (s supervised) Start(ctx context.Context, component string) error {
	return gone(s.Stack.Start(ctx, component))
}

func (s supervised) Stop(ctx context.Context, component string) error {
	return gone(s.Stack.Stop(ctx, component))
}

// gone says in the words of faults that a stack does not run.
func gone(err error) error {
	if errors.Is(err, stack.ErrNotRunning) {
		return fmt.Errorf("%w: %w", fault.ErrNoStack, err)
	}
	return err
}
