package main

import (
	"context"
	"fmt"
	"math"

	drillreport "firedrill/chaos/report"
	chaosrun "firedrill/chaos/run"
)

const drillMatrixUsage = `drill matrix [flags] [NAME…]

Runs drills (all of them without NAME), each on a stack of its own (with --fresh=false on the stack that runs), and prints what
each signal showed: the alert, how soon it fired and how soon it was expected to, the trace, the log lines, the metric, whether
all alerts resolved, and false alarms. All drills take most of an hour. The scorecard is kept in DATA/drills too.`

func drillMatrix(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill matrix", drillMatrixUsage)
	f := addDrillFlags(fs, true)
	fs.Lookup("html").Usage = "`file` to write the scorecard to as a page"
	fs.Lookup("json").Usage = "print the scorecard as JSON instead of a table"
	if err := parse(fs, args, 0, math.MaxInt); err != nil {
		return err
	}
	page, asJSON := f.html, f.json
	f.html, f.json = "", false // they are for a single drill
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := runner.target.drills(fs.Args()...)
	if err != nil {
		return err
	}
	return runner.each(ctx, drills, func(*chaosrun.Journal) error { return nil }, func(journals []*chaosrun.Journal) error {
		card := drillreport.NewScorecard(journals)
		kept, err := runner.target.folder().KeepScorecard(card, page)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "Scorecard: %s\n", kept)
		if asJSON {
			return card.JSON(p.stdout)
		}
		return card.Text(p.stdout)
	})
}
