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

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/session"
	"firedrill/deploy/stack"
	"firedrill/internal/proc"
	"firedrill/internal/topology"
)

// drillTarget is the copy on which a drill runs. It gives package session what it needs from deploy/stack.
type drillTarget struct {
	stack.Stack
	getenv func(string) string
	remote *remoteStack // nil for a copy on this machine
}

// drillTarget returns the copy that the flags select.
func (f *stackFlags) drillTarget(p program) (drillTarget, error) {
	s, err := f.stack(p)
	return drillTarget{Stack: s, getenv: p.getenv}, err
}

// session returns the copy in the form that package session needs.
func (t drillTarget) session() *session.Target {
	out := &session.Target{
		Folder: t.folder(), Places: t.places(), Faults: t.faults(), Token: t.token, Processes: t.processes(), Load: t.load,
	}
	if t.remote == nil { // a remote Prometheus cannot scrape this process
		record, err := t.Record()
		out.Quiet = err == nil && record != nil && record.LoadRate == 0
		out.Announce = func(addr string) (func(), error) { return announceIn(t.DrillTargets(), addr, stack.TierDrill) }
	}
	return out
}

// folder returns the folders in which the copy keeps the files of drills.
func (t drillTarget) folder() session.Folder {
	return session.Folder{Data: t.Data, Notes: t.RunFile("drill")}
}

// library returns a reader of the repository's drills and of the user's files.
func (t drillTarget) library() drill.Library {
	return drill.Library{Dir: filepath.Join(t.Root, "chaos", "drills"), Faults: fault.New(t.everything())}
}

// drills reads the named drills, or all drills of the repository without names.
func (t drillTarget) drills(names ...string) ([]*drill.Drill, error) {
	all, err := t.library().Named(names...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; \"firedrill drill list\" shows what there is", errUsage, err)
	}
	return all, nil
}

// drill reads one drill.
func (t drillTarget) drill(name string) (*drill.Drill, error) {
	all, err := t.drills(name)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// faults returns the configuration of the faults that this copy supports. In containers and on a remote stack
// these are only faults of services, because processes and network connections are out of reach.
func (t drillTarget) faults() fault.Config {
	if t.remote != nil {
		return fault.Config{Admins: t.remote.admins()}
	}
	c := t.everything()
	if record, err := t.Record(); err == nil && record != nil && record.Runtime != stack.Native {
		c.Wires, c.Components = nil, nil
	}
	return c
}

// everything returns the configuration of all faults of a native copy, for checking drills.
func (t drillTarget) everything() fault.Config {
	c := fault.Config{
		Admins: map[string]string{}, Wires: t.wires(), Processes: supervised{t.Stack}, Watchdog: t.watchdog, Notes: t.folder().Undo(),
	}
	for _, part := range t.Components() {
		c.Components = append(c.Components, part.Name)
		if part.Kind == stack.KindShop {
			c.Admins[part.Name] = strings.TrimSuffix(part.Ready, "/readyz")
		}
	}
	return c
}

// watchdog returns the command that injects and ends a fault of a process.
func (t drillTarget) watchdog(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, t.Executable, "drill", drillWatchdogCommand, "--data", t.Data, "--offset", strconv.Itoa(t.Offset))
}

// wires returns the addresses that each service dials, by caller and dependency.
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
	for _, caller := range topology.Traced() {
		to := map[string]string{"loki": values.Loki.Addr(), "tempo": values.OTLPGRPC.Addr()}
		for _, d := range topology.Find(caller).Dials() {
			to[d] = listens[d]
		}
		if database != "" && caller != topology.Gateway {
			to["database"] = database
		}
		wires[caller] = to
	}
	return wires
}

// databaseAddr returns the address of a PostgreSQL server as "host:port", or "" if the data is in files.
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

// places returns the URLs of programs and services by name, for ${NAME} in a drill.
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

// token returns the token that services require before they accept a fault.
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

// mustRun returns an error if the copy does not run.
func (t drillTarget) mustRun(ctx context.Context) error {
	if t.remote != nil {
		return nil // not checked: the user says that it runs
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
	if _, err := t.Process(ctx, "prometheus"); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

// supervised implements fault.Processes for a copy.
type supervised struct{ stack.Stack }

func (s supervised) Process(ctx context.Context, component string) (proc.Identity, error) {
	found, err := s.Stack.Process(ctx, component)
	return found, gone(err)
}

func (s supervised) Start(ctx context.Context, component string) error {
	return gone(s.Stack.Start(ctx, component))
}

func (s supervised) Stop(ctx context.Context, component string) error {
	return gone(s.Stack.Stop(ctx, component))
}

// gone replaces stack.ErrNotRunning by fault.ErrNoStack, the error that package fault knows.
func gone(err error) error {
	if errors.Is(err, stack.ErrNotRunning) {
		return fmt.Errorf("%w: %w", fault.ErrNoStack, err)
	}
	return err
}

// processes returns a function that lists the processes of the target on this machine.
func (t drillTarget) processes() func() []int {
	if t.remote != nil {
		return func() []int { return nil }
	}
	return t.PIDs()
}
