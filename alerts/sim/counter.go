package sim

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Events says which events a counter counts.
type Events string

// The kinds of events.
const (
	AllEvents  Events = "all"
	GoodEvents Events = "good"
	BadEvents  Events = "bad"
)

// Counter is a series that counts events of the simulation.
type Counter struct {
	Labels labels.Labels
	Counts Events
}

// ParseCounter parses a series in Prometheus's format: name{label="value"}.
func ParseCounter(text string, counts Events) (Counter, error) {
	l, err := parser.ParseMetric(text)
	if err != nil {
		return Counter{}, fmt.Errorf("%q is no series: %w", text, err)
	}
	if l.Get(labels.MetricName) == "" {
		return Counter{}, fmt.Errorf("%q is no series: it has no name", text)
	}
	return Counter{Labels: l, Counts: counts}, nil
}

// ownCounters returns the counters that the built-in rule sets read.
func ownCounters() []Counter {
	return []Counter{
		{labels.FromStrings(labels.MetricName, SeriesAll), AllEvents},
		{labels.FromStrings(labels.MetricName, SeriesBad), BadEvents},
	}
}

// counters returns the samples of the counters, as Prometheus would have scraped them.
func (t timeline) counters(all []Counter) *store {
	good := make([]float64, len(t.all))
	for i := range good {
		good[i] = t.all[i] - t.bad[i]
	}
	values := map[Events][]float64{AllEvents: t.all, BadEvents: t.bad, GoodEvents: good}
	s := &store{}
	for _, c := range all {
		s.series = append(s.series, &series{
			labels: c.Labels, values: values[c.Counts], step: t.step.Milliseconds(),
			start: epoch().UnixMilli() - int64(t.before)*t.step.Milliseconds(),
		})
	}
	return s
}
