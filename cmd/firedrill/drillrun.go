package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"firedrill/alerts/rules"
	"firedrill/chaos/drill"
	drillreport "firedrill/chaos/report"
	chaosrun "firedrill/chaos/run"
	"firedrill/chaos/session"
	"firedrill/internal/junit"
)

const drillRunUsage = `drill run [flags] NAME…

Runs drills one after the other on the stack that runs, shows what happens, and says for each whether everything that should be
seen was seen. NAME is a name from "firedrill drill list", or a file.

A drill is refused unless the steady state holds: no alert fires or is pending, and all probes except those "during" hold.
Earlier errors stay in the windows of alerts for minutes; --wait waits for these alerts to resolve. With --fresh each drill
gets a new stack instead, which starts in seconds, beside yours.

For a stack elsewhere give --remote FILE, which holds its URLs, and set SHOP_FAULTS_TOKEN to the token that its services accept.
There, as in containers, only drills whose faults the services show themselves can run.

    prometheus: https://prometheus.example
    loki: https://loki.example
    tempo: https://tempo.example
    notifications: https://notifications.example
    services:
      gateway: {url: https://shop.example, admin: http://127.0.0.1:8100}
      orders: {url: http://127.0.0.1:8002, admin: http://127.0.0.1:8102}

Results are kept in DATA/drills: journal.json, and report.html, a page to look at. Ctrl-C undoes all faults and ends the drill as
aborted.

    firedrill drill run total-outage
    firedrill drill run --fresh --junit drills.xml payment-latency bank-down

Exit codes: 0 all passed, 1 one failed, 2 misuse or refused, 3 one was inconclusive or aborted.`

// alertScrapesLate is the alert in alerts/stack that fires when the machine, or Prometheus, does not keep up.
const alertScrapesLate = "ScrapesLate"

// drillFlags say how drills are run.
type drillFlags struct {
	which             *stackFlags
	remote            string
	fresh, keep, json bool
	speed             float64
	seed              uint64
	wait              time.Duration
	junit, html, rate string
}

func addDrillFlags(fs *flag.FlagSet, fresh bool) *drillFlags {
	f := &drillFlags{which: addStackFlags(fs)}
	fs.StringVar(&f.remote, "remote", "", "`file` with the URLs of a stack that is not a copy on this machine")
	fs.BoolVar(&f.fresh, "fresh", fresh, "run each drill on a stack of its own, which is removed afterwards")
	fs.BoolVar(&f.keep, "keep", false, "keep these stacks running, with their data, to look at")
	fs.Float64Var(&f.speed, "speed", 0, "how many `times` faster than real the objectives run (default: as the loaded rules say)")
	fs.Uint64Var(&f.seed, "seed", 1, "`number` that decides everything random in load and faults")
	fs.DurationVar(&f.wait, "wait", 0, "max wait for alerts that already fire to resolve; 0 refuses at once (default 0 for the first drill, 10m for the following, 1m on a fresh stack)")
	fs.StringVar(&f.rate, "rate", "", "`rate` of each drill's load, such as 5/s (default: the drill's own, or the part of it that this machine can carry)")
	fs.StringVar(&f.junit, "junit", "", "`file` to write the results to as JUnit XML")
	fs.StringVar(&f.html, "html", "", "`file` to write the page of the last drill to")
	fs.BoolVar(&f.json, "json", false, "print the journals as JSON instead of text")
	return f
}

func drillRun(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill run", drillRunUsage)
	f := addDrillFlags(fs, false)
	if err := parse(fs, args, 1, math.MaxInt); err != nil {
		return err
	}
	return f.run(ctx, p, fs.Args()...)
}

const drillAllUsage = `drill all [flags]

Runs every drill of the repository, each on a stack of its own (with --fresh=false on the stack that runs), and judges them
all. It takes half an hour.`

func drillAll(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("drill all", drillAllUsage)
	f := addDrillFlags(fs, true)
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return f.run(ctx, p)
}

// run runs the named drills, or all drills without names, and returns an error unless all passed.
func (f *drillFlags) run(ctx context.Context, p program, names ...string) error {
	r, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := r.target.drills(names...)
	if err != nil {
		return err
	}
	return r.each(ctx, drills, r.show, func(journals []*chaosrun.Journal) error {
		if r.json {
			return writeJSON(p.stdout, journals)
		}
		return nil
	})
}

// each runs drills, calls done with the journals of those that ran, and writes all results as JUnit XML if the flag is set. It
// returns an error unless all drills passed.
func (r *drillRunner) each(ctx context.Context, drills []*drill.Drill, show func(*chaosrun.Journal) error, done func([]*chaosrun.Journal) error) error {
	return r.p.reported(r.junit, "drill", func() ([]junit.Suite, error) {
		journals, refused, err := r.series().Each(ctx, drills, show)
		refusals := session.Refusals(refused)
		missing := notRun(drills, journals, refusals)
		suites := append(drillreport.Suites(refusals, journals...), missingSuites(missing)...)
		if err != nil {
			return suites, misuse(err)
		}
		if len(journals) > 0 || refused == nil {
			if err := done(journals); err != nil {
				return suites, err
			}
		}
		return suites, exitOf(journals, refused, missing)
	})
}

// notRun returns the names of the drills that neither ran nor were refused, because of an interruption or an error.
func notRun(drills []*drill.Drill, journals []*chaosrun.Journal, refused []*chaosrun.RefusedError) []string {
	var names []string
	for _, d := range drills {
		ran := slices.ContainsFunc(journals, func(j *chaosrun.Journal) bool { return j.Drill == d.Name })
		if !ran && !slices.ContainsFunc(refused, func(r *chaosrun.RefusedError) bool { return r.Drill == d.Name }) {
			names = append(names, d.Name)
		}
	}
	return names
}

func missingSuites(names []string) []junit.Suite {
	var all []junit.Suite
	for _, name := range names {
		all = append(all, junit.Suite{Name: "drill." + name, Cases: []junit.Case{{Name: "runs", Outcome: junit.Error, Text: "it did not run"}}})
	}
	return all
}

// drillRunner runs drills as the flags say.
type drillRunner struct {
	drillFlags
	p      program
	target drillTarget
}

// runner checks the flags and returns the runner. It starts nothing.
func (f *drillFlags) runner(p program) (*drillRunner, error) {
	if err := session.CheckRate(f.rate); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	t, err := f.which.drillTarget(p)
	if err != nil {
		return nil, err
	}
	r := &drillRunner{drillFlags: *f, p: p, target: t}
	if f.remote == "" {
		return r, nil
	}
	r.fresh = false
	r.target.remote, err = readRemote(f.remote)
	return r, err
}

// series returns a session.Series, which runs drills one after the other.
func (r *drillRunner) series() *session.Series {
	s := &session.Series{
		Settings: session.Settings{
			Speed: r.speed, Seed: r.seed, Rate: r.rate, Version: ownVersion(),
			Past:     []drill.AlertPattern{{Alert: rules.AlertSpent}},
			Machine:  []drill.AlertPattern{{Alert: alertScrapesLate}},
			ReadLoad: readLoad,
			Predictor: func(t *session.Target, scale float64) (chaosrun.Predictor, error) {
				return newDrillPredictor(r.target.Root, t.Places["prometheus"], scale)
			},
			Progress: r.p.stderr,
		},
		Folder: r.target.folder(), Copy: r.runningCopy, Fresh: r.fresh, Wait: r.wait, Page: r.html,
	}
	if r.fresh {
		s.Copy = r.freshCopy
	}
	return s
}

// runningCopy returns the copy that runs already.
func (r *drillRunner) runningCopy(ctx context.Context, _ string) (*session.Target, func(), error) {
	return r.target.session(), func() {}, r.target.mustRun(ctx)
}

// show prints the result of a drill, unless all results are printed as JSON.
func (r *drillRunner) show(j *chaosrun.Journal) error {
	if r.json {
		return nil
	}
	return drillreport.Text(r.p.stdout, j)
}

// misuse marks an error as misuse if the drill did not begin, because it was refused or another one runs. It
// returns nil for nil.
func misuse(err error) error {
	busy := (*session.BusyError)(nil)
	if session.Refused(err) || errors.As(err, &busy) {
		return &exit{exitMisuse, err}
	}
	return err
}

// exitOf returns nil if all drills passed, and none was refused or is missing.
func exitOf(journals []*chaosrun.Journal, refused error, missing []string) error {
	if refused != nil {
		return misuse(refused)
	}
	const hint = `; "firedrill drill report" shows why`
	switch verdict, names := chaosrun.Worst(journals); {
	case verdict == chaosrun.Fail:
		return fmt.Errorf("%d of %d drills failed: %s"+hint, len(names), len(journals), strings.Join(names, ", "))
	case verdict == chaosrun.Inconclusive || verdict == chaosrun.Aborted:
		return &exit{exitInvalid, fmt.Errorf("no clear result of %s"+hint, strings.Join(names, ", "))}
	case len(missing) > 0:
		return &exit{exitInvalid, fmt.Errorf("interrupted: %s did not run", strings.Join(missing, ", "))}
	}
	return nil
}
