// Package compare says whether one run of a load test differs from another, by how much, and how sure that is.
//
// Requests of a run are not independent: a slow second makes all its requests slow, and slow seconds come in clusters. So
// the seconds are what is drawn, in blocks (see bootstrap.go), not the requests, and intervals hold for all comparisons
// of a report together: with 95 % confidence, two runs of the same thing show no difference anywhere.
//
// What it cannot see is what changes from run to run but not within one: another machine, a cold cache, a noisy
// neighbour. Run both alike, and more than once when it matters.
//
// It must not know how results are made or written.
package compare

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"firedrill/loadgen/result"
)

// ErrInvalid marks a run that must not be compared because it is not valid.
var ErrInvalid = errors.New("invalid run")

// ErrDifferent marks runs that are not of the same load, or too short to tell anything.
var ErrDifferent = errors.New("runs that cannot be compared")

// minSlots is how many slots of the timeline a run must have: block methods need some blocks.
const minSlots = 20

// minBeyond is how many requests must lie beyond a quantile for it to be compared.
const minBeyond = 10

// Options of a comparison. Zero values mean the defaults.
type Options struct {
	Confidence float64 // 0.95
	Replicates int     // of the bootstrap; 1,000
	Seed       uint64
}

// Report is what a comparison found.
type Report struct {
	Differs     bool          `json:"differs"` // anything does
	Confidence  float64       `json:"confidence"`
	Slots       int           `json:"slots"`
	Width       time.Duration `json:"slot_width_ns"`
	Differences []Difference  `json:"differences"`
	Notes       []string      `json:"notes,omitempty"`
}

// Difference is how one metric of one scope changed from a to b.
type Difference struct {
	Scope  string `json:"scope"`  // "all", "scenario browse", "journey checkout"
	Metric string `json:"metric"` // "p50", "p95", "p99" of response latency, or "errors"
	// A and B are seconds, or shares of requests that failed.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Change from A to B with its interval: relative for latencies (0.1 is 10 % slower), and B-A for errors.
	Change  float64 `json:"change"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Differs bool    `json:"differs"` // the interval leaves out 0
	Worse   bool    `json:"worse"`   // it does, upwards
}

// Runs compares b with a. The error wraps ErrInvalid or ErrDifferent when that must not be done.
func Runs(a, b *result.Result, opts Options) (*Report, error) {
	if opts.Confidence == 0 {
		opts.Confidence = 0.95
	}
	if opts.Replicates == 0 {
		opts.Replicates = 1000
	}
	if opts.Confidence <= 0 || opts.Confidence >= 1 || opts.Replicates < 1 {
		return nil, fmt.Errorf("compare at a confidence of %g with %d replicates: want one between 0 and 1 with 1 or more", opts.Confidence, opts.Replicates)
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
		return nil, fmt.Errorf("%w: a run of %d slots of %v is too short, the least is %d", ErrDifferent, slots, a.Timeline.Width, minSlots)
	}
	strata := strataOf(a, slots)
	report := &Report{Confidence: opts.Confidence, Slots: slots, Width: a.Timeline.Width}
	estimates := bootstrap(scopes, strata, opts)
	critical := criticalValue(estimates, opts.Confidence)
	for _, e := range estimates {
		d := e.difference(critical)
		report.Differences = append(report.Differences, d)
		report.Differs = report.Differs || d.Differs
	}
	report.Notes = append(notes(a, b, scopes), dependenceNotes(estimates, slots)...)
	return report, nil
}

// refuse is nil when both runs are valid and of the same load.
func refuse(a, b *result.Result) error {
	for name, r := range map[string]*result.Result{"a": a, "b": b} {
		if !r.Validity.Valid {
			return fmt.Errorf("%w: %s: %s", ErrInvalid, name, strings.Join(r.Validity.Reasons, "; "))
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

func notes(a, b *result.Result, scopes []scope) []string {
	var list []string
	if a.Meta.Seed != b.Meta.Seed {
		list = append(list, fmt.Sprintf("the seeds differ (%d and %d), so the requests did too", a.Meta.Seed, b.Meta.Seed))
	}
	if a.Meta.Target != b.Meta.Target {
		list = append(list, fmt.Sprintf("the targets differ (%s and %s)", a.Meta.Target, b.Meta.Target))
	}
	for _, s := range scopes {
		for _, m := range metrics {
			if m.quantile > 0 && !s.enough(m.quantile) {
				list = append(list, fmt.Sprintf("%s: too few requests for %s", s.name, m.name))
			}
		}
	}
	return list
}

// minEffective is how many independent slots a run must be worth for its intervals to keep what they promise.
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
