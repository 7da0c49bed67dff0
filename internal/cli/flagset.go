package cli

import (
	"context"
	"flag"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FromFlagSet returns a command for a function that reads its flags with the standard library's flag package.
// flags has its flags. usage is its help, which begins with the synopsis: "drill show [flags] NAME". run is
// called with the given flags, spelled as the flag package expects them, and then the arguments.
//
// The flag -json becomes --output json. The flag -o, which names a file, becomes --save; -o with a file's name
// still works.
func FromFlagSet(usage, short string, flags *flag.FlagSet, run func(ctx context.Context, args []string) error) *cobra.Command {
	synopsis, long, _ := strings.Cut(strings.TrimSpace(usage), "\n\n")
	first, others, several := strings.Cut(synopsis, "\n")
	words := strings.Fields(first)
	name := len(strings.Fields(flags.Name())) // number of words in the command's name
	cmd := &cobra.Command{
		Use: strings.Join(words[name-1:], " "), Short: short, Long: strings.TrimSpace(long),
		Args: Args(positionals(words[name:])...), DisableFlagsInUseLine: strings.Contains(first, "[flags]"),
	}
	if several {
		cmd.Args = cobra.ArbitraryArgs // the function checks which arguments go together
		cmd.Long = "Also: " + strings.Join(strings.Fields(others), " ") + "\n\n" + cmd.Long
	}
	var given []string
	output := copyFlags(cmd, flags, &given)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		all := given
		if output != nil && output.JSON() {
			all = append(all, "-json")
		}
		return run(cmd.Context(), append(append(all, "--"), args...))
	}
	return cmd
}

var positional = regexp.MustCompile(`^\[?[A-Z]`)

// positionals returns the words of a synopsis that stand for arguments, in the format of Args.
func positionals(words []string) []string {
	var names []string
	for _, word := range words {
		if positional.MatchString(word) {
			names = append(names, strings.ReplaceAll(word, "…", "..."))
		}
	}
	return names
}

// copyFlags adds flags to cmd. It appends the flags on the command line to given.
func copyFlags(cmd *cobra.Command, flags *flag.FlagSet, given *[]string) (output *Output) {
	if flags.Lookup("json") != nil {
		output = AddOutput(cmd)
	}
	flags.VisitAll(func(f *flag.Flag) {
		p := pflag.PFlagFromGoFlag(f)
		p.Value = recorder{p.Value, f.Name, given}
		if p.DefValue == "0s" {
			p.DefValue = "" // no default to show
		}
		switch f.Name {
		case "json":
			return
		case "o":
			p.Name, p.Shorthand = "save", ""
			formerSave(cmd, p.Value, output)
		}
		cmd.Flags().AddFlag(p)
	})
	return output
}

// formerSave makes -o FILE mean --save FILE if the value is not a format. Help does not list it.
func formerSave(cmd *cobra.Command, save pflag.Value, output *Output) {
	if output != nil {
		output.other = save.Set
		return
	}
	cmd.Flags().AddFlag(&pflag.Flag{Name: "output", Shorthand: "o", Usage: "former spelling of --save", Value: save, Hidden: true})
}

// recorder is the value of a flag. It records each use of the flag.
type recorder struct {
	pflag.Value
	name  string
	given *[]string
}

// Set implements pflag.Value.
func (r recorder) Set(text string) error {
	if err := r.Value.Set(text); err != nil {
		return err
	}
	*r.given = append(*r.given, "-"+r.name+"="+text)
	return nil
}
