package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say how to simulate.
type Options struct {
	// Quick takes the arithmetic where a set has a model: the same figures, sooner.
	Quick bool
	// Prove evaluates the real rule groups around what fired, and compares.
	Prove bool
	// Counters are what events count in besides SeriesAll and SeriesBad.
	Counters []Counter
	// Progress is told how many of all rules are done. It may be nil, and is called
	// by one goroutine at a time.
	Progress func(done, of int)

	length time.Duration // that is simulated; Period, but in tests
}

// SeriesPerCounter is for how many series a counter the rules' cost is told: a service
// with a few routes and statuses.
const SeriesPerCounter = 100

// Result is what a rule set did.
type Result struct {
	Set       RuleSet
	Fires     Firing
	Judgement Judgement
	Rules     int
	Cost      float64  // samples that Prometheus reads a second, at SeriesPerCounter
	Unjudged  []string // alerts that look back as far as is simulated
	Proof     *Proof   // if it was asked for
}

// Replay replays a catalogue through rule sets.
func Replay(ctx context.Context, c Catalogue, sets []RuleSet, o Options) (Report, error) {
	objective, err := Objective()
	if err != nil {
		return Report{}, err
	}
	s, err := newSimulation(c, sets, objective.Budget(), o)
	if err != nil {
		return Report{}, err
	}
	defer s.ranges.engine.Close()
	results := make([]Result, len(sets))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0) + 1) // one may wait for what another evaluates
	for i, set := range sets {
		group.Go(func() error {
			result, err := s.set(ctx, set, s.rules[i])
			if err != nil {
				return fmt.Errorf("simulate %s: %w", set.Name, err)
			}
			result.Judgement = judge(c, s.timeline, s.exact.budget, result.Fires)
			results[i] = result
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Report{}, err
	}
	return Report{Catalogue: c, Objective: objective.Objective, Results: results}, nil
}

// simulation is what all rule sets have in common.
type simulation struct {
	Options
	timeline timeline
	rules    [][]*rule // of each set
	exact    *arithmetic
	ranges   *ranger
}

func newSimulation(c Catalogue, sets []RuleSet, budget float64, o Options) (*simulation, error) {
	if o.length == 0 {
		o.length = Period
	}
	s := &simulation{Options: o}
	counters := append(ownCounters(), o.Counters...)
	before, of := time.Duration(0), 0
	for _, set := range sets {
		all, err := set.compile()
		if err != nil {
			return nil, err
		}
		if err := checkReads(all, counters); err != nil {
			return nil, fmt.Errorf("read rules of %s: %w", set.Name, err)
		}
		s.rules = append(s.rules, all)
		before = max(before, lookback(all))
		if !s.quick(set) {
			of += needed(all)
		}
	}
	s.timeline = c.replay(o.length, before+day)
	s.exact = newArithmetic(s.timeline, budget)
	s.ranges = &ranger{
		engine: newEngine(), counters: s.timeline.counters(counters), start: epoch(), length: o.length,
		done: counting(o.Progress, of), ranges: map[string]*cached{},
	}
	return s, nil
}

func (s *simulation) quick(set RuleSet) bool { return s.Quick && set.Model != nil }

// set simulates one rule set.
func (s *simulation) set(ctx context.Context, set RuleSet, all []*rule) (Result, error) {
	r := Result{Set: set, Rules: len(all), Cost: cost(all, Resolution, SeriesPerCounter)}
	for _, one := range all {
		if one.alert != "" && one.unjudged {
			r.Unjudged = append(r.Unjudged, one.alert)
		}
	}
	if s.quick(set) {
		r.Fires = s.exact.fires(set.Model)
		return r, nil
	}
	done, err := s.ranges.run(ctx, all)
	if err != nil {
		return Result{}, err
	}
	r.Fires = bySeverity(done.fires)
	if s.Prove {
		r.Proof, err = s.ranges.prove(ctx, set, all, done)
	}
	return r, err
}

func needed(all []*rule) int {
	n := 0
	for _, r := range all {
		if r.needed() {
			n++
		}
	}
	return n
}

// checkReads refuses rules that read what nobody counts: they could never fire.
func checkReads(all []*rule, counters []Counter) error {
	var errs []error
	for i, r := range all {
		for _, s := range r.reads {
			if !anyRecords(all[:i], s) && !anyCounts(counters, s) {
				errs = append(errs, fmt.Errorf("%s reads %s, which no event counts in", r.record+r.alert, s.metric))
			}
		}
	}
	return errors.Join(errs...)
}

func anyCounts(counters []Counter, s read) bool {
	for _, c := range counters {
		if matches(c.Labels, s.matchers) {
			return true
		}
	}
	return false
}

// counting makes a function that counts its calls.
func counting(tell func(done, of int), of int) func() {
	if tell == nil {
		return func() {}
	}
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		tell(done, of)
	}
}
