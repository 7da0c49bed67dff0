package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

// subcommand runs the one of a command's own commands that args begin with, or lists
// them all after usage.
func (p program) subcommand(ctx context.Context, name, usage string, all []command, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "help" {
		for _, c := range all {
			usage += fmt.Sprintf("  %-10s %s\n", c.name, c.summary)
		}
		fmt.Fprintf(p.stderr, "Usage: firedrill %s\n\"firedrill %s COMMAND -h\" explains a command.\n", usage, name)
		if len(args) == 0 {
			return fmt.Errorf("%w: no command", errUsage)
		}
		return flag.ErrHelp
	}
	for _, c := range all {
		if c.name == args[0] {
			return c.run(ctx, p, args[1:])
		}
	}
	return fmt.Errorf("%w: no command %q; \"firedrill %s help\" lists them", errUsage, args[0], name)
}
