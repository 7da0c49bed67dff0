package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"firedrill/alerts/sim"
	"firedrill/internal/cli"
	"firedrill/internal/junit"
	"firedrill/internal/term"
)

func (p program) sloSimCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim [CATALOGUE]",
		Short: "Replay a month of incidents and judge the alerts",
		Long: `Replays a month of incidents (alerts/incidents/month.yaml, or CATALOGUE) through alerting rules and says how soon and how
well they alert: the rules of this repository, the six strategies of the Site Reliability Workbook, the defaults of Sloth and
Pyrra, and any rules file.

Prometheus's own engine evaluates the expressions as the files have them, every 15 s. This takes about 20 s. With --quick,
rule sets that are known are evaluated by arithmetic, which gives the same figures in less than a second.`,
		Example: `  firedrill slo sim --quick
  firedrill slo sim --rules mine.yaml --good 'http_requests_total{code="200"}' --bad 'http_requests_total{code="500"}'`,
		Args: cli.Args("[CATALOGUE]"),
	}
	f := cmd.Flags()
	var s simulation
	f.BoolVar(&s.quick, "quick", false, "use arithmetic instead of Prometheus's engine for the rule sets that are known; the figures are the same")
	f.BoolVar(&s.prove, "prove", false, "also evaluate Prometheus's real rule groups around every change, and compare")
	f.StringVar(&s.only, "sets", "", "judge only these, as `NAME,NAME`")
	f.StringArrayVar(&s.rules, "rules", nil, "also judge this rules `file`; may be repeated")
	f.StringArrayVar(&s.good, "good", nil, "`series` that counts good events, for --rules; may be repeated")
	f.StringArrayVar(&s.bad, "bad", nil, "`series` that counts bad events; may be repeated")
	f.StringArrayVar(&s.all, "all", nil, "`series` that counts all events; may be repeated")
	f.BoolVar(&s.check, "check", false, "fail (exit 1) if a rule set misses a significant incident, or pages for one that is not")
	f.StringVar(&s.junit, "junit", "", "`file` to write every incident to as JUnit XML; implies --check")
	f.StringVar(&s.svg, "svg", "", "`file` to draw into which alert fired when")
	s.output = cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file := ""
		if len(args) > 0 {
			file = args[0]
		}
		return p.reported(s.junit, "slo sim", func() ([]junit.Suite, error) { return s.run(cmd.Context(), p, file) })
	}
	return cmd
}

// simulation holds the flags of slo sim.
type simulation struct {
	quick, prove, check   bool
	only, svg, junit      string
	rules, good, bad, all []string
	output                *cli.Output
}

// run returns the judgement of each rule set as a test suite.
func (s simulation) run(ctx context.Context, p program, file string) ([]junit.Suite, error) {
	counters, err := parseCounters(map[sim.Events][]string{sim.GoodEvents: s.good, sim.BadEvents: s.bad, sim.AllEvents: s.all})
	if err != nil {
		return nil, err
	}
	sets, err := ruleSets(s.rules, s.only)
	if err != nil {
		return nil, err
	}
	catalogue, err := p.catalogue(file)
	if err != nil {
		return nil, err
	}
	report, err := sim.Replay(ctx, catalogue, sets, sim.Options{
		Quick: s.quick, Prove: s.prove, Counters: counters, Progress: p.simProgress(),
	})
	if err != nil {
		return nil, cli.Misuse("%w", err)
	}
	if s.svg != "" {
		if err := draw(s.svg, report); err != nil {
			return nil, err
		}
	}
	if err := s.output.Write(p.stdout, report, report.Write); err != nil {
		return nil, err
	}
	suites := report.Suites()
	switch {
	case report.Differs():
		return suites, cli.ErrQuiet
	case (s.check || s.junit != "") && junit.Bad(suites):
		return suites, errors.New("a rule set misses a significant incident or pages for another one")
	}
	return suites, nil
}

func parseCounters(given map[sim.Events][]string) ([]sim.Counter, error) {
	var counters []sim.Counter
	for events, series := range given {
		for _, text := range series {
			c, err := sim.ParseCounter(text, events)
			if err != nil {
				return nil, cli.Misuse("--%s: %w", events, err)
			}
			counters = append(counters, c)
		}
	}
	return counters, nil
}

// ruleSets returns the known rule sets and those in files. If only is not "", it returns the sets that only
// names.
func ruleSets(files []string, only string) ([]sim.RuleSet, error) {
	sets, err := sim.Sets()
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		set, err := sim.LoadRules(file)
		if err != nil {
			return nil, cli.Misuse("%w", err)
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
			return nil, cli.Misuse("--sets: unknown rule set %q; want some of %s", name, strings.Join(names(sets), ", "))
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

// catalogue reads a file of incidents. For "" it is the file of the repository.
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
		return c, cli.Misuse("bad incidents:\n%w", err)
	}
	return c, nil
}

// simProgress returns a function that prints progress: in place on a terminal, every few seconds elsewhere.
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
