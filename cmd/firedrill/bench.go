package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

// Targets for a machine with two cores.
const (
	targetUp   = 5.0 // seconds
	targetDown = 3.0 // seconds
	targetRSS  = 700 // MiB
	targetCPU  = 0.2 // cores
)

func (p program) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench-stack",
		Short: "Measure start, stop, memory and CPU of the stack",
		Long: `Measures the native stack on this machine, in a copy of its own with temporary data: how long up and down take over many
cycles, whether a process is left running, and what the stack uses when idle. Exits 1 when a target is missed.`,
		Args: cli.Args(),
	}
	which := addStackFlags(cmd.Flags())
	cycles := cmd.Flags().Int("cycles", 20, "`number` of times to go up and down")
	idle := cmd.Flags().Duration("idle", time.Minute, "how long to let the idle stack settle, and then how long to watch it")
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *cycles < 1 || *idle <= 0 {
			return cli.Misuse("--cycles and --idle must be greater than 0")
		}
		return p.benchStack(cmd.Context(), which, *cycles, *idle, output)
	}
	return cmd
}

func (p program) benchStack(ctx context.Context, which *stackFlags, cycles int, idle time.Duration, output *cli.Output) error {
	target, err := which.stack(p)
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "firedrill-bench-")
	if err != nil {
		return fmt.Errorf("make temporary data folder: %w", err)
	}
	defer os.RemoveAll(data)
	target.Data, target.Out = data, io.Discard
	m, err := target.Measure(ctx, cycles, idle, func(line string) { fmt.Fprintln(p.stderr, line) })
	if err != nil {
		return err
	}
	err = output.Write(p.stdout, m, func(w io.Writer) error { return printMeasurement(w, m) })
	if err == nil && !withinTargets(m) {
		return cli.ErrQuiet
	}
	return err
}

func withinTargets(m stack.Measurement) bool {
	return slices.Max(m.Up) <= targetUp && slices.Max(m.Down) <= targetDown && m.Leftovers == 0 &&
		m.TotalRSS() <= targetRSS && m.CPU <= targetCPU
}

func printMeasurement(w io.Writer, m stack.Measurement) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "WHAT\tMEDIAN\tWORST\tTARGET")
	fmt.Fprintf(tw, "load average of the machine before\t%.1f\n", m.Load)
	fmt.Fprintf(tw, "up until all is ready (%d runs)\t%.2f s\t%.2f s\t≤ %.0f s\n", len(m.Up), stack.Median(m.Up), slices.Max(m.Up), targetUp)
	fmt.Fprintf(tw, "down (%d runs)\t%.2f s\t%.2f s\t≤ %.0f s\n", len(m.Down), stack.Median(m.Down), slices.Max(m.Down), targetDown)
	fmt.Fprintf(tw, "processes left after down\t\t%d\t0\n", m.Leftovers)
	fmt.Fprintf(tw, "idle CPU (over %.0f s)\t%.3f cores\t\t≤ %.1f\n", m.IdleFor, m.CPU, targetCPU)
	fmt.Fprintf(tw, "idle memory, RSS of all\t%.0f MiB\t\t≤ %d MiB\n", m.TotalRSS(), targetRSS)
	if m.PSS > 0 {
		fmt.Fprintf(tw, "  shared pages counted once (PSS)\t%.0f MiB\n", m.PSS)
	}
	names := slices.SortedFunc(maps.Keys(m.RSS), func(a, b string) int { return int(m.RSS[b] - m.RSS[a]) })
	for _, name := range names {
		fmt.Fprintf(tw, "  %s\t%.0f MiB\n", name, m.RSS[name])
	}
	return tw.Flush()
}
