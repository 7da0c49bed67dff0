// Package threshold parses conditions on the result of a load test and evaluates them.
//
//	p99 < 300ms
//	errors < 0.1%
//	journey.checkout.p95 < 1s
//	scenario.browse.response.p99 <= 250ms
//	stage.peak.scenario.browse.step.search.service.max < 2s
//	lag.p99 < 5ms
//	rate > 190/s
//
// An expression consists of selectors (scenario, journey, step and stage, each with a name), a latency (response, which is
// the default, service or lag), a metric (p0 to p100, min, mean, max, errors, rate, count), a comparison and a value. A
// name with characters other than letters, digits, "_" and "-" must be in double quotes.
//
// It must not know how results are made or shown.
package threshold

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"firedrill/loadgen/result"
)

// Threshold is a parsed expression. Make one with Parse.
type Threshold struct {
	text                           string // the expression as written
	scenario, journey, step, stage name
	latency                        string // "response", "service" or "lag"; "" means response
	metric                         string // "quantile", "min", "mean", "max", "errors", "rate" or "count"
	quantile                       float64
	op                             string
	limit                          float64 // nanoseconds, a share, requests a second, or a count
}

// name is the name in a selector. It has its column, so that an error can point at an unknown name. The zero
// name selects everything.
type name struct {
	text   string
	column int
}

// String returns the expression as written.
func (t Threshold) String() string { return t.text }

// Names are the names that a profile has.
type Names struct {
	Scenarios, Journeys, Steps, Stages []string
}

// Check returns a *SyntaxError if the expression selects a name that the profile does not have.
func (t Threshold) Check(names Names) error {
	for _, check := range []struct {
		kind string
		name name
		have []string
	}{
		{"scenario", t.scenario, names.Scenarios}, {"journey", t.journey, names.Journeys},
		{"step", t.step, names.Steps}, {"stage", t.stage, names.Stages},
	} {
		if check.name != (name{}) && !slices.Contains(check.have, check.name.text) {
			message := fmt.Sprintf("there is no %s %q", check.kind, check.name.text)
			if len(check.have) > 0 {
				message += "; there is " + strings.Join(check.have, ", ")
			}
			return &SyntaxError{Text: t.String(), Column: check.name.column, Message: message}
		}
	}
	return nil
}

// Evaluate compares a result with the threshold. If the expression selects no request, there is no data, and the
// threshold does not hold: a test that tested nothing has not passed.
func (t Threshold) Evaluate(r *result.Result) result.Threshold {
	outcome := result.Threshold{Expression: strings.TrimSpace(t.text), Actual: "no data"}
	measured := t.selected(r)
	if measured.count == 0 {
		return outcome
	}
	value := t.value(measured, r)
	outcome.Actual, outcome.OK = t.format(value), t.holds(value)
	if prompt := measured.prompt; prompt.Count() == measured.count {
		measured.latency = prompt
		if without := t.value(measured, r); t.holds(without) != outcome.OK {
			outcome.OK, outcome.Unclear = false, true
			outcome.Actual += ", but " + t.format(without) + " without the generator's own lag"
		}
	}
	if !outcome.OK && t.wantsMore() && !r.Validity.Valid {
		outcome.Unclear = true // the generator sent too little
	}
	if !outcome.OK && r.Interrupted {
		outcome.Unclear = true // the rest of the run could have changed it
	}
	return outcome
}

func (t Threshold) holds(value float64) bool {
	switch t.op {
	case "<":
		return value < t.limit
	case "<=":
		return value <= t.limit
	case ">":
		return value > t.limit
	}
	return value >= t.limit
}

// wantsMore reports whether the threshold wants at least so many requests.
func (t Threshold) wantsMore() bool {
	return (t.metric == "rate" || t.metric == "count") && strings.HasPrefix(t.op, ">")
}

// EvaluateAll evaluates all thresholds. ok reports whether all of them hold.
func EvaluateAll(thresholds []Threshold, r *result.Result) (outcomes []result.Threshold, ok bool) {
	ok = true
	for _, t := range thresholds {
		outcome := t.Evaluate(r)
		outcomes, ok = append(outcomes, outcome), ok && outcome.OK
	}
	return outcomes, ok
}

// BudgetLeft returns the share of the allowed failures that is left, for a threshold like "errors < 0.1%". The allowance
// is for the whole run, which is assumed to have the same rate as the part so far. The share is negative if more requests
// failed than allowed. ok is false for other thresholds and before the first request.
func (t Threshold) BudgetLeft(r *result.Result) (left float64, ok bool) {
	measured := t.selected(r)
	if t.metric != "errors" || !strings.HasPrefix(t.op, "<") || t.limit <= 0 || measured.count == 0 || r.Elapsed <= 0 {
		return 0, false
	}
	whole := max(1, float64(r.Meta.Length)/float64(r.Elapsed))
	return 1 - float64(measured.failed)/(t.limit*float64(measured.count)*whole), true
}

// measurement has the part of a result that an expression selects.
type measurement struct {
	count, failed uint64
	latency       *result.Histogram
	prompt        *result.Histogram // latency without the generator's own lag
}

func (t Threshold) selected(r *result.Result) measurement {
	inStage := func(stage int) bool {
		return t.stage == (name{}) || stage >= 0 && stage < len(r.Meta.Stages) && r.Meta.Stages[stage].Name == t.stage.text
	}
	if t.journey != (name{}) {
		j := r.JourneyTotal(func(scenario string, stage int) bool { return scenario == t.journey.text && inStage(stage) })
		return measurement{j.Ended, j.Failed, &j.Response, &j.Prompt}
	}
	g := r.Total(func(k result.Key) bool {
		return (t.scenario == (name{}) || k.Scenario == t.scenario.text) && (t.step == (name{}) || k.Step == t.step.text) && inStage(k.Stage)
	})
	switch t.latency {
	case "service":
		return measurement{g.Requests, g.Failed, &g.Service, &g.Service}
	case "lag":
		return measurement{g.Requests, g.Failed, &g.Lag, &g.Lag}
	}
	return measurement{g.Requests, g.Failed, &g.Response, &g.Prompt}
}

func (t Threshold) value(m measurement, r *result.Result) float64 {
	switch t.metric {
	case "errors":
		return float64(m.failed) / float64(m.count)
	case "rate":
		return float64(m.count) / t.seconds(r)
	case "count":
		return float64(m.count)
	case "min":
		return float64(m.latency.Min())
	case "mean":
		return float64(m.latency.Mean())
	case "max":
		return float64(m.latency.Max())
	}
	return float64(m.latency.Quantile(t.quantile / 100))
}

// seconds returns how long the selected stages ran, at least 1 ms.
func (t Threshold) seconds(r *result.Result) float64 {
	ran := r.Elapsed
	if t.stage != (name{}) {
		ran = 0
		for _, s := range r.Meta.Stages {
			if s.Name == t.stage.text {
				ran += max(0, min(s.Length, r.Elapsed-s.Begin))
			}
		}
	}
	return max(ran, time.Millisecond).Seconds()
}

// format formats a value of the metric in the syntax of Parse.
func (t Threshold) format(value float64) string {
	switch t.metric {
	case "errors":
		return strconv.FormatFloat(value*100, 'g', 4, 64) + "%"
	case "rate":
		return strconv.FormatFloat(value, 'g', 5, 64) + "/s"
	case "count":
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return time.Duration(value).String()
}
