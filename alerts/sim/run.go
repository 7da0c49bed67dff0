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

// Options configure a simulation.
type Options struct {
	// Quick uses the arithmetic for rule sets that have a model. The figures are the same, but
	// faster to compute.
	Quick bool
	// Prove also evaluates Prometheus's rule groups around the times at which alerts fired, and
	// compares the results.
	Prove bool
	// Counters are counters of events in addition to SeriesAll and SeriesBad.
	Counters []Counter
	// Progress is called with the number of evaluated rules and of all rules. It may be nil. It is
	// called by one goroutine at a time.
	Progress func(done, of int)

	length time.Duration // simulated time; Period, except in tests
}

// SeriesPerCounter is the assumed number of series of each counter in the reported cost of rules.
// It fits a service with a few routes and statuses.
const SeriesPerCounter = 100

// Result is the result of one rule set.
type Result struct {
	Set       RuleSet
	Fires     Firing
	Judgement Judgement
	Rules     int
	Cost      float64  // samples that Prometheus reads per second, with SeriesPerCounter series per counter
	Unjudged  []string // alerts that look back over the whole simulated time
	Proof     *Proof   // nil unless Options.Prove is set
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
	group.SetLimit(runtime.GOMAXPROCS(0) + 1) // one more than the processors, because one may wait for another's result
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

// simulation is the data that all rule sets share.
type simulation struct {
	Options
	timeline timeline
	rules    [][]*rule // by rule set
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

// checkReads returns an error if a rule reads a series that does not exist, because it could never
// fire.
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

// counting returns a function that counts its calls and reports the count to tell.
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
