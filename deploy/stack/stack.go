package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"firedrill/internal/machine"
	"firedrill/internal/private"
	"firedrill/internal/proc"
)

// Stack is one copy of the native deployment.
type Stack struct {
	Settings
	Executable string              // path of firedrill, which is also the receiver of notifications
	Getenv     func(string) string // the user's environment
	Out        io.Writer           // for progress
	Patience   time.Duration       // how long components may take to become ready; if 0, a minute, and more on a slower machine
	// Calibrate measures the machine. If nil, it is machine.Calibrate.
	Calibrate func(context.Context) (machine.Capacity, error)
	// BeforeStart, if not nil, is called when everything is prepared and nothing runs yet.
	BeforeStart func(ctx context.Context) error
}

// plan has what a start needs.
type plan struct {
	tools      []Tool
	programs   programs
	components []Component
}

func (k Stack) plan() (plan, error) {
	tools, err := Tools(k.Root)
	if err != nil {
		return plan{}, err
	}
	programs := newPrograms(k.Settings, tools, k.Executable, findGrafana(k.Getenv))
	return plan{tools: tools, programs: programs, components: k.components(programs)}, nil
}

// Up starts everything and returns when all components are ready. If it fails or ctx ends, it stops what it
// started. In a copy that runs already, it only starts the components that were stopped.
func (k Stack) Up(ctx context.Context) (Status, error) {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return Status{}, err
	}
	defer release()
	running, err := k.settle(ctx)
	if err != nil {
		return Status{}, err
	}
	if running {
		return k.already(ctx)
	}
	if k, err = k.sized(ctx); err != nil {
		return Status{}, err
	}
	p, err := k.plan()
	if err != nil {
		return Status{}, err
	}
	if err := k.prepare(ctx, p); err != nil {
		return Status{}, err
	}
	if !p.programs.grafana.found() {
		fmt.Fprintln(k.Out, "No grafana on the PATH: install it (https://grafana.com/docs/grafana/latest/setup-grafana/installation) and \"make down up\" adds it.")
	}
	return k.start(ctx, p)
}

// sized returns the stack with deadlines and a load that suit this machine, and writes what they are.
func (k Stack) sized(ctx context.Context) (Stack, error) {
	calibrate := k.Calibrate
	if calibrate == nil {
		calibrate = machine.Calibrate
	}
	var err error
	if k.Machine, err = machine.Measure(ctx, k.Data, calibrate); err != nil {
		return k, err
	}
	fmt.Fprintln(k.Out, k.Sizing(k.Patience))
	return k, nil
}

// settle reports whether the copy runs and its supervisor answers. It stops processes that are left without
// one.
func (k Stack) settle(ctx context.Context) (running bool, err error) {
	left, err := k.members()
	if err != nil || len(left.own) == 0 {
		return false, err
	}
	if _, err := k.supervisor().processes(ctx); err == nil {
		return true, nil
	}
	fmt.Fprintf(k.Out, "Stopping what an earlier run left: %s\n", names(left.own))
	return false, k.stopAll(ctx)
}

// already starts the stopped components of a running copy.
func (k Stack) already(ctx context.Context) (Status, error) {
	st, err := readState(k.Settings)
	if err != nil {
		return Status{}, err
	}
	if st == nil {
		return Status{}, fmt.Errorf("the stack runs, but %s is gone; run \"firedrill down\" first", k.statePath())
	}
	if st.Offset != k.Offset {
		return Status{}, fmt.Errorf("%w: the stack of %s runs with port offset %d, not %d; run \"firedrill down\" first, or give the other copy its own --data",
			ErrSettings, k.Data, st.Offset, k.Offset)
	}
	fmt.Fprintf(k.Out, "Already up since %s.\n", st.Started.Local().Format(time.DateTime))
	boss := k.supervisor()
	states, err := boss.processes(ctx)
	if err != nil {
		return Status{}, err
	}
	for _, c := range st.Components {
		if states[c.Name].stopped() {
			fmt.Fprintf(k.Out, "Starting %s, which was stopped.\n", c.Name)
			if err := boss.start(ctx, c.Name); err != nil {
				return Status{}, fmt.Errorf("start %q: %w", c.Name, err)
			}
		}
	}
	if err := k.awaitReady(ctx, st.Components, nil); err != nil {
		return Status{}, err
	}
	return k.Status(ctx)
}

// prepare does everything that can fail before anything runs: it checks the ports, builds the programs and
// writes the configuration.
func (k Stack) prepare(ctx context.Context, p plan) error {
	if err := checkPorts(ctx, p.components, k.Offset); err != nil {
		return err
	}
	if k.Shop {
		if _, err := os.Stat(p.programs.shop); err != nil {
			return fmt.Errorf("the shop is not built: %w; run \"make build\"", err)
		}
	}
	built, err := Build(ctx, k.Root, k.Bin, p.tools, k.Out)
	if err != nil {
		return err
	}
	if built > 0 { // minutes have passed
		if err := checkPorts(ctx, p.components, k.Offset); err != nil {
			return err
		}
	}
	if err := k.render(p); err != nil {
		return err
	}
	if k.BeforeStart == nil {
		return nil
	}
	return k.BeforeStart(ctx)
}

// start runs the supervisor and waits until every component is ready.
func (k Stack) start(ctx context.Context, p plan) (Status, error) {
	record := Record{Offset: k.Offset, Components: p.components, Started: time.Now()}
	if k.Load {
		record.LoadRate = k.LoadRate()
	}
	if err := writeState(k.Settings, record); err != nil {
		return Status{}, err
	}
	died, err := k.launch(ctx, p.programs.tools["process-compose"])
	if err == nil {
		err = k.awaitReady(ctx, p.components, died)
	}
	if err == nil {
		return k.Status(ctx)
	}
	fmt.Fprintln(k.Out, "Stopping what was started.")
	// On Ctrl-C ctx has ended, but the processes must still be stopped.
	if stopErr := k.stopAll(context.WithoutCancel(ctx)); stopErr != nil {
		err = fmt.Errorf("%w; and %w", err, stopErr)
	}
	return Status{}, err
}

// launch starts process-compose in a session of its own, so that it does not get the terminal's signals. The
// channel receives a value when process-compose ends.
func (k Stack) launch(ctx context.Context, binary string) (<-chan error, error) {
	output, err := private.Create(k.LogPath("process-compose.out"), 0o600)
	if err != nil {
		return nil, fmt.Errorf("start process-compose: %w", err)
	}
	defer output.Close()
	// It outlives this command and must not end with the command's context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "up", "--tui=false", "--disable-dotenv", "--keep-project",
		"--config", k.composePath(), "--unix-socket", k.socketPath(), "--log-file", k.LogPath("process-compose"))
	cmd.Dir = k.Data
	cmd.Env = append(k.composeEnv(os.Environ()), marker+"="+k.Data)
	cmd.Stderr = output // standard output repeats every log and is discarded
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := os.Remove(k.launchedPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("start process-compose: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start process-compose: %w", err)
	}
	boss, err := proc.Identify(cmd.Process.Pid)
	if err == nil {
		err = k.keepLaunched(boss)
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	if errors.Is(err, proc.ErrGone) {
		err = nil // it has failed at once, which died says
	}
	return died, err
}

// composeEnv returns env without the variables of a process-compose that the user has set up, and with a low
// GOGC.
func (k Stack) composeEnv(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "PC_") && !strings.HasPrefix(e, "PROC_COMP_") && !strings.HasPrefix(e, marker+"=") {
			kept = append(kept, e)
		}
	}
	return append(kept, "PROC_COMP_CONFIG="+k.runDir(), "GOGC=50")
}

// Restart stops and starts one component and returns when it is ready.
func (k Stack) Restart(ctx context.Context, name string) error {
	release, err := lock(ctx, k.Settings, k.Out)
	if err != nil {
		return err
	}
	defer release()
	c, err := k.component(name)
	if err != nil {
		return err
	}
	if err := k.supervisor().restart(ctx, name); err != nil {
		return fmt.Errorf("restart %q: %w", name, err)
	}
	return k.awaitReady(ctx, []Component{c}, nil)
}

// component returns the named component of the running copy.
func (k Stack) component(name string) (Component, error) {
	st, err := readState(k.Settings)
	if err != nil {
		return Component{}, err
	}
	if st == nil {
		return Component{}, fmt.Errorf("%w: nothing was started in %s; run \"firedrill up\"", ErrNotRunning, k.Data)
	}
	var known []string
	for _, c := range st.Components {
		if c.Name == name {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Component{}, fmt.Errorf("%w: no component %q; there are %s", ErrSettings, name, strings.Join(known, ", "))
}

// AttachCommand returns the command that shows process-compose's terminal view of the running copy.
func (k Stack) AttachCommand(ctx context.Context) (*exec.Cmd, error) {
	if _, err := k.supervisor().processes(ctx); err != nil {
		return nil, fmt.Errorf("nothing runs in %s (%w); run \"firedrill up\"", k.Data, err)
	}
	tools, err := Tools(k.Root)
	if err != nil {
		return nil, err
	}
	programs := newPrograms(k.Settings, tools, k.Executable, grafana{})
	cmd := exec.CommandContext(ctx, programs.tools["process-compose"], "attach", "--unix-socket", k.socketPath(),
		"--log-file", filepath.Join(k.logDir(), "process-compose-attach.log"))
	cmd.Env = k.composeEnv(os.Environ())
	return cmd, nil
}
