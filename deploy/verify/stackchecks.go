package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"firedrill/internal/backend"
)

// stackChecks returns the checks of the backends themselves.
func stackChecks() []check {
	return []check{
		{"stack", "every scrape target is up", "holds", allTargetsUp},
		{"stack", "rules load and evaluate", "holds", rulesHealthy},
		{"stack", "prometheus reaches alertmanager", "holds", alertmanagerConnected},
		{"stack", "span metrics count the run", "holds", spanMetricsGrew},
		{"stack", "TraceQL metrics count the run", "holds", traceMetricsSeeRun},
	}
}

func allTargetsUp(ctx context.Context, r *run) finding {
	const asked = "prometheus: targets"
	targets, err := r.on.prometheus.Targets(ctx)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(targets) == 0 {
		return lacks(asked, "no targets")
	}
	var down []string
	for _, t := range targets {
		switch {
		case t.Health != promv1.HealthGood:
			down = append(down, fmt.Sprintf("%s of %s is %s: %s", t.ScrapeURL, t.Labels["job"], t.Health, t.LastError))
		case t.LastScrape.Before(r.began):
			down = append(down, fmt.Sprintf("%s of %s was last scraped at %s, before the run", t.ScrapeURL, t.Labels["job"], at(t.LastScrape)))
		}
	}
	if len(down) > 0 {
		return lacks(asked, "%s", strings.Join(down, "; "))
	}
	return holds(asked, "%d up", len(targets))
}

func rulesHealthy(ctx context.Context, r *run) finding {
	const asked = "prometheus: rules"
	groups, err := r.on.prometheus.RuleGroups(ctx)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	rules := 0
	var sick []string
	for _, g := range groups {
		for _, any := range g.Rules {
			rules++
			name, health, lastError := ruleState(any)
			if health != promv1.RuleHealthGood || lastError != "" {
				sick = append(sick, fmt.Sprintf("%s of %s is %s: %s", name, g.Name, health, lastError))
			}
		}
	}
	switch {
	case rules == 0:
		return lacks(asked, "%d groups without a rule", len(groups))
	case len(sick) > 0:
		return lacks(asked, "%s", strings.Join(sick, "; "))
	}
	return holds(asked, "%d rules in %d groups", rules, len(groups))
}

func ruleState(rule any) (name string, health promv1.RuleHealth, lastError string) {
	switch r := rule.(type) {
	case promv1.AlertingRule:
		return r.Name, r.Health, r.LastError
	case promv1.RecordingRule:
		return r.Name, r.Health, r.LastError
	default:
		return fmt.Sprintf("%T", rule), promv1.RuleHealthUnknown, "unknown kind of rule"
	}
}

func alertmanagerConnected(ctx context.Context, r *run) finding {
	const asked = "prometheus: alertmanagers, and alertmanager: alerts"
	urls, err := r.on.prometheus.Alertmanagers(ctx)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(urls) == 0 {
		return lacks(asked, "prometheus has no alertmanager")
	}
	alerts, err := r.on.alertmanager.Alerts(ctx)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	return holds(asked, "%s; %d alerts", strings.Join(urls, ", "), len(alerts))
}

// spanMetricsGrew checks that Tempo's span metrics counted each service for this run, and that their exemplars
// lead to traces of the service.
func spanMetricsGrew(ctx context.Context, r *run) finding {
	var f finding
	for _, service := range services() {
		if f = r.grewBy(ctx, spanCalls, selector{"service": service}, r.confirmed()); !f.ok {
			return f
		}
		q := fmt.Sprintf(`{__name__=~"traces_spanmetrics_latency(_bucket)?",service=%q}`, service)
		f = r.exemplar(ctx, q, func(_ backend.Exemplar, s backend.Span) bool { return s.Service == service })
		if !f.ok {
			return f
		}
	}
	f.got = "the last of five: " + f.got
	return f
}

// traceMetricsSeeRun checks that there is at least one span for each request that was sent with a sampled trace
// context.
func traceMetricsSeeRun(ctx context.Context, r *run) finding {
	const step = 10 * time.Second
	q := fmt.Sprintf(`{ resource.service.name = %q && span.user_agent.original =~ "firedrill-verify/%s .*" } | count_over_time()`, gateway, r.id)
	asked := "tempo: " + q
	want := 0
	for _, s := range r.sent {
		if s.traceID != "" && s.status > 0 {
			want++
		}
	}
	if want == 0 {
		return moot("the gateway answered nothing")
	}
	start, end := r.span()
	series, err := r.on.tempo.QueryRange(ctx, q, start, end, step)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	total := 0.0
	for _, s := range series {
		for _, sample := range s.Samples {
			total += sample.Value
		}
	}
	if total < float64(want) {
		return lacks(asked, "%g spans in %d series, want at least %d", total, len(series), want)
	}
	return holds(asked, "%g spans, want at least %d", total, want)
}

// nothingDropped checks that each service has counters for lost logs and traces, and that it lost none during
// the run.
func nothingDropped(ctx context.Context, r *run) finding {
	var lost []string
	for _, service := range services() {
		for _, signal := range []string{"logs", "traces"} {
			g, f, ok := r.grew(ctx, droppedItems, selector{"job": service, "signal": signal})
			if !ok {
				f.got = service + ", " + signal + ": " + f.got
				return f
			}
			if g.by != 0 {
				lost = append(lost, fmt.Sprintf("%g %s of %s", g.by, signal, service))
			}
		}
	}
	const asked = "prometheus: " + droppedItems
	if len(lost) > 0 {
		return lacks(asked, "lost during the run: %s", strings.Join(lost, ", "))
	}
	return holds(asked, "no growth, for logs and traces of %d services", len(services()))
}
