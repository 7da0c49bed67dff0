// Package sim replays incidents through alerting rules and tells how good the
// alerts are: how soon they tell of an incident, how soon they end, how much of the
// error budget is gone by then, how many of them matter, and how many incidents
// nobody hears of.
//
// Three engines do it, and a test demands that they agree exactly. Range queries of
// Prometheus's own engine over the expressions as the rules file has them are the
// standard; Prometheus's own rule groups, evaluated around the incidents, are the
// proof; prefix sums in plain Go, which know nothing of PromQL, are the reference.
//
// It must not know where results are shown, and reads no file but those it is given.
package sim

import (
	"time"

	"firedrill/alerts/slo"
)

// Resolution is the time between two scrapes, and between two evaluations of rules
// that do not say otherwise.
const Resolution = 15 * time.Second

// Period is simulated: that of the objective.
const Period = 30 * day

const day = 24 * time.Hour

// Span is a time in which something lasts: from From to before To, since the start
// of the catalogue.
type Span struct {
	From, To time.Duration
}

// Firing is when a rule set's alerts fire, by severity. Spans are in order and do not
// touch.
type Firing map[slo.Severity][]Span
