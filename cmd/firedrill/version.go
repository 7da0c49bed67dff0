package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"firedrill/deploy/stack"
)

// version is set by the Makefile's -ldflags; a plain go build leaves it empty.
var version string

const versionUsage = `version

Prints the version of firedrill and those of the upstream programs that its repository pins.`

func printVersion(_ context.Context, p program, args []string) error {
	fs := p.newFlags("version", versionUsage)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "firedrill\t%s\t%s\n", ownVersion(), runtime.Version())
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the running program: %w", err)
	}
	settings, err := stack.Resolve(stack.Flags{}, p.getenv, executable)
	if err != nil {
		return err
	}
	tools, err := stack.Tools(settings.Root)
	if err != nil {
		return err
	}
	for _, t := range tools {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", t.Name, t.Version, t.Path)
	}
	return tw.Flush()
}

func ownVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
