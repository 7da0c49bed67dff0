package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

// version is set by the Makefile's -ldflags. A plain go build leaves it empty.
var version string

// versions holds the versions of firedrill and of the upstream programs.
type versions struct {
	Firedrill string            `json:"firedrill"`
	Go        string            `json:"go"`
	Stack     []upstreamVersion `json:"stack"`
}

type upstreamVersion struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Path    string `json:"path"` // of the Go package
}

func (p program) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of firedrill and of the upstream programs",
		Long: `Prints the version of firedrill and the versions of the upstream programs that its repository pins. "firedrill --version"
prints only the first and needs no repository.`,
		Args: cli.Args(),
	}
	output := cli.AddOutput(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		root, err := p.root()
		if err != nil {
			return err
		}
		tools, err := stack.Tools(root)
		if err != nil {
			return err
		}
		v := versions{Firedrill: ownVersion(), Go: runtime.Version()}
		for _, t := range tools {
			v.Stack = append(v.Stack, upstreamVersion{t.Name, t.Version, t.Path})
		}
		return output.Write(p.stdout, v, v.write)
	}
	return cmd
}

func (v versions) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "firedrill\t%s\t%s\n", v.Firedrill, v.Go)
	for _, t := range v.Stack {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", t.Name, t.Version, t.Path)
	}
	return tw.Flush()
}

// ownVersion returns the version of firedrill.
func ownVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
