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

	"firedrill/deploy/stack"
)

const benchUsage = `bench-stack [flags]

Measures the native stack on this machine in a copy of its own, on temporary data: how long up and down take over many
cycles, whether anything is left running, and what it uses when idle. Exits 1 when a target is missed.`

// The targets, for a machine with two cores.
const (
	targetUp   = 5.0 // seconds
	targetDown = 3.0 // seconds
	targetRSS  = 700 // MiB
	targetCPU  = 0.2 // cores
)

func benchStack(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("bench-stack", benchUsage)
	which := addStackFlags(fs)
	cycles := fs.Int("cycles", 20, "`number` of times to go up and down")
	idle := fs.Duration("idle", time.Minute, "how long to settle, and then to watch, the idle stack")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if *cycles < 1 || *idle <= 0 {
		return fmt.Errorf("%w: -cycles and -idle must be above 0", errUsage)
	}
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
	m, err := target.Measure(ctx, *cycles, *idle, func(line string) { fmt.Fprintln(p.stderr, line) })
	if err != nil {
		return err
	}
	if *asJSON {
		err = writeJSON(p.stdout, m)
	} else {
		printMeasurement(p.stdout, m)
	}
	if err == nil && !withinTargets(m) {
		return errQuiet
	}
	return err
}

func withinTargets(m stack.Measurement) bool {
	return slices.Max(m.Up) <= targetUp && slices.Max(m.Down) <= targetDown && m.Leftovers == 0 &&
		m.TotalRSS() <= targetRSS && m.CPU <= targetCPU
}

func printMeasurement(w io.Writer, m stack.Measurement) {
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
	_ = tw.Flush()
}
