package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"firedrill/alerts/sim"
	"firedrill/internal/term"
)

const sloSimUsage = `slo sim [flags] [CATALOGUE]

Replays a month of incidents (alerts/incidents/month.yaml, or a CATALOGUE of yours) through alerting rules, and tells how
soon and how well they tell of them: the kit's own rules, the six strategies of the Site Reliability Workbook, Sloth's and
Pyrra's defaults, and any rules file:

    firedrill slo sim -rules mine.yaml -good 'http_requests_total{code="200"}' -bad 'http_requests_total{code="500"}'

Prometheus's own engine evaluates the expressions as the files have them, every 15 s. It takes some 20 s; -quick takes
arithmetic where it is known to give the same, and needs less than one.`

func sloSim(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("slo sim", sloSimUsage)
	var files, good, bad, all texts
	quick := fs.Bool("quick", false, "use arithmetic instead of Prometheus's engine for the rule sets that are known; the figures are the same")
	prove := fs.Bool("prove", false, "also evaluate Prometheus's real rule groups around every change, and compare")
	only := fs.String("sets", "", "judge only these, as `NAME,NAME`")
	fs.Var(&files, "rules", "also judge this rules `file` (repeat for more)")
	fs.Var(&good, "good", "`series` that counts good events, for -rules (repeat for more)")
	fs.Var(&bad, "bad", "`series` that counts bad events")
	fs.Var(&all, "all", "`series` that counts all events")
	asJSON := fs.Bool("json", false, "print JSON")
	svg := fs.String("svg", "", "also draw when what fired, into a `file`")
	if err := parse(fs, args, 0, 1); err != nil {
		return err
	}
	counters, err := parseCounters(map[sim.Events]texts{sim.GoodEvents: good, sim.BadEvents: bad, sim.AllEvents: all})
	if err != nil {
		return err
	}
	sets, err := ruleSets(files, *only)
	if err != nil {
		return err
	}
	catalogue, err := p.catalogue(fs.Arg(0))
	if err != nil {
		return err
	}
	report, err := sim.Replay(ctx, catalogue, sets, sim.Options{
		Quick: *quick, Prove: *prove, Counters: counters, Progress: p.simProgress(),
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *svg != "" {
		if err := draw(*svg, report); err != nil {
			return err
		}
	}
	if *asJSON {
		err = writeJSON(p.stdout, report)
	} else {
		err = report.Write(p.stdout)
	}
	if err == nil && report.Differs() {
		return errQuiet
	}
	return err
}

// texts is a flag that may be given several times.
type texts []string

// String implements flag.Value.
func (t *texts) String() string { return strings.Join(*t, ",") }

// Set implements flag.Value.
func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

func parseCounters(given map[sim.Events]texts) ([]sim.Counter, error) {
	var counters []sim.Counter
	for events, series := range given {
		for _, text := range series {
			c, err := sim.ParseCounter(text, events)
			if err != nil {
				return nil, fmt.Errorf("%w: -%s: %w", errUsage, events, err)
			}
			counters = append(counters, c)
		}
	}
	return counters, nil
}

// ruleSets are the known ones and those of files; or only some of them.
func ruleSets(files []string, only string) ([]sim.RuleSet, error) {
	sets, err := sim.Sets()
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		set, err := sim.LoadRules(file)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		sets = append(sets, set)
	}
	if only == "" {
		return sets, nil
	}
	var chosen []sim.RuleSet
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(sets, func(s sim.RuleSet) bool { return s.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("%w: -sets: there is no %q, but %s", errUsage, name, strings.Join(names(sets), ", "))
		}
		chosen = append(chosen, sets[i])
	}
	return chosen, nil
}

func names(sets []sim.RuleSet) []string {
	var all []string
	for _, s := range sets {
		all = append(all, s.Name)
	}
	return all
}

// catalogue reads a file of incidents, or the kit's own.
func (p program) catalogue(file string) (sim.Catalogue, error) {
	if file == "" {
		root, err := p.root()
		if err != nil {
			return sim.Catalogue{}, err
		}
		file = filepath.Join(root, "alerts", "incidents", "month.yaml")
	}
	c, err := sim.LoadCatalogue(file)
	if err != nil {
		return c, fmt.Errorf("%w: bad incidents:\n%w", errUsage, err)
	}
	return c, nil
}

// simProgress tells how far it is: in place on a terminal, else now and then.
func (p program) simProgress() func(done, of int) {
	display := term.New(p.stderr, p.getenv)
	begin, told := time.Now(), time.Now()
	return func(done, of int) {
		line := fmt.Sprintf("%d of %d rules, %.1f s", done, of, time.Since(begin).Seconds())
		switch {
		case display.InPlace() && done == of:
			_ = display.Clear()
		case display.InPlace(), done == of, time.Since(told) > 5*time.Second:
			told = time.Now()
			_ = display.Line(line)
		}
	}
}

// draw writes the report's picture to a file.
func draw(file string, r sim.Report) error {
	var svg bytes.Buffer
	if err := r.Draw(&svg); err != nil {
		return err
	}
	if err := os.WriteFile(file, svg.Bytes(), 0o644); err != nil { //nolint:gosec // a picture is no secret
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}
