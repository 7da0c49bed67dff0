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
	Moved     []bool          // for each of Quantiles: the generator's own lag moves it beyond its precision
}

var (
	quantileTitles = [...]string{"p50", "p90", "p95", "p99", "p99.9", "max"}
)

func newRow(name string, count, failed uint64, over time.Duration, h *result.Histogram) row {
	r := row{Name: name, Count: count, Failed: failed, Rate: perSecond(count, over)}
	for _, q := range result.Quantiles {
		r.Quantiles = append(r.Quantiles, h.Quantile(q))
	}
	r.Quantiles = append(r.Quantiles, h.Max())
	return r
}

// mark returns the row with marks where the generator's own lag moves a quantile. prompt has the same response times
// without that lag; it is empty in files of older versions.
func (r row) mark(of *result.Result, prompt *result.Histogram) row {
	if prompt.Count() < r.Count {
		return r
	}
	for i, with := range r.Quantiles {
		without := prompt.Max()
		if i < len(result.Quantiles) {
			without = prompt.Quantile(result.Quantiles[i])
		}
		r.Moved = append(r.Moved, of.Moved(with, without))
	}
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
	of := func(name string, h *result.Histogram) row {
		return newRow(name, s.Total.Requests, s.Total.Failed, r.Elapsed, h)
	}
	s.Latencies = []row{
		of("response", &s.Total.Response).mark(r, &s.Total.Prompt), of("service", &s.Total.Service), of("lag", &s.Total.Lag),
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
		s.Stages = append(s.Stages, newRow(stageName(stage, i), g.Requests, g.Failed, over, &g.Response).mark(r, &g.Prompt))
	}
	for _, name := range journeyNames(r) {
		j := r.JourneyTotal(func(scenario string, _ int) bool { return scenario == name })
		s.Journeys = append(s.Journeys, newRow(name, j.Ended, j.Failed, r.Elapsed, &j.Response).mark(r, &j.Prompt))
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
		g := totals[key]
		rows = append(rows, newRow(key, g.Requests, g.Failed, r.Elapsed, &g.Response).mark(r, &g.Prompt))
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

// Headline returns the verdict in one line.
func (s summary) Headline() string {
	verdict, reasons := s.Verdict()
	if verdict != result.Good {
		return strings.ToUpper(string(verdict)) + ": " + strings.Join(reasons, "; ")
	}
	if s.Intended == 0 {
		return "valid; unpaced, so there was no rate to keep"
	}
	return fmt.Sprintf("valid: own lag p99 %s, rate %+.3f %% (bound ±%g %%)", Latency(s.Validity.LagP99),
		s.Validity.RateError*100, s.Meta.Bounds.RateError*100)
}

// Remarks returns what the headline leaves out: why the run is not valid, if the target already decides the verdict, and
// what changes no conclusion.
func (s summary) Remarks() []string {
	var all []string
	if verdict, _ := s.Verdict(); verdict == result.Broken || verdict == result.Failed {
		for _, reason := range s.Validity.Reasons {
			all = append(all, "not the load that the profile describes: "+reason)
		}
	}
	all = append(all, s.Validity.Notes...)
	if s.anyMoved() {
		all = append(all, "~ marks a figure that the generator's own lag moves by more than "+Latency(s.Meta.Bounds.LagP99)+" and 5 %")
	}
	return all
}

func (s summary) anyMoved() bool {
	for _, rows := range [][]row{s.Latencies, s.Scenarios, s.Journeys, s.Stages, s.Classes} {
		for _, r := range rows {
			if slices.Contains(r.Moved, true) {
				return true
			}
		}
	}
	return false
}

// Cells returns the quantiles of the row as text, those that are moved with a mark.
func (r row) Cells() []string {
	var all []string
	for i, q := range r.Quantiles {
		text := Latency(q)
		if i < len(r.Moved) && r.Moved[i] {
			text = "~" + text
		}
		all = append(all, text)
	}
	return all
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

// Good reports whether the verdict is good.
func (s summary) Good() bool {
	verdict, _ := s.Verdict()
	return verdict == result.Good
}

// Broken returns the number of thresholds that do not hold.
func (s summary) Broken() int {
	return s.thresholds(func(t result.Threshold) bool { return !t.OK && !t.Unclear })
}

// Unclear returns the number of thresholds that the generator decides, and not the target.
func (s summary) Unclear() int {
	return s.thresholds(func(t result.Threshold) bool { return t.Unclear })
}

func (s summary) thresholds(is func(result.Threshold) bool) int {
	n := 0
	for _, t := range s.Thresholds {
		if is(t) {
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
