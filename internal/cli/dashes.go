package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// DoubleDashes returns args with long flags that begin with one dash changed to two: "-data" becomes "--data".
// Scripts that were written for the single dash thus keep working. A flag is changed if the command has a long
// flag of that name. It is also changed if no short flag has its first letter, so that the error about an
// unknown flag contains the whole name. Values of flags, and everything after "--", are not changed.
func DoubleDashes(root *cobra.Command, args []string) []string {
	cmd, out := root, make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(out, args[i:]...)
		case !strings.HasPrefix(arg, "-") || arg == "-":
			out = append(out, arg)
			if child := childOf(cmd, arg); child != nil {
				cmd = child
			}
			continue
		}
		arg = doubleDash(cmd, arg)
		out = append(out, arg)
		if takesNext(cmd, arg) && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

func childOf(cmd *cobra.Command, name string) *cobra.Command {
	for _, child := range cmd.Commands() {
		if child.Name() == name || child.HasAlias(name) {
			return child
		}
	}
	return nil
}

func doubleDash(cmd *cobra.Command, arg string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
	if strings.HasPrefix(arg, "--") || len(name) < 2 {
		return arg
	}
	if flagOf(cmd, name) != nil || name == "help" || name == "version" || shortOf(cmd, name[:1]) == nil && name[:1] != "h" {
		return "-" + arg
	}
	return arg
}

func flagOf(cmd *cobra.Command, name string) *pflag.Flag {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f
	}
	return cmd.InheritedFlags().Lookup(name)
}

func shortOf(cmd *cobra.Command, letter string) *pflag.Flag {
	if f := cmd.Flags().ShorthandLookup(letter); f != nil {
		return f
	}
	return cmd.InheritedFlags().ShorthandLookup(letter)
}

// takesNext reports whether the next argument is the value of the flag.
func takesNext(cmd *cobra.Command, arg string) bool {
	name, isLong := strings.CutPrefix(arg, "--")
	var f *pflag.Flag
	switch {
	case strings.Contains(arg, "="):
		return false
	case isLong:
		f = flagOf(cmd, name)
	case len(arg) == 2:
		f = shortOf(cmd, arg[1:])
	}
	return f != nil && f.NoOptDefVal == ""
}
