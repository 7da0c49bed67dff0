package fault

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// Config describes the targets of faults on one copy.
type Config struct {
	// Admins are the URLs of the services' admin listeners, by service.
	Admins map[string]string
	// Token is the token for the services' admin listeners.
	Token string
	// Seed is the seed for the random choices of services' faults.
	Seed uint64

	// Wires are the addresses, "host:port", at which callers dial their dependencies, by
	// caller and then by dependency.
	Wires map[string]map[string]string

	// Components are the names of all processes that Processes knows.
	Components []string
	Processes  Processes
	// Watchdog returns the command that runs Watchdog, with the same Processes and Notes.
	// Its context ends only after the command.
	Watchdog func(ctx context.Context) *exec.Cmd
	// Notes is the folder for notes of how to undo faults on processes.
	Notes string
}

// Injector begins faults. It implements run.Injector.
type Injector struct {
	config   Config
	services services
	wires    wires
}

// family checks and begins faults of all kinds of one family.
type family interface {
	check(f drill.Fault) error
	begin(ctx context.Context, f drill.Fault, lease time.Duration) (run.Injection, error)
}

// New returns an injector. It begins no fault.
func New(c Config) *Injector {
	i := &Injector{config: c, services: services{admins: c.Admins, token: c.Token, seed: c.Seed}}
	i.wires = newWires(c.Wires, &i.services)
	return i
}

// Kinds returns all kinds of faults that drills can name: of services, on the wire,
// and of processes.
func Kinds() []kinds.Kind {
	all := kinds.All()
	for _, k := range wireKinds() {
		all = append(all, k.Kind)
	}
	for _, k := range processKinds() {
		all = append(all, k.Kind)
	}
	return all
}

func processKinds() []processKind {
	return []processKind{hangKind(), killKind(), memoryLimitKind(), restartLoopKind(), stopKind()}
}

func wireKinds() []wireKind {
	return []wireKind{
		wireBandwidthKind(), wireDownKind(), wireLatencyKind(), wireResetKind(), wireSlicerKind(), wireTimeoutKind(),
	}
}

// processKind is a kind of fault of a process.
type processKind struct {
	kinds.Kind
	make func(kinds.Values) processFault
}

// of returns the family of a kind. Its error lists all kinds.
func (i *Injector) of(kind string) (family, error) {
	named := func(k kinds.Kind) bool { return k.Name == kind }
	switch {
	case slices.ContainsFunc(kinds.All(), named):
		return &i.services, nil
	case slices.ContainsFunc(wireKinds(), func(k wireKind) bool { return named(k.Kind) }):
		return &i.wires, nil
	case slices.ContainsFunc(processKinds(), func(k processKind) bool { return named(k.Kind) }):
		return (*processes)(&i.config), nil
	}
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("kind %q: there are %s", kind, strings.Join(names, ", "))
}

// Check implements run.Injector.
func (i *Injector) Check(f drill.Fault) error {
	family, err := i.of(f.Kind)
	if err != nil {
		return err
	}
	return family.check(f)
}

// Begin implements run.Injector.
func (i *Injector) Begin(ctx context.Context, f drill.Fault, lease time.Duration) (run.Injection, error) {
	family, err := i.of(f.Kind)
	if err != nil {
		return nil, err
	}
	if err := family.check(f); err != nil {
		return nil, err
	}
	return family.begin(ctx, f, lease)
}

// processes is the family of faults of processes.
type processes Config

func (p *processes) check(f drill.Fault) error {
	if err := oneOf(f, p.Components); err != nil {
		return err
	}
	_, err := newProcessFault(f)
	return err
}

func (p *processes) begin(ctx context.Context, f drill.Fault, lease time.Duration) (run.Injection, error) {
	return beginWatched(ctx, p.Watchdog(context.WithoutCancel(ctx)), f, lease, p.Notes, p.Processes)
}

// oneOf returns an error unless the target of a fault is one of targets.
func oneOf(f drill.Fault, targets []string) error {
	if slices.Contains(targets, f.Target) {
		return nil
	}
	if len(targets) == 0 {
		return fmt.Errorf("target %q of %s: there is none that can have it", f.Target, f.Kind)
	}
	return fmt.Errorf("target %q of %s: there are %s", f.Target, f.Kind, strings.Join(slices.Sorted(slices.Values(targets)), ", "))
}
