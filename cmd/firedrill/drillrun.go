package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"firedrill/alerts/rules"
	"firedrill/chaos"
	"firedrill/chaos/fault"
	"firedrill/chaos/mystery"
	drillreport "firedrill/chaos/report"
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

// alertScrapesLate is the alert of alerts/stack that tells of a machine, or a Prometheus, that does not keep up.
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
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := runner.named(fs.Args())
	if err != nil {
		return err
	}
	return runner.all(ctx, drills)
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
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	drills, err := runner.target.drills()
	if err != nil {
		return err
	}
	return runner.all(ctx, drills)
}

// drillRunner runs drills as the flags say.
type drillRunner struct {
	drillFlags
	p      program
	target drillTarget
	idle   bool // faults are only said to be on
}

func (f *drillFlags) runner(p program) (*drillRunner, error) {
	if err := checkRate(f.rate); err != nil {
		return nil, err
	}
	kit, err := f.which.stack(p)
	if err != nil {
		return nil, err
	}
	r := &drillRunner{drillFlags: *f, p: p, target: drillTarget{Stack: kit, getenv: p.getenv}}
	if f.remote == "" {
		return r, nil
	}
	r.fresh = false
	r.target.remote, err = readRemote(f.remote)
	return r, err
}

// named are the drills with the names, or files, or all if none is named.
func (r *drillRunner) named(names []string) ([]*chaos.Drill, error) {
	if len(names) == 0 {
		return r.target.drills()
	}
	var drills []*chaos.Drill
	for _, name := range names {
		d, err := r.target.drill(name)
		if err != nil {
			return nil, err
		}
		drills = append(drills, d)
	}
	return drills, nil
}

// all runs drills one after the other and tells what they came to.
func (r *drillRunner) all(ctx context.Context, drills []*chaos.Drill) error {
	journals, failed := r.each(ctx, drills, r.show)
	if failed != nil && !wasRefused(failed) {
		return failed
	}
	if err := r.keepAll(journals); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return verdictOf(journals)
}

// each runs drills one after the other and shows each. One that is refused does not
// keep the others from running, and is in the error; Ctrl-C does.
func (r *drillRunner) each(ctx context.Context, drills []*chaos.Drill, show func(*chaos.Journal) error) ([]*chaos.Journal, error) {
	var journals []*chaos.Journal
	var refused []error
	for i, d := range drills {
		j, err := r.one(ctx, d, i > 0, false)
		switch {
		case err != nil && wasRefused(err):
			refused = append(refused, err)
			fmt.Fprintln(r.p.stderr, err)
		case err != nil:
			return journals, err
		default:
			journals = append(journals, j)
			if err := show(j); err != nil {
				return journals, err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(refused) > 0 {
		return journals, &exit{exitMisuse, errors.Join(refused...)}
	}
	return journals, nil
}

func wasRefused(err error) bool {
	refused := (*chaos.RefusedError)(nil)
	return errors.As(err, &refused)
}

// show prints what a drill came to, unless all are to be printed as JSON.
func (r *drillRunner) show(j *chaos.Journal) error {
	if r.json {
		return nil
	}
	return drillreport.Text(r.p.stdout, j)
}

// one runs a drill on the running stack or on one of its own.
func (r *drillRunner) one(ctx context.Context, d *chaos.Drill, following, secret bool) (*chaos.Journal, error) {
	dir := filepath.Join(r.target.results(), time.Now().Format("20060102-150405-")+shownName(d, secret))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create folder of results: %w", err)
	}
	target, wait := r.target, r.wait
	if r.fresh {
		if wait == 0 {
			wait = time.Minute
		}
		fresh, remove, err := r.freshCopy(ctx, dir)
		if err != nil {
			return nil, err
		}
		defer remove()
		target = fresh
	} else if err := target.mustBeOurs(ctx); err != nil {
		return nil, err
	} else if following && wait == 0 {
		wait = 10 * time.Minute
	}
	if err := target.mayHave(d); err != nil {
		return nil, err
	}
	j, err := r.onTarget(ctx, target, d, dir, wait, secret)
	if err != nil {
		return nil, err
	}
	return j, r.keepResults(j, dir)
}

// onTarget runs a drill on a copy, which it locks meanwhile.
func (r *drillRunner) onTarget(ctx context.Context, t drillTarget, d *chaos.Drill, dir string, wait time.Duration, secret bool) (*chaos.Journal, error) {
	release, err := t.lock(shownName(d, secret))
	if err != nil {
		return nil, err
	}
	defer release()
	config, err := r.config(ctx, t, d, dir)
	if err != nil {
		return nil, err
	}
	teller, err := newDrillTeller(ctx, t, d.Name, secret)
	if err != nil {
		return nil, err
	}
	defer teller.Close()
	live := drillreport.NewLive(r.p.stderr, secret)
	defer live.Close()
	observers := []func(chaos.Event){live.Observe, teller.Observe}
	if secret {
		play, err := t.beginGame(ctx, mystery.Game{Drill: d.Name, Seed: r.seed, Scale: config.Scale})
		if err != nil {
			return nil, err
		}
		observers = append(observers, play)
	}
	if config.Drill, err = r.fitted(ctx, d); err != nil {
		return nil, err
	}
	if r.idle {
		config.Injector = chaos.Idle(config.Injector)
	}
	config.Wait = wait
	config.Observe = func(e chaos.Event) {
		for _, observe := range observers {
			observe(e)
		}
	}
	return chaos.Run(ctx, config)
}

// config is what a drill needs of a copy.
func (r *drillRunner) config(ctx context.Context, t drillTarget, d *chaos.Drill, dir string) (chaos.Config, error) {
	token, err := t.token()
	if err != nil {
		return chaos.Config{}, err
	}
	eyes, err := t.eyes()
	if err != nil {
		return chaos.Config{}, err
	}
	scale := r.speed
	if scale == 0 {
		if scale, err = t.awaitScale(ctx); err != nil {
			return chaos.Config{}, err
		}
	}
	predictor, err := newDrillPredictor(t, scale)
	if err != nil {
		return chaos.Config{}, err
	}
	faults := t.faults(token)
	faults.Seed = r.seed
	return chaos.Config{
		Drill: d, Scale: scale, Seed: r.seed, Injector: fault.New(faults), Load: drillLoad{t, dir, r.seed},
		Prober: eyes, Alerts: eyes, Charter: eyes, Predictor: predictor, Witness: eyes.Witness(ctx, t.processes()),
		Past:      []chaos.AlertPattern{{Alert: rules.AlertSpent}},
		Machine:   []chaos.AlertPattern{{Alert: alertScrapesLate}},
		TraceLink: t.places()["tempo"] + "/api/traces/{trace_id}",
	}, nil
}

// keepResults writes what a drill came to.
func (r *drillRunner) keepResults(j *chaos.Journal, dir string) error {
	files := map[string]func(io.Writer, *chaos.Journal) error{
		filepath.Join(dir, journalName): drillreport.JSON, filepath.Join(dir, "report.html"): drillreport.HTML,
	}
	if r.html != "" {
		files[r.html] = drillreport.HTML
	}
	for path, write := range files {
		if err := writeFile(path, func(w io.Writer) error { return write(w, j) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.p.stderr, "Report: %s\n", filepath.Join(dir, "report.html"))
	return nil
}

// keepAll writes what was asked for of all drills.
func (r *drillRunner) keepAll(journals []*chaos.Journal) error {
	if err := r.writeJUnit(journals); err != nil || !r.json {
		return err
	}
	return writeJSON(r.p.stdout, journals)
}

func (r *drillRunner) writeJUnit(journals []*chaos.Journal) error {
	if r.junit == "" {
		return nil
	}
	return writeFile(r.junit, func(w io.Writer) error { return drillreport.JUnit(w, journals...) })
}

// verdictOf is the worst: a failure, then what nobody can tell.
func verdictOf(journals []*chaos.Journal) error {
	came := func(to ...chaos.Verdict) (names []string) {
		for _, j := range journals {
			if slices.Contains(to, j.Verdict) {
				names = append(names, j.Drill)
			}
		}
		return names
	}
	if failed := came(chaos.Fail); len(failed) > 0 {
		return fmt.Errorf("not as expected: %v", failed)
	}
	if unclear := came(chaos.Inconclusive, chaos.Aborted); len(unclear) > 0 {
		return &exit{exitInvalid, fmt.Errorf("without a clear result: %v", unclear)}
	}
	return nil
}

// shownName is what may be said of a drill.
func shownName(d *chaos.Drill, secret bool) string {
	if secret {
		return mysteryName
	}
	return d.Name
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a result: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
