package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"firedrill/internal/cli"
)

// Names shared by functions with flag sets of their own.
const (
	exitFailed  = cli.ExitFailed
	exitMisuse  = cli.ExitMisuse
	exitInvalid = cli.ExitInvalid
)

var (
	errUsage = cli.ErrMisuse
	errQuiet = cli.ErrQuiet
)

// coder is an error with an exit code.
type coder interface{ ExitCode() int }

// command is a command whose function reads its flags from args with the standard library's flag package.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, p program, args []string) error
}

// wrapped returns c as a command of the tree. To learn its flags, it calls the function with -h: the function
// then declares its flags and returns before it does anything.
func (p program) wrapped(ctx context.Context, c command) *cobra.Command {
	asked := program{getenv: p.getenv, stdout: io.Discard, stderr: io.Discard}
	var cmd *cobra.Command
	asked.inspect = func(flags *flag.FlagSet, usage string) { //nolint:contextcheck // the function gets its own when it runs
		cmd = cli.FromFlagSet(usage, sentence(c.summary), flags, func(ctx context.Context, args []string) error {
			return c.run(ctx, p, args)
		})
	}
	if err := c.run(ctx, asked, []string{"-h"}); !errors.Is(err, flag.ErrHelp) || cmd == nil {
		panic(fmt.Sprintf("command %q does not declare its flags first: %v", c.name, err))
	}
	return cmd
}

// sentence returns text with a capital first letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// newFlags returns the flag set of a function. With -h it prints usage, which begins with the synopsis.
func (p program) newFlags(name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(p.stderr)
	fs.Usage = func() {}
	if p.inspect != nil {
		fs.Usage = func() { p.inspect(fs, usage) }
	}
	return fs
}

// parse parses args, which the command tree has checked. It returns an error unless there are least to most
// positional arguments.
func parse(fs *flag.FlagSet, args []string, least, most int) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return cli.Misuse("%w", err)
	}
	switch n := fs.NArg(); {
	case n > most:
		return cli.Misuse("unexpected argument: %q; see \"firedrill %s --help\"", fs.Arg(most), fs.Name())
	case n < least:
		return cli.Misuse("missing argument; see \"firedrill %s --help\"", fs.Name())
	}
	return nil
}

// isSet reports whether a flag was given.
func isSet(fs *flag.FlagSet, name string) bool {
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}
