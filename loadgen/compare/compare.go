// Package compare estimates whether two runs of a load test differ, by how much, and with what certainty.
//
// The requests of a run are not independent. In a slow second all requests are slow, and slow seconds come in clusters.
// So the package resamples blocks of seconds (see bootstrap.go), not requests. The intervals of a report hold
// simultaneously: with 95 % confidence, two runs of the same system show no difference in any comparison.
//
// It cannot see what changes between runs but not within one: another machine, a cold cache, a noisy neighbour. Run both
// in the same way, and more than once if the answer is important.
//
// It must not know how results are made or written.
package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"firedrill/loadgen/result"
)

// ErrInvalid means that a run is not valid, so it must not be compared.
var ErrInvalid = errors.New("invalid run")

// ErrShort means that the runs are too short for any comparison.
var ErrShort = errors.New("cannot tell: the runs are too short")

// ErrDifferent means that two runs do not have the same load.
var ErrDifferent = errors.New("runs that cannot be compared")

// minSlots is the minimum number of timeline slots of a run. Block methods need several
// blocks.
const minSlots = 20

// minBeyond is the minimum number of requests beyond a quantile for it to be compared.
const minBeyond = 10

// Options configure a comparison. Zero values mean the defaults.
type Options struct {
	Confidence float64 // confidence of the intervals, 0 to 1; default 0.95
	Replicates int     // replicates of the bootstrap; default 1,000
	Seed       uint64
	// Margin is the largest relative change of a latency that does not matter; default 0.1. ErrorMargin is the same for
	// the share of failed requests; default 0.01, one percentage point.
	Margin, ErrorMargin float64
	// Only lists the metrics to compare, such as "p95" and "errors"; empty means all. Fewer metrics need shorter runs.
	Only []string
}

// Report is the result of a comparison.
type Report struct {
	Verdict     Finding       `json:"verdict"`                   // worse if any metric is, then unclear, then better
	AtLeast     time.Duration `json:"run_at_least_ns,omitempty"` // length of a run that would make everything clear
	Confidence  float64       `json:"confidence"`
	Margin      float64       `json:"margin"`
	ErrorMargin float64       `json:"error_margin"`
	Slots       int           `json:"slots"`
	Width       time.Duration `json:"slot_width_ns"`
	Differences []Difference  `json:"differences"`
	Notes       []string      `json:"notes,omitempty"`
}

// Difference is the change of one metric of one scope from run a to run b.
type Difference struct {
	Scope  string `json:"scope"`  // "all", "scenario browse", "journey checkout"
	Metric string `json:"metric"` // "p50", "p95" or "p99" of the response time, or "errors"
	// A and B are the values: seconds, or the share of failed requests.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Change is the change from A to B, and Low and High are its interval. It is relative for latencies (0.1
	// is 10 % slower), and B-A for errors.
	Change  float64 `json:"change"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Finding Finding `json:"finding"`
	// Run is how long a run must be for a clear finding, if Finding is unclear.
	Run time.Duration `json:"run_at_least_ns,omitempty"`
}

// Runs compares run b with run a. The error wraps ErrInvalid or ErrDifferent if the runs must
// not be compared.
func Runs(a, b *result.Result, opts Options) (*Report, error) {
	if opts.Confidence == 0 {
		opts.Confidence = 0.95
	}
	if opts.Replicates == 0 {
		opts.Replicates = 1000
	}
	if opts.Margin == 0 {
		opts.Margin = defaultMargin
	}
	if opts.ErrorMargin == 0 {
		opts.ErrorMargin = defaultErrorMargin
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	if err := refuse(a, b); err != nil {
		return nil, err
	}
	scopes := scopesOf(a, b)
	slots := 0
	for _, s := range scopes {
		slots = max(slots, len(s.a.slots), len(s.b.slots))
	}
	if slots < minSlots {
		return nil, fmt.Errorf("%w: run at least %v", ErrShort, minSlots*a.Timeline.Width)
	}
	strata := strataOf(a, slots)
	report := &Report{Confidence: opts.Confidence, Margin: opts.Margin, ErrorMargin: opts.ErrorMargin, Slots: slots, Width: a.Timeline.Width}
	estimates := bootstrap(scopes, strata, opts)
	critical := criticalValue(estimates, opts.Confidence)
	length := time.Duration(slots) * a.Timeline.Width
	for _, e := range estimates {
		report.Differences = append(report.Differences, e.difference(critical, opts, length))
	}
	report.Verdict, report.AtLeast = report.verdict(), report.Run()
	report.Notes = slices.Concat(notes(a, b, scopes, opts), oneSided(a, b), dependenceNotes(estimates, slots))
	return report, nil
}

// check returns an error for options that make no sense.
func (o Options) check() error {
	if o.Confidence <= 0 || o.Confidence >= 1 || o.Replicates < 1 {
		return fmt.Errorf("compare at a confidence of %g with %d replicates: want one between 0 and 1 with 1 or more", o.Confidence, o.Replicates)
	}
	if !(o.Margin > 0 && o.Margin < 10) || !(o.ErrorMargin > 0 && o.ErrorMargin < 1) {
		return fmt.Errorf("compare with margins of %g and %g: want 0 to 10 for latencies, and 0 to 1 for errors", o.Margin, o.ErrorMargin)
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(metrics, func(m metric) bool { return m.name == name }) {
			return fmt.Errorf("compare %q: want some of p50, p95, p99 and errors", name)
		}
	}
	return nil
}

// wants reports whether a metric is to be compared.
func (o Options) wants(name string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, name) }

// refuse returns an error unless both runs are valid and have the same load.
func refuse(a, b *result.Result) error {
	for _, run := range []struct {
		name string
		of   *result.Result
	}{{"a", a}, {"b", b}} {
		if !run.of.Validity.Valid {
			return fmt.Errorf("%w: %s: %s", ErrInvalid, run.name, strings.Join(run.of.Validity.Reasons, "; "))
		}
		if total := run.of.Total(nil); total.Failed == total.Requests {
			return fmt.Errorf("%w: %s: not one of %d requests succeeded", ErrInvalid, run.name, total.Requests)
		}
	}
	if a.Meta.Fingerprint != b.Meta.Fingerprint {
		return fmt.Errorf("%w: the profiles differ (%q, %s and %q, %s)", ErrDifferent, a.Meta.Profile, a.Meta.Fingerprint, b.Meta.Profile, b.Meta.Fingerprint)
	}
	if a.Timeline.Width != b.Timeline.Width {
		return fmt.Errorf("%w: they ran for %v and %v", ErrDifferent, a.Elapsed, b.Elapsed)
	}
	if gap := math.Abs(float64(a.Intended) - float64(b.Intended)); gap > 0.01*float64(max(a.Intended, b.Intended)) {
		return fmt.Errorf("%w: %d arrivals were intended in a, %d in b", ErrDifferent, a.Intended, b.Intended)
	}
	return nil
}

// oneSided returns a note for each scenario that only one run has: its requests cannot be compared.
func oneSided(a, b *result.Result) []string {
	var list []string
	for _, side := range []struct {
		name      string
		has, lack *result.Result
	}{{"a", a, b}, {"b", b, a}} {
		for _, scenario := range side.has.Scenarios() {
			if !slices.Contains(side.lack.Scenarios(), scenario) {
				list = append(list, fmt.Sprintf("scenario %s: only run %s has requests of it, so it is not compared", scenario, side.name))
			}
		}
	}
	return list
}

func notes(a, b *result.Result, scopes []scope, opts Options) []string {
	var list []string
	for _, r := range []struct {
		name string
		of   *result.Result
	}{{"a", a}, {"b", b}} {
		for _, note := range r.of.Validity.Notes {
			list = append(list, r.name+": "+note)
		}
	}
	if a.Meta.Seed != b.Meta.Seed {
		list = append(list, fmt.Sprintf("the seeds differ (%d and %d), so the requests did too", a.Meta.Seed, b.Meta.Seed))
	}
	if a.Meta.Target != b.Meta.Target {
		list = append(list, fmt.Sprintf("the targets differ (%s and %s)", a.Meta.Target, b.Meta.Target))
	}
	for _, s := range scopes {
		for _, m := range metrics {
			if opts.wants(m.name) && m.quantile > 0 && !s.enough(m.quantile) {
				list = append(list, fmt.Sprintf("%s: too few requests for %s, which wants %.0f in each run, so it is not compared",
					s.name, m.name, math.Ceil(minBeyond/min(m.quantile, 1-m.quantile)-1e-9)))
			}
		}
	}
	return list
}

// minEffective is the minimum effective number of independent slots. With fewer, the intervals do not have
// their nominal confidence.
const minEffective = 10

func dependenceNotes(estimates []estimate, slots int) []string {
	least := estimate{allow: allowance{effective: math.Inf(1)}}
	for _, e := range estimates {
		if e.allow.effective < least.allow.effective {
			least = e
		}
	}
	if least.allow.effective >= minEffective {
		return nil
	}
	return []string{fmt.Sprintf("the %d slots depend on each other so much that for %s of %s they weigh like %.0f: run longer before you rely on it",
		slots, least.metric, least.scope, least.allow.effective)}
}
