// Command firedrill operates the kit: it brings the stack and the shop up and down and looks at them. Each subcommand has
// a file of its own. What the commands do belongs to the packages they call.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"firedrill/deploy/stack"
)

// Exit codes: 0 good, then
const (
	exitFailed  = 1 // the thing checked or tried failed
	exitMisuse  = 2 // misuse or bad configuration
	exitInvalid = 3 // the result is invalid
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// program is what a subcommand gets from the process.
type program struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// command is one subcommand. Its function reads its own flags from args.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, p program, args []string) error
}

func commands() []command {
	return []command{
		{"up", "build what is missing, start everything, wait until it is ready", up},
		{"build", "build the upstream programs that are missing", build},
		{"status", "what runs, where, and whether it is ready", status},
		{"verify", "prove that every signal of every service arrives and leads to the next", verifyAll},
		{"logs", "what a component printed", logs},
		{"restart", "stop and start one component", restart},
		{"ui", "process-compose's terminal view of everything", ui},
		{"down", "stop everything", down},
		{"reset", "stop everything and delete its data", reset},
		{"load", "drive a target at a rate and tell the truth about it", load},
		{"slo", "objectives: rules, explanation, simulation, import, history", sloMain},
		{"drill", "break something on purpose, and check that it is noticed", drillMain},
		{"notifications", "receive Alertmanager's notifications and keep them", notify},
		{"capacity", "what a rate of requests makes of telemetry, and what keeps it", capacityMain},
		{"entry", "one address for a program that runs as several processes", entry},
		{"bench-stack", "measure start, stop, memory and CPU of the stack", benchStack},
		{"version", "the versions of firedrill and of the upstream programs", printVersion},
	}
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		printUsage(stdout)
		if len(args) == 0 {
			return exitMisuse
		}
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return report(c.name, c.run(ctx, program{getenv, stdout, stderr}, args[1:]), stderr)
		}
	}
	fmt.Fprintf(stderr, "firedrill: no command %q; \"firedrill help\" lists them\n", args[0])
	return exitMisuse
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "A fire drill for observability: a real stack, a real shop, and faults that alerts must notice.\n\nUsage: firedrill COMMAND [flags]\n\nCommands:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-14s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "\n\"firedrill COMMAND -h\" explains a command.\nExit codes: 0 good, 1 what was checked failed, 2 misuse or bad configuration, 3 the result is invalid.")
}

// errUsage marks an error in the arguments; errQuiet one that was already shown, as by a table.
var (
	errUsage = errors.New("usage")
	errQuiet = errors.New("failed")
)

// coder is an error that brings its own exit code.
type coder interface{ ExitCode() int }

// report tells an error once and returns the exit code.
func report(name string, err error, stderr io.Writer) int {
	var own coder
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errQuiet):
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(stderr, "firedrill %s: interrupted\n", name)
		return exitFailed
	}
	fmt.Fprintf(stderr, "firedrill %s: %v\n", name, err)
	switch {
	case errors.As(err, &own):
		return own.ExitCode()
	case errors.Is(err, errUsage), errors.Is(err, stack.ErrSettings):
		return exitMisuse
	}
	return exitFailed
}
