package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/private"
)

// LoadOrder is what a load process must do.
type LoadOrder struct {
	Spec drill.LoadSpec
	Seed uint64
	Out  string // file for the result
}

// load starts a process that sends the load. It implements run.Load.
type load struct {
	command func(ctx context.Context, l LoadOrder) *exec.Cmd
	read    func(path string) (run.LoadResult, error)
	dir     string // folder for the files of the process
	seed    uint64
}

// Start implements run.Load.
func (l load) Start(ctx context.Context, spec drill.LoadSpec) (run.RunningLoad, error) {
	log, err := private.Create(filepath.Join(l.dir, "load.log"), 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	defer log.Close()
	r := &runningLoad{out: filepath.Join(l.dir, "load.json"), log: filepath.Join(l.dir, "load.log"), read: l.read, done: make(chan struct{})}
	// The process must be able to finish and write its result after ctx ends.
	r.cmd = l.command(context.WithoutCancel(ctx), LoadOrder{Spec: spec, Seed: l.seed, Out: r.out})
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.cmd.SysProcAttr = diesWithParent()
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.done)
	}()
	return r, nil
}

// runningLoad is a running load process. It implements run.RunningLoad.
type runningLoad struct {
	cmd      *exec.Cmd
	out, log string // paths of its result and of its output
	read     func(path string) (run.LoadResult, error)
	done     chan struct{}
	err      error // error with which the process ended
}

// Done implements run.RunningLoad.
func (r *runningLoad) Done() <-chan struct{} { return r.done }

// Stop implements run.RunningLoad.
func (r *runningLoad) Stop(ctx context.Context) (run.LoadResult, error) {
	_ = r.cmd.Process.Signal(syscall.SIGINT) // it may have ended already
	select {
	case <-r.done:
	case <-ctx.Done():
		_ = r.cmd.Process.Kill()
		<-r.done
		return run.LoadResult{}, fmt.Errorf("stop the load: %w", context.Cause(ctx))
	}
	if _, err := os.Stat(r.out); err != nil {
		return run.LoadResult{}, fmt.Errorf("the load left no result: %w", errors.Join(r.err, r.lastWords()))
	}
	result, err := r.read(r.out)
	if err != nil {
		return run.LoadResult{}, fmt.Errorf("read the load's result %q: %w", r.out, err)
	}
	result.Report = r.out
	return result, nil
}

// lastWords returns the last line that the load process printed, as an error.
func (r *runningLoad) lastWords() error {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return errors.New(lines[len(lines)-1])
}
