package main

import (
	"context"
	"fmt"
	"math"
	"text/tabwriter"

	"firedrill/chaos"
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
	drills, err := runner.named(fs.Args())
	if err != nil {
		return err
	}
	var all []chaos.Mutant
	for _, d := range drills {
		mutants, err := runner.mutants(ctx, d)
		if err != nil {
			return err
		}
		all = append(all, mutants...)
	}
	if err := runner.showMutants(all); err != nil {
		return err
	}
	return mutantsVerdict(all)
}

// changeNone is the change of the run that must pass.
const changeNone = "nothing is changed"

// mutants runs a drill as it is and with its fault switched off, and returns what each came to.
func (r *drillRunner) mutants(ctx context.Context, d *chaos.Drill) ([]chaos.Mutant, error) {
	whole, err := r.one(ctx, d, false, false)
	if err != nil {
		return nil, err
	}
	all := []chaos.Mutant{chaos.NewMutant(whole, changeNone)}
	if whole.Verdict == chaos.Pass {
		judged, err := chaos.Mutants(whole, d)
		if err != nil {
			return nil, err
		}
		all = append(all, judged...)
	}
	if len(d.Faults) == 0 || ctx.Err() != nil {
		return all, nil
	}
	off := *r
	off.idle = true
	idle, err := off.one(ctx, d, true, false)
	if err != nil {
		return nil, err
	}
	return append(all, chaos.NewMutant(idle, chaos.ChangeFaultOff)), nil
}

// asWanted tells whether a run came to what it must: a pass as it is, a failure with any change.
func asWanted(m chaos.Mutant) bool {
	if m.Change == changeNone {
		return m.Verdict == chaos.Pass
	}
	return m.Killed()
}

func (r *drillRunner) showMutants(all []chaos.Mutant) error {
	if r.json {
		return writeJSON(r.p.stdout, all)
	}
	table := tabwriter.NewWriter(r.p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DRILL\tCHANGE\tVERDICT\t\tREASON")
	for _, m := range all {
		sign := "✗"
		if asWanted(m) {
			sign = "✓"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", m.Drill, m.Change, m.Verdict, sign, shorten(m.Reason))
	}
	return table.Flush()
}

// longestReason is how much of a reason a table shows.
const longestReason = 100

func shorten(text string) string {
	if runes := []rune(text); len(runes) > longestReason {
		return string(runes[:longestReason]) + "…"
	}
	return text
}

// mutantsVerdict is an error unless every run came to what it must.
func mutantsVerdict(all []chaos.Mutant) error {
	unclear, missed := 0, 0
	for _, m := range all {
		switch {
		case asWanted(m):
		case m.Verdict == chaos.Inconclusive || m.Verdict == chaos.Aborted:
			unclear++
		default:
			missed++
		}
	}
	switch {
	case missed > 0:
		return fmt.Errorf("%d of %d runs came to something else than they must", missed, len(all))
	case unclear > 0:
		return &exit{exitInvalid, fmt.Errorf("%d of %d runs are without a clear result", unclear, len(all))}
	}
	return nil
}
