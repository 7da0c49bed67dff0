package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"firedrill/chaos"
	drillreport "firedrill/chaos/report"
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
	f.html, f.json = "", false // of the single drill
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := runner.named(fs.Args())
	if err != nil {
		return err
	}
	journals, failed := runner.each(ctx, drills, func(*chaos.Journal) error { return nil })
	if len(journals) == 0 {
		return failed
	}
	if err := runner.writeJUnit(journals); err != nil {
		return err
	}
	card := drillreport.NewScorecard(journals)
	if err := runner.keepCard(card, page); err != nil {
		return err
	}
	if asJSON {
		err = card.JSON(p.stdout)
	} else {
		err = card.Text(p.stdout)
	}
	if err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return verdictOf(journals)
}

// keepCard writes a scorecard among the results, and to page if that is named.
func (r *drillRunner) keepCard(card drillreport.Scorecard, page string) error {
	dir := filepath.Join(r.target.results(), time.Now().Format("20060102-150405-")+"matrix")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create folder of results: %w", err)
	}
	files := map[string]func(io.Writer) error{
		filepath.Join(dir, "scorecard.json"): card.JSON, filepath.Join(dir, "scorecard.html"): card.HTML,
	}
	if page != "" {
		files[page] = card.HTML
	}
	for path, write := range files {
		if err := writeFile(path, write); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.p.stderr, "Scorecard: %s\n", filepath.Join(dir, "scorecard.html"))
	return nil
}
