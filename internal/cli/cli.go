// Package cli holds what all commands of a program share: the root of the command tree, exit codes, the
// reporting of misuse and errors, the output format, and the compatibility with flags that begin with a single
// dash. It must not know any command.
package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Program is a command tree and what it needs from the process.
type Program struct {
	Root           *cobra.Command
	Stdout, Stderr io.Writer
	Misuse         []error // errors of other packages that mean misuse or bad configuration
}

// Run runs the command that args name, prints its error, and returns the exit code.
func (p Program) Run(ctx context.Context, args []string) int {
	p.Root.SetOut(p.Stdout)
	p.Root.SetErr(p.Stderr)
	p.Root.SetArgs(DoubleDashes(p.Root, args))
	cmd, err := p.Root.ExecuteContextC(ctx)
	return Report(cmd.CommandPath(), err, p.Stderr, p.Misuse...)
}

// Root returns cmd as the root of a command tree. Only Run prints errors, a flag that cannot be parsed is
// misuse, and help lists the subcommands by groups, in the given order.
func Root(cmd *cobra.Command, groups ...*cobra.Group) *cobra.Command {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return hint(cmd, "%w", err) })
	cmd.SetUsageTemplate(usageTemplate)
	cmd.Flags().Bool("version", false, "print the version") // without the short flag that cobra gives it
	cmd.AddGroup(groups...)
	return Group(cmd)
}

// Group makes a command that only has subcommands. Without a subcommand it prints its help and fails; an unknown one is
// misuse, and the error suggests those with similar names.
func Group(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(children...)
	cmd.Args, cmd.DisableFlagsInUseLine = cobra.ArbitraryArgs, true
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && args[0] == "help":
			return cmd.Help()
		case len(args) > 0:
			return unknownCommand(cmd, args[0])
		}
		cmd.SetOut(cmd.ErrOrStderr())
		if err := cmd.Help(); err != nil {
			return fmt.Errorf("print help: %w", err)
		}
		return hint(cmd, "missing argument: COMMAND")
	}
	return cmd
}

// suggestAt is the largest edit distance at which a command is suggested.
const suggestAt = 2

func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = suggestAt
	if similar := cmd.SuggestionsFor(name); len(similar) > 0 {
		return hint(cmd, "unknown command: %q; did you mean %s?", name, strings.Join(quoted(similar), " or "))
	}
	return hint(cmd, "unknown command: %q", name)
}

func quoted(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, fmt.Sprintf("%q", text))
	}
	return all
}

// hint returns an error of misuse that ends with the command for the help of cmd.
func hint(cmd *cobra.Command, format string, args ...any) error {
	return Misuse(format+"; see \"%s --help\"", append(args, cmd.CommandPath())...)
}

// Args returns a check of the positional arguments that names describe: "FILE" is required, "[FILE]" is optional, "FILE..."
// is one or more, "[FILE...]" any number.
func Args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		required := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasPrefix(name, "[") })
		if len(args) < len(required) {
			return hint(cmd, "missing argument: %s", strings.TrimSuffix(required[len(args)], "..."))
		}
		repeated := slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "...") })
		if len(args) > len(names) && !repeated {
			return hint(cmd, "unexpected argument: %q", args[len(names)])
		}
		return nil
	}
}
