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
	"strings"
	"time"

	"firedrill/loadgen/result"
)

// ErrInvalid means that a run is not valid, so it must not be compared.
var ErrInvalid = errors.New("invalid run")

// ErrDifferent means that two runs do not have the same load, or are too short for a
// comparison.
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
}

// Report is the result of a comparison.
type Report struct {
	Differs     bool          `json:"differs"` // true if any metric differs
	Confidence  float64       `json:"confidence"`
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
	Differs bool    `json:"differs"` // the interval does not contain 0
	Worse   bool    `json:"worse"`   // the whole interval is above 0
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

// refuse returns an error unless both runs are valid and have the same load.
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
