package main

import (
	"context"
	"fmt"
	"math"
	"text/tabwriter"

	chaosrun "firedrill/chaos/run"
)

const drillMutantsUsage = `drill mutants [flags] [NAME…]

Tests drills (all of them without NAME): does a drill notice when there is no fault, or when a signal is missing? Each drill is
run twice, on stacks of its own: once as it is, which must pass, and once with its fault switched off, which must fail. The
observations of the first run are judged again with each expected alert removed, with the metrics, the traces and the log lines
removed in turn, and with an alert that must not fire; each of these must fail too.

Exit codes: 0 every change was noticed, 1 one was not, 2 misuse, 3 a run was inconclusive.`

func drillMutants(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill mutants", drillMutantsUsage)
	f := addDrillFlags(fs, true)
	if err := parse(fs, args, 0, math.MaxInt); err != nil {
		return err
	}
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := runner.target.drills(fs.Args()...)
	if err != nil {
		return err
	}
	var all []chaosrun.Mutant
	series := runner.series()
	for _, d := range drills {
		mutants, err := series.Mutants(ctx, d)
		if err != nil {
			return misuse(err)
		}
		all = append(all, mutants...)
	}
	if err := runner.showMutants(all); err != nil {
		return err
	}
	return mutantsVerdict(all)
}

// showMutants prints a line for each run.
func (r *drillRunner) showMutants(all []chaosrun.Mutant) error {
	if r.json {
		return writeJSON(r.p.stdout, all)
	}
	table := tabwriter.NewWriter(r.p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DRILL\tCHANGE\tVERDICT\t\tREASON")
	for _, m := range all {
		sign := "✗"
		if m.AsWanted() {
			sign = "✓"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.Drill, m.Change, m.Verdict, sign, shorten(m.Reason))
	}
	return table.Flush()
}

// longestReason is how many characters of a reason a table shows.
const longestReason = 100

// shorten cuts a text that is too long for a table.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > longestReason {
		return string(runes[:longestReason]) + "…"
	}
	return text
}

// mutantsVerdict returns an error unless every run had the required result.
func mutantsVerdict(all []chaosrun.Mutant) error {
	switch missed, unclear := chaosrun.CountMutants(all); {
	case missed > 0:
		return fmt.Errorf("%d of %d runs came to something else than they must", missed, len(all))
	case unclear > 0:
		return &exit{exitInvalid, fmt.Errorf("%d of %d runs are without a clear result", unclear, len(all))}
	}
	return nil
}
