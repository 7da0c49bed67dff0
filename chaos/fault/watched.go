package fault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"firedrill/chaos/drill"
)

// watched is a fault on a process from the runner's side: it talks to the watchdog
// over pipes.
type watched struct {
	fault     drill.Fault
	lease     time.Duration
	id, dir   string
	processes Processes

	mu      sync.Mutex // one order at a time
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers <-chan answer
	over    bool
}

// beginWatched starts a watchdog and returns when the fault is on.
func beginWatched(ctx context.Context, cmd *exec.Cmd, f drill.Fault, lease time.Duration, dir string, p Processes) (*watched, error) {
	g := &watched{fault: f, lease: lease, id: f.Kind + "-" + rand.Text()[:8], dir: dir, processes: p, cmd: cmd}
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog of %s: %w", f.Kind, err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watchdog of %s: %w", f.Kind, err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // keeps signals of the terminal away from it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchdog of %s: %w", f.Kind, err)
	}
	g.orders, g.answers = orders, listen(answers)
	if err := g.ask(ctx, order{Do: doBegin, ID: g.id, Fault: f, Lease: lease}); err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s on %q: %w", f.Kind, f.Target, err), g.End(context.WithoutCancel(ctx)))
	}
	return g, nil
}

// listen returns the answers of a watchdog. It closes the channel when the watchdog has
// ended.
func listen(from io.Reader) <-chan answer {
	answers := make(chan answer, 1) // buffers an answer that came too late
	go func() {
		defer close(answers)
		for lines := json.NewDecoder(from); ; { // of any length, as the watchdog writes them
			var a answer
			if lines.Decode(&a) != nil {
				return
			}
			answers <- a
		}
	}()
	return answers
}

// errWatchdogGone means that the watchdog has ended because the lease ended or somebody
// killed it.
var errWatchdogGone = errors.New("its watchdog is gone: the lease ended, or somebody killed it")

func (g *watched) ask(ctx context.Context, o order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := g.orders.Write(append(line, '\n')); err != nil {
		return errWatchdogGone
	}
	for {
		select {
		case a, ok := <-g.answers:
			switch {
			case !ok:
				return errWatchdogGone
			case a.Do != o.Do:
				continue // an answer to an earlier order that timed out
			case a.Error != "":
				return errors.New(a.Error)
			}
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Renew implements run.Injection.
func (g *watched) Renew(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.ask(ctx, order{Do: doRenew, Lease: g.lease}); err != nil {
		return fmt.Errorf("renew %s on %q: %w", g.fault.Kind, g.fault.Target, err)
	}
	return nil
}

// End implements run.Injection. It undoes the fault itself if the watchdog was killed.
func (g *watched) End(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return nil
	}
	err := g.ask(ctx, order{Do: doEnd})
	_ = g.orders.Close() // ends the watchdog if it still runs
	if errors.Is(err, errWatchdogGone) {
		err = g.healLeftover(ctx)
	}
	if err != nil {
		return fmt.Errorf("end %s on %q: %w", g.fault.Kind, g.fault.Target, err)
	}
	_ = g.cmd.Wait() // the answer has the error
	g.over = true
	return nil
}

func (g *watched) healLeftover(ctx context.Context) error {
	all, err := notes(g.dir)
	for _, n := range all {
		if n.ID == g.id {
			return healNote(ctx, g.dir, n, g.processes)
		}
	}
	return err
}
