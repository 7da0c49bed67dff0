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
	remote *remoteStack // nil: a copy on this machine
}

// notes is the folder for what the copy knows of the drill that runs, or ran last.
func (t drillTarget) notes() string { return t.RunFile("drill") }

// undo is the folder for notes of how to undo faults on processes.
func (t drillTarget) undo() string { return filepath.Join(t.notes(), "undo") }

// results is the folder for what drills came to.
func (t drillTarget) results() string { return filepath.Join(t.Data, "drills") }

// drills reads all of the repository's drills.
func (t drillTarget) drills() ([]*chaos.Drill, error) {
	all, err := chaos.LoadAll(filepath.Join(t.Root, "chaos", "drills"), fault.New(t.everything()))
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
	d, err := chaos.LoadFile(path, fault.New(t.everything()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w; \"firedrill drill list\" shows what there is", errUsage, err)
	}
	return d, nil
}

// mayHave refuses a drill whose faults cannot be done to this target.
func (t drillTarget) mayHave(d *chaos.Drill) error {
	injector := fault.New(t.faults(""))
	for _, f := range d.Faults {
		if err := injector.Check(f); err != nil {
			return &chaos.RefusedError{Drill: d.Name, Reasons: []string{"there it cannot be run: " + err.Error()}}
		}
	}
	return nil
}

// faults says what of the target can be made worse. In containers and elsewhere only
// services can, for processes and wires are out of reach.
func (t drillTarget) faults(token string) fault.Config {
	if t.remote != nil {
		return fault.Config{Admins: t.remote.admins(), Token: token}
	}
	c := t.everything()
	c.Token = token
	if record, err := t.Record(); err == nil && record != nil && record.Runtime != stack.Native {
		c.Wires, c.Components = nil, nil
	}
	return c
}

// everything is what can be made worse of a native copy: what drills may be about.
func (t drillTarget) everything() fault.Config {
	c := fault.Config{
		Admins: map[string]string{}, Wires: t.wires(), Processes: supervised{t.Stack}, Guard: t.guard, Notes: t.undo(),
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
	return exec.CommandContext(ctx, t.Executable, "drill", drillGuardCommand, "--data", t.Data, "--offset", strconv.Itoa(t.Offset))
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
	if t.remote != nil {
		return t.remote.places()
	}
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

// token is what services want to be shown by who breaks them.
func (t drillTarget) token() (string, error) {
	if t.remote == nil {
		return t.Secret(stack.FaultsToken)
	}
	token := t.getenv("SHOP_FAULTS_TOKEN")
	if token == "" {
		return "", fmt.Errorf("%w: SHOP_FAULTS_TOKEN is not set: it is what the services of a remote stack want to be shown", errUsage)
	}
	return token, nil
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
	if t.remote != nil {
		return nil // as the user says
	}
	record, err := t.Record()
	switch {
	case err != nil:
		return err
	case record == nil:
		return fmt.Errorf("%w: nothing runs in %s: \"make up\" starts it; or give --fresh", errUsage, t.Data)
	case record.Runtime != stack.Native:
		return nil
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

// processes lists those of the target that run on this machine.
func (t drillTarget) processes() func() []int {
	if t.remote != nil {
		return func() []int { return nil }
	}
	return t.PIDs()
}
