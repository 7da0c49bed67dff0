package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// childArg makes this program run as a child of itself. Parent and child
// communicate over the child's standard input and output, so a child ends when
// its parent ends.
const childArg = "child"

var errChild = errors.New("want child sink, child load, or child case STACK RATIO OTLP LOKI")

// runChild runs one role until its parent ends.
func runChild(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "sink":
		s, err := startSink(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return serve(&Sink{s}, in, out)
	case len(args) == 1 && args[0] == "load":
		return serve(&Load{}, in, out)
	case len(args) == 5 && args[0] == "case":
		ratio, err := strconv.ParseFloat(args[2], 64)
		if err != nil {
			return errChild
		}
		s, err := newStack(ctx, args[1], ratio, Backends{OTLP: args[3], Loki: args[4]})
		if err != nil {
			return err
		}
		return serve(&Case{stack: s, caller: newCaller(s.app)}, in, out)
	}
	return errChild
}

type pipe struct {
	io.Reader
	io.Writer
}

func (pipe) Close() error { return nil }

func serve(receiver any, in io.Reader, out io.Writer) error {
	srv := rpc.NewServer()
	if err := srv.RegisterName("Child", receiver); err != nil {
		return fmt.Errorf("register the methods of a child: %w", err)
	}
	srv.ServeConn(pipe{in, out})
	return nil
}

// child is a running child process.
type child struct {
	name string
	cmd  *exec.Cmd
	rpc  *rpc.Client
}

// startChild starts a child, which writes its errors to errs. It is killed when
// ctx ends.
func startChild(ctx context.Context, errs io.Writer, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find path of this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{childArg}, args...)...)
	cmd.Stderr = errs
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start child %q: %w", args, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start child %q: %w", args, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child %q: %w", args, err)
	}
	return &child{name: args[0], cmd: cmd, rpc: rpc.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{out, in})}, nil
}

// call calls a method of the child.
func (c *child) call(ctx context.Context, method string, arg, reply any) error {
	pending := c.rpc.Go("Child."+method, arg, reply, make(chan *rpc.Call, 1))
	select {
	case <-pending.Done:
		if pending.Error != nil {
			return fmt.Errorf("call %s of child %s: %w", method, c.name, pending.Error)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stop closes the child's input, so that it ends. It kills the child after 3 s.
func (c *child) stop() {
	_ = c.rpc.Close()
	kill := time.AfterFunc(3*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Wait() // the exit status does not matter
}
