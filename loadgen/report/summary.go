// Package report shows the result of a load test as text, as an HTML page that works offline, and as an HdrHistogram log.
// While the test runs, it shows a live view. It writes files so that a crash or a full disk leaves the last complete
// version.
//
// It must not know how results are made, nor judge them: it shows the verdicts that the results contain.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"firedrill/loadgen/result"
)

// row is a row of a table about requests.
type row struct {
	Name      string
	Count     uint64
	Rate      float64 // a second
	Failed    uint64
	Quantiles []time.Duration // values for quantiles, then the maximum
}

var (
	quantiles      = [...]float64{0.5, 0.9, 0.95, 0.99, 0.999}
	quantileTitles = [...]string{"p50", "p90", "p95", "p99", "p99.9", "max"}
)

func newRow(name string, count, failed uint64, over time.Duration, h *result.Histogram) row {
	r := row{Name: name, Count: count, Failed: failed, Rate: perSecond(count, over)}
	for _, q := range quantiles {
		r.Quantiles = append(r.Quantiles, h.Quantile(q))
	}
	r.Quantiles = append(r.Quantiles, h.Max())
	return r
}

// summary is a result as tables.
type summary struct {
	*result.Result
	Total     result.Group
	Latencies []row // response, service, lag
	Scenarios []row // response times by scenario and step
	Journeys  []row
	Stages    []row
	Classes   []row
	Failures  []failure
}

// failure is the number of requests that failed in one way.
type failure struct {
	Class string
	Count uint64
}

func summarize(r *result.Result) summary {
	s := summary{Result: r, Total: r.Total(nil)}
	for _, l := range []struct {
		name string
		h    *result.Histogram
	}{{"response", &s.Total.Response}, {"service", &s.Total.Service}, {"lag", &s.Total.Lag}} {
		s.Latencies = append(s.Latencies, newRow(l.name, s.Total.Requests, s.Total.Failed, r.Elapsed, l.h))
	}
	s.Scenarios = rowsBy(r, func(k result.Key) string {
		if k.Step != "" {
			return k.Scenario + " / " + k.Step
		}
		return k.Scenario
	})
	s.Classes = rowsBy(r, func(k result.Key) string { return k.Class })
	for i, stage := range r.Meta.Stages {
		g := r.Total(func(k result.Key) bool { return k.Stage == i })
		over := max(0, min(stage.Length, r.Elapsed-stage.Begin))
		s.Stages = append(s.Stages, newRow(stageName(stage, i), g.Requests, g.Failed, over, &g.Response))
	}
	for _, name := range journeyNames(r) {
		j := r.JourneyTotal(func(scenario string, _ int) bool { return scenario == name })
		s.Journeys = append(s.Journeys, newRow(name, j.Ended, j.Failed, r.Elapsed, &j.Response))
	}
	for class, n := range s.Total.Failures {
		s.Failures = append(s.Failures, failure{class, n})
	}
	slices.SortFunc(s.Failures, func(a, b failure) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class)) })
	return s
}

// rowsBy groups requests by the name that name returns for their key.
func rowsBy(r *result.Result, name func(result.Key) string) []row {
	totals := map[string]*result.Group{}
	for i := range r.Groups {
		key := name(r.Groups[i].Key)
		if totals[key] == nil {
			totals[key] = &result.Group{}
		}
		totals[key].Merge(&r.Groups[i])
	}
	var rows []row
	for _, key := range slices.Sorted(maps.Keys(totals)) {
		rows = append(rows, newRow(key, totals[key].Requests, totals[key].Failed, r.Elapsed, &totals[key].Response))
	}
	return rows
}

func journeyNames(r *result.Result) []string {
	var names []string
	for i := range r.Journeys {
		names = append(names, r.Journeys[i].Scenario)
	}
	return slices.Compact(names) // they are sorted
}

func stageName(s result.Stage, index int) string {
	name := cmp.Or(s.Name, fmt.Sprintf("stage %d", index+1))
	if s.Shape == "" {
		return name
	}
	return name + " (" + s.Shape + ")"
}

// Verdict returns the validity of the run in one line.
func (s summary) Verdict() string {
	if !s.Validity.Valid {
		return "INVALID: " + strings.Join(s.Validity.Reasons, "; ")
	}
	if s.Intended == 0 {
		return "valid; unpaced, so there was no rate to keep"
	}
	return fmt.Sprintf("valid: own lag p99 %s (bound %s), rate %+.3f %% (bound ±%g %%)", Latency(s.Validity.LagP99),
		Latency(s.Meta.Bounds.LagP99), s.Validity.RateError*100, s.Meta.Bounds.RateError*100)
}

// Title returns a line that describes the run.
func (s summary) Title() string {
	title := cmp.Or(s.Meta.Profile, "load test")
	if scale := s.Meta.RateScale; scale != 0 && scale != 1 {
		title += fmt.Sprintf(" at %.4g times its rates", scale)
	}
	if s.Meta.ShardsOf > 1 {
		title += fmt.Sprintf(", %s of %d", shards(s.Meta.Shards), s.Meta.ShardsOf)
	}
	return title
}

func shards(list []int) string {
	var names []string
	for _, n := range list {
		names = append(names, strconv.Itoa(n))
	}
	if len(names) == 1 {
		return "shard " + names[0]
	}
	return "shards " + strings.Join(names, "+")
}

// Broken returns the number of thresholds that do not hold.
func (s summary) Broken() int {
	n := 0
	for _, t := range s.Thresholds {
		if !t.OK {
			n++
		}
	}
	return n
}

// traceLink returns the link to a trace; "" if the trace is not kept or the result has no
// TraceURL.
func traceLink(m *result.Meta, e result.Exemplar) string {
	if !e.Kept || e.TraceID == "" || m.TraceURL == "" {
		return ""
	}
	return strings.ReplaceAll(m.TraceURL, "{trace_id}", e.TraceID)
}

func perSecond(n uint64, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(n) / over.Seconds()
}
