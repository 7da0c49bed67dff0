package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"firedrill/deploy/stack"
)

// flagSet is the part of a set of flags that stackFlags need. The flags of cobra and of the standard library
// implement it.
type flagSet interface {
	StringVar(p *string, name, value, usage string)
	Func(name, usage string, fn func(string) error)
}

// stackFlags are the flags that select a copy of the stack.
type stackFlags struct {
	flags stack.Flags
	where string // native, compose, or "" if not given
}

func addStackFlags(fs flagSet) *stackFlags {
	f := &stackFlags{}
	fs.Func("offset", "`number` added to every port (FIREDRILL_PORT_OFFSET)", func(text string) error {
		offset, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("want a whole number")
		}
		f.flags.Offset = &offset
		return nil
	})
	fs.StringVar(&f.flags.Data, "data", "", "`folder` of all run-time data (FIREDRILL_DATA; default .data in the repository)")
	fs.StringVar(&f.flags.Bin, "bin", "", "`folder` of the built upstream programs, which copies may share (FIREDRILL_STACK_BIN; default .bin/stack in the repository)")
	return f
}

// stack returns the copy that the parsed flags and the environment select.
func (f *stackFlags) stack(p program) (stack.Stack, error) {
	executable, err := os.Executable()
	if err != nil {
		return stack.Stack{}, fmt.Errorf("find the running program: %w", err)
	}
	settings, err := stack.Resolve(f.flags, p.getenv, executable)
	if err != nil {
		return stack.Stack{}, err
	}
	return stack.Stack{
		Settings: settings, Executable: executable, Getenv: p.getenv, Out: p.stderr,
	}, nil
}

// settings returns the settings of the copy that the environment selects.
func (p program) settings() (stack.Settings, error) {
	s, err := new(stackFlags).stack(p)
	return s.Settings, err
}

// runningOffset returns the port offset of the copy that runs in the data folder that the environment selects.
// It returns 0 if there is no such copy or no repository.
func (p program) runningOffset() int {
	settings, err := p.settings()
	if err != nil {
		return 0
	}
	return settings.Offset
}
