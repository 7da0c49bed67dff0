// Package contract describes which metrics a program exposes, so that alerts and dashboards can be checked
// without running the program.
//
// A test of the program describes its registry and stores the description in a file. Users of the metrics read
// the file. The package must not know what the metrics mean.
package contract

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Contract is a list of metrics, sorted by name.
type Contract struct {
	Metrics []Metric `json:"metrics"`
}

// Metric is one metric family.
type Metric struct {
	Name   string   `json:"name"` // without _bucket, _sum and _count
	Type   string   `json:"type"` // counter, gauge, histogram or summary
	Unit   string   `json:"unit"` // "seconds", "bytes" or "ratio"; "" for a plain number
	Help   string   `json:"help"`
	Labels []string `json:"labels"` // keys, sorted, without le and quantile
}

var types = map[dto.MetricType]string{
	dto.MetricType_COUNTER:   "counter",
	dto.MetricType_GAUGE:     "gauge",
	dto.MetricType_HISTOGRAM: "histogram",
	dto.MetricType_SUMMARY:   "summary",
}

// Describe returns the contract of the metrics that the gatherers expose at the moment. A metric with labels is
// exposed only when it has a series, so create a series of each first.
func Describe(from ...prometheus.Gatherer) (Contract, error) {
	var all []Metric
	for _, g := range from {
		families, err := g.Gather()
		if err != nil {
			return Contract{}, fmt.Errorf("gather the metrics to describe: %w", err)
		}
		for _, f := range families {
			m, err := describe(f)
			if err != nil {
				return Contract{}, err
			}
			all = append(all, m)
		}
	}
	return merge(all)
}

func describe(f *dto.MetricFamily) (Metric, error) {
	kind, known := types[f.GetType()]
	if !known {
		return Metric{}, fmt.Errorf("describe metric %q: its type %v has no place in a contract", f.GetName(), f.GetType())
	}
	labels := map[string]bool{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = true
		}
	}
	return Metric{
		Name: f.GetName(), Type: kind, Unit: unitOf(f.GetName()), Help: f.GetHelp(),
		Labels: append([]string{}, slices.Sorted(maps.Keys(labels))...),
	}, nil
}

// unitOf returns the unit at the end of the name, as Prometheus' naming rules require it, or "".
// https://prometheus.io/docs/practices/naming/#base-units
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes", "ratio"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}

// merge sorts metrics and joins the labels of metrics with the same name. These must be equal in everything
// else.
func merge(all []Metric) (Contract, error) {
	var errs []error
	byName := map[string]Metric{}
	for _, m := range all {
		known, ok := byName[m.Name]
		if ok && (known.Type != m.Type || known.Unit != m.Unit || known.Help != m.Help) {
			errs = append(errs, fmt.Errorf("metric %q is described in two ways: %s %q and %s %q", m.Name, known.Type, known.Help, m.Type, m.Help))
		}
		m.Labels = append([]string{}, slices.Compact(slices.Sorted(slices.Values(slices.Concat(known.Labels, m.Labels))))...)
		byName[m.Name] = m
	}
	c := Contract{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		c.Metrics = append(c.Metrics, byName[name])
	}
	return c, errors.Join(errs...)
}

// Without returns the contract without the metrics of another contract, by name.
func (c Contract) Without(other Contract) Contract {
	rest := slices.DeleteFunc(slices.Clone(c.Metrics), func(m Metric) bool {
		_, ok := other.metric(m.Name)
		return ok
	})
	return Contract{Metrics: rest}
}

// Check returns an error unless a query may select series with these labels. The name is that of a series:
// histograms and summaries also have _sum and _count, and classic histograms have _bucket with the label le.
// Every series has job and instance, which Prometheus adds.
func (c Contract) Check(series string, labels ...string) error {
	m, extra, ok := c.find(series)
	if !ok {
		return fmt.Errorf("no metric has the series %q", series)
	}
	var errs []error
	for _, l := range labels {
		if l != "job" && l != "instance" && (l != extra || extra == "") && !slices.Contains(m.Labels, l) {
			errs = append(errs, fmt.Errorf("series %q has no label %q: want one of %v", series, l, m.Labels))
		}
	}
	return errors.Join(errs...)
}

// find returns the metric of a series and the label that its type adds.
func (c Contract) find(series string) (m Metric, extra string, ok bool) {
	if m, ok := c.metric(series); ok {
		if m.Type == "summary" {
			extra = "quantile"
		}
		return m, extra, true
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, found := strings.CutSuffix(series, suffix)
		m, ok := c.metric(base)
		switch {
		case !found || !ok:
		case suffix == "_bucket" && m.Type == "histogram":
			return m, "le", true
		case suffix != "_bucket" && (m.Type == "histogram" || m.Type == "summary"):
			return m, "", true
		}
	}
	return Metric{}, "", false
}

func (c Contract) metric(name string) (Metric, bool) {
	i, ok := slices.BinarySearchFunc(c.Metrics, name, func(m Metric, name string) int { return strings.Compare(m.Name, name) })
	if !ok {
		return Metric{}, false
	}
	return c.Metrics[i], true
}
