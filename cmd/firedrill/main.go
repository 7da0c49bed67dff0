// Command firedrill runs the stack and the shop, shows their state, generates load, and runs drills. This
// package only connects other packages: each file has the commands of one group. A command reads its flags,
// calls the package that does the work, and prints the result.
package main

import (
	"context"
	"flag"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// program holds what a command gets from the process.
type program struct {
	getenv         func(string) string
	stdout, stderr io.Writer

	// inspect, if set, is called with a function's flags instead of running the function; see wrapped.
	inspect func(flags *flag.FlagSet, usage string)
}

// run runs the program and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p := program{getenv: getenv, stdout: stdout, stderr: stderr}
	root := p.tree() //nolint:contextcheck // commands take theirs from cobra when they run
	tree := cli.Program{Root: root, Stdout: stdout, Stderr: stderr, Misuse: []error{stack.ErrSettings}}
	return tree.Run(ctx, args)
}

// Groups of commands by purpose.
const (
	groupRun        = "run"
	groupLook       = "look"
	groupLoad       = "load"
	groupObjectives = "objectives"
	groupDrills     = "drills"
)

// tree returns the tree of all commands.
func (p program) tree() *cobra.Command {
	root := cli.Root(&cobra.Command{
		Use:   "firedrill COMMAND",
		Short: "A fire drill for observability",
		Long: `A fire drill for observability: a real stack, a small shop of instrumented services, and faults that alerts must notice.

Exit codes: 0 good, 1 the thing that was checked failed, 2 misuse or bad configuration, 3 the result is invalid.`,
		Example: `  firedrill up                          start the stack and the shop
  firedrill drill run total-outage      break something, and see whether it is noticed
  firedrill load --rate 50/s --duration 1m http://127.0.0.1:8000/products`,
		Version: ownVersion(),
	},
		&cobra.Group{ID: groupRun, Title: "Run the stack and the shop:"},
		&cobra.Group{ID: groupLook, Title: "Look at them:"},
		&cobra.Group{ID: groupLoad, Title: "Drive and measure load:"},
		&cobra.Group{ID: groupObjectives, Title: "Objectives and alerts:"},
		&cobra.Group{ID: groupDrills, Title: "Drills:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
		}
		root.AddCommand(commands...)
	}
	add(groupRun, p.upCommand(), p.downCommand(), p.resetCommand(), p.restartCommand(), p.buildCommand())
	add(groupLook, p.statusCommand(), p.verifyCommand(), p.logsCommand(), p.uiCommand(), p.consoleCommand())
	add(groupLoad, p.loadCommand(), p.capacityCommand(), p.benchCommand())
	add(groupObjectives, p.sloCommand())
	add(groupDrills, p.drillCommand())
	add("", p.versionCommand(), p.notificationsCommand(), p.entryCommand())
	return root
}
