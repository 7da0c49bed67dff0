package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"firedrill/deploy/stack"
)

// newFlags returns the flag set of a subcommand whose -h prints usage, which begins with the synopsis.
func (p program) newFlags(name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(p.stderr)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "Usage: firedrill %s\n", strings.TrimSpace(usage))
		fmt.Fprintln(fs.Output(), "\nFlags:")
		fs.PrintDefaults()
	}
	return fs
}

// parse parses args and holds the count of the arguments that are no flags to [least, most].
func parse(fs *flag.FlagSet, args []string, least, most int) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	switch n := fs.NArg(); {
	case n > most:
		return fmt.Errorf("%w: %q is one argument too many, see \"firedrill %s -h\"", errUsage, fs.Arg(most), fs.Name())
	case n < least:
		return fmt.Errorf("%w: something must be named, see \"firedrill %s -h\"", errUsage, fs.Name())
	}
	return nil
}

// stackFlags are the flags that say which copy of the stack a subcommand means.
type stackFlags struct {
	flags  stack.Flags
	offset int
	where  string // what it runs in
	fs     *flag.FlagSet
}

func addStackFlags(fs *flag.FlagSet) *stackFlags {
	f := &stackFlags{fs: fs}
	fs.IntVar(&f.offset, "offset", 0, "`number` added to every port (FIREDRILL_PORT_OFFSET)")
	fs.StringVar(&f.flags.Data, "data", "", "`folder` of all run-time data (FIREDRILL_DATA; default .data in the repository)")
	fs.StringVar(&f.flags.Bin, "bin", "", "`folder` of the built upstream programs, which copies may share (FIREDRILL_STACK_BIN; default .bin/stack in the repository)")
	return f
}

// stack returns the copy that the parsed flags and the environment mean.
func (f *stackFlags) stack(p program) (stack.Stack, error) {
	f.fs.Visit(func(given *flag.Flag) {
		if given.Name == "offset" {
			f.flags.Offset = &f.offset
		}
	})
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

// runningOffset is the port offset of the copy that runs in the data folder that the environment means; 0 where there is
// none, nor a repository.
func (p program) runningOffset() int {
	executable, err := os.Executable()
	if err != nil {
		return 0
	}
	settings, err := stack.Resolve(stack.Flags{}, p.getenv, executable)
	if err != nil {
		return 0
	}
	return settings.Offset
}
