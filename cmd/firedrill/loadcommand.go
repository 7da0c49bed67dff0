package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (p program) loadCommand() *cobra.Command {
	ctx := context.Background()
	cmd := p.wrapped(ctx, command{"load", "drive a target at a rate and report what it did", load})
	cmd.Use = "load [flags] PROFILE.yaml|URL"
	cmd.Long = `Drives a target at the rate that the profile says, whether or not the target keeps up. Response times count from when a
request was due, so a slow target cannot hide its delays. docs/load.md explains profiles; loadgen/profiles has some.

Ctrl-C ends a run with a report of what was done; a second one stops at once.

Exit codes: 0 good, 1 a threshold is broken or not one request succeeded, 2 misuse, 3 the run is invalid: it was not the load that the profile describes.`
	cmd.Example = `  firedrill load loadgen/profiles/smoke.yaml
  firedrill load --rate 200/s --duration 2m http://127.0.0.1:8000/products
  firedrill load --rate 50/s --duration 1m --targets targets.txt
  firedrill load --save run.json --html run.html --threshold "p99 < 300ms" loadgen/profiles/steady.yaml`
	cmd.ValidArgsFunction = p.completeProfiles
	for _, c := range loadCommands() {
		cmd.AddCommand(p.wrapped(ctx, c))
	}
	return cmd
}
