// Package slo is the vocabulary of service level objectives: what an objective
// says, how it is read from a file, which windows and burn rates guard it, what
// the recorded series are called, and the arithmetic of error budgets.
//
// It must not know how rules are written down, loaded or evaluated.
package slo

import (
	"math"
	"time"
)

// Kind says how good and bad events are told apart.
type Kind string

// The kinds of indicator.
const (
	Events    Kind = "events"    // two queries count them
	Latency   Kind = "latency"   // a histogram: slower than a threshold is bad
	Freshness Kind = "freshness" // a counter of what began, a histogram of what ended: not in time is bad
)

// SLI is a service level indicator. Both queries are PromQL that gives one series
// without labels: events a second over the window that stands for {{.window}}.
type SLI struct {
	Kind       Kind
	Bad, Total string
	BadSum     string        // of bad events where they are to be summed up over time; "" if Bad serves for that too
	Threshold  time.Duration // of latency and freshness
}

// SLO is one objective of one service.
type SLO struct {
	Service     string
	Name        string
	Description string
	Objective   float64 // percent of the events that must be good, above 0 and below 100
	SLI         SLI

	Owner     string // who is to be called
	Runbook   string // path or URL; of the burn-rate alerts
	Dashboard string // path in Grafana, or URL
	Traces    string // TraceQL that finds the traces of bad events

	// MinBadEvents is the low-traffic guard: an alert on the burn rate needs that
	// many bad events in its long window. One failure of ten requests is no outage.
	MinBadEvents float64

	Alerting Alerting
}

// Alerting is what an objective's alerts are called and carry.
type Alerting struct {
	Name        string // of the alerts on the burn rate
	Labels      map[string]string
	Annotations map[string]string
	Page        AlertMeta
	Ticket      AlertMeta
}

// AlertMeta is what the alerts of one severity carry on top.
type AlertMeta struct {
	Disable     bool
	Labels      map[string]string
	Annotations map[string]string
}

// Spec is what one file holds: the objectives of a service.
type Spec struct {
	File    string // for messages
	Service string
	Scale   float64 // how many times faster than real the windows run; 1 is production
	SLOs    []SLO
}

// ID names the objective among all of them.
func (s SLO) ID() string { return s.Service + "-" + s.Name }

// Budget is the ratio of events that may be bad: 0.001 for 99.9 %.
func (s SLO) Budget() float64 {
	// 100-99.9 is 0.0999…43 in binary; nobody states an objective to twelve places.
	const places = 1e12
	return math.Round((100-s.Objective)/100*places) / places
}
