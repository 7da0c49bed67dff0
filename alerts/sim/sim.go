// Package sim replays incidents through alerting rules and measures how good the alerts are: how
// soon they detect an incident, how soon they end, how much of the error budget is spent by then,
// how many of them are significant, and how many incidents stay undetected.
//
// Three engines do this, and a test checks that they agree exactly. The standard is range queries
// of Prometheus's own engine over the unchanged expressions of the rules file. The proof is
// Prometheus's own rule groups, evaluated around the incidents. The reference is prefix sums in
// plain Go, which do not use PromQL.
//
// It must not know where results are shown, and reads only the files that it is given.
package sim

import (
	"time"

	"firedrill/alerts/slo"
)

// Resolution is the time between two scrapes, and between two evaluations of rules without an
// interval.
const Resolution = 15 * time.Second

// Period is the simulated time. It equals the period of the objective.
const Period = 30 * day

const day = 24 * time.Hour

// Span is a time range that includes From and excludes To. Both are since the start of the
// catalogue.
type Span struct {
	From, To time.Duration
}

// Firing holds the times in which a rule set's alerts fire, by severity. Spans are in order and do
// not touch.
type Firing map[slo.Severity][]Span
