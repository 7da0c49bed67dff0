package slo

import "time"

// version is the only supported format: Sloth's, with additional keys of Firedrill.
// https://pkg.go.dev/github.com/slok/sloth/pkg/prometheus/api/v1
const version = "prometheus/v1"

// document is a file of objectives. Keys are Sloth's unless marked as Firedrill's.
type document struct {
	Version string            `yaml:"version"`
	Service string            `yaml:"service"`
	Labels  map[string]string `yaml:"labels"`
	Owner   string            `yaml:"owner"`  // Firedrill's
	Scale   *float64          `yaml:"scale"`  // Firedrill's
	Period  string            `yaml:"period"` // Firedrill's
	SLOs    []docSLO          `yaml:"slos"`
	// Plugins are Go code that Sloth runs when it makes rules. They are read so that the error can say what they are.
	Plugins any `yaml:"slo_plugins"`
}

type docSLO struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Objective   float64           `yaml:"objective"`
	Labels      map[string]string `yaml:"labels"`
	SLI         docSLI            `yaml:"sli"`
	Alerting    docAlerting       `yaml:"alerting"`
	Plugins     any               `yaml:"plugins"` // as those of document

	// The following keys are Firedrill's.
	Period     string         `yaml:"period"`
	Owner      string         `yaml:"owner"`
	Runbook    string         `yaml:"runbook"`
	Dashboard  string         `yaml:"dashboard"`
	Traces     string         `yaml:"traces"`
	LowTraffic *docLowTraffic `yaml:"low_traffic"`
}

type docLowTraffic struct {
	MinBadEvents float64 `yaml:"min_bad_events"`
}

type docSLI struct {
	Raw    *docRaw    `yaml:"raw"`
	Events *docEvents `yaml:"events"`
	Plugin *docPlugin `yaml:"plugin"`

	// The following keys are Firedrill's.
	Unit      string        `yaml:"unit"` // unit of the queries of events and raw, if the queries do not show it
	Latency   *docLatency   `yaml:"latency"`
	Freshness *docFreshness `yaml:"freshness"`
}

type docPlugin struct {
	ID      string            `yaml:"id"`
	Options map[string]string `yaml:"options"`
}

type docRaw struct {
	ErrorRatioQuery string `yaml:"error_ratio_query"`
}

type docEvents struct {
	ErrorQuery string `yaml:"error_query"`
	TotalQuery string `yaml:"total_query"`
}

type docLatency struct {
	Histogram string        `yaml:"histogram"` // name and labels of the histogram, without _bucket
	Threshold time.Duration `yaml:"threshold"` // upper bound of one of its buckets
}

type docFreshness struct {
	Started   string        `yaml:"started"`   // counter of events that began
	Finished  string        `yaml:"finished"`  // histogram of their durations in seconds
	Threshold time.Duration `yaml:"threshold"` // upper bound of one of its buckets
}

type docAlerting struct {
	Name        string            `yaml:"name"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	PageAlert   docAlert          `yaml:"page_alert"`
	TicketAlert docAlert          `yaml:"ticket_alert"`
}

type docAlert struct {
	Disable     bool              `yaml:"disable"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}
