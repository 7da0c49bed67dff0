package slo

import "time"

// version is the only format there is: Sloth's, with keys of our own beside its.
// https://pkg.go.dev/github.com/slok/sloth/pkg/prometheus/api/v1
const version = "prometheus/v1"

// document is a file of objectives. Keys without a remark are Sloth's.
type document struct {
	Version string            `yaml:"version"`
	Service string            `yaml:"service"`
	Labels  map[string]string `yaml:"labels"`
	Owner   string            `yaml:"owner"` // ours
	Scale   *float64          `yaml:"scale"` // ours
	SLOs    []docSLO          `yaml:"slos"`
}

type docSLO struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Objective   float64           `yaml:"objective"`
	Labels      map[string]string `yaml:"labels"`
	SLI         docSLI            `yaml:"sli"`
	Alerting    docAlerting       `yaml:"alerting"`

	// Ours.
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
	Plugin *struct {
		ID      string            `yaml:"id"`
		Options map[string]string `yaml:"options"`
	} `yaml:"plugin"`

	// Ours.
	Unit      string        `yaml:"unit"` // of events and raw: what the queries count, where it cannot be found in them
	Latency   *docLatency   `yaml:"latency"`
	Freshness *docFreshness `yaml:"freshness"`
}

type docRaw struct {
	ErrorRatioQuery string `yaml:"error_ratio_query"`
}

type docEvents struct {
	ErrorQuery string `yaml:"error_query"`
	TotalQuery string `yaml:"total_query"`
}

type docLatency struct {
	Histogram string        `yaml:"histogram"` // a series, without _bucket
	Threshold time.Duration `yaml:"threshold"` // a bound of its buckets
}

type docFreshness struct {
	Started   string        `yaml:"started"`   // the counter of what began
	Finished  string        `yaml:"finished"`  // the histogram of how long it took, in seconds
	Threshold time.Duration `yaml:"threshold"` // a bound of its buckets
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
