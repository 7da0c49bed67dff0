// Package slo defines service level objectives: their content, the file format, the windows and
// burn rates of their alerts, the names of the recorded series, and the arithmetic of error
// budgets.
//
// It must not know how rules are written, loaded or evaluated.
package slo

import (
	"math"
	"time"
)

// Kind says how an indicator distinguishes bad events from good ones.
type Kind string

// The kinds of indicators.
const (
	Events    Kind = "events"    // two queries count bad and all events
	Latency   Kind = "latency"   // a histogram; events slower than a threshold are bad
	Freshness Kind = "freshness" // a counter of events that began and a histogram of those that ended; events that do not end in time are bad
)

// SLI is a service level indicator. Its queries are PromQL and return one series without labels:
// events per second over the window {{.window}}.
type SLI struct {
	Kind       Kind
	Bad, Total string
	BadSum     string        // bad events, for summing over time; "" if Bad serves for this too
	Threshold  time.Duration // for Latency and Freshness
}

// SLO is one objective of one service.
type SLO struct {
	// Period is the time over which the objective must hold; 0 for that of the policy.
	Period time.Duration

	Service     string
	Name        string
	Description string
	Objective   float64 // percent of events that must be good, above 0 and below 100
	SLI         SLI

	Owner     string // who responds to alerts
	Runbook   string // path or URL of the runbook for the burn-rate alerts
	Dashboard string // path in Grafana or URL
	Traces    string // TraceQL query for traces of bad events

	// MinBadEvents is the low-traffic guard. A burn-rate alert needs at least this many bad events
	// in its long window. One failure in ten requests is not an outage.
	MinBadEvents float64

	Alerting Alerting
}

// Alerting is the name, labels and annotations of an objective's alerts.
type Alerting struct {
	Name        string // name of the burn-rate alerts
	Labels      map[string]string
	Annotations map[string]string
	Page        AlertMeta
	Ticket      AlertMeta
}

// AlertMeta is the additional labels and annotations of the alerts of one severity.
type AlertMeta struct {
	Disable     bool
	Labels      map[string]string
	Annotations map[string]string
}

// Spec is the content of one file: the objectives of a service.
type Spec struct {
	File string // file name for error messages
	// Document is the number of the document in its file, from 1, and Documents is how many the file has. Both are 0 for
	// a text that is read alone.
	Document, Documents int

	Service string
	Scale   float64 // how many times faster than real time the windows run; 1 is production
	SLOs    []SLO
}

// ID returns the objective's identifier, which is unique among all services.
func (s SLO) ID() string { return s.Service + "-" + s.Name }

// Budget returns the ratio of events that may be bad: 0.001 for 99.9 %.
func (s SLO) Budget() float64 {
	// In binary 100-99.9 is 0.0999…43. Rounding to twelve places hides this, and no objective has
	// that many.
	const places = 1e12
	return math.Round((100-s.Objective)/100*places) / places
}
