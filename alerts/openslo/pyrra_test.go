package openslo_test

import (
	"strings"
	"testing"
	"time"

	"firedrill/alerts/openslo"
	"firedrill/alerts/slo"
)

const pyrraText = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: api-errors, namespace: monitoring}
spec:
  target: "99.5"
  window: 30d
  description: Requests are answered.
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="api",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="api"}'}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: api-latency}
spec:
  target: 99
  window: 4w
  indicator:
    latency:
      success: {metric: 'http_request_duration_seconds_bucket{le="1"}'}
      total: {metric: http_request_duration_seconds_count}
  alerting: {disabled: true}
`

func TestPyrra(t *testing.T) {
	got, err := openslo.Import("pyrra.yaml", []byte(pyrraText))
	if err != nil || len(got.Skipped) > 0 || len(got.Specs) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(got.Changed) > 0 {
		t.Errorf("changed %q", got.Changed)
	}
	parse := func(service string) slo.SLO {
		spec, err := slo.Parse(service, got.Specs[service])
		if err != nil {
			t.Fatalf("%v in\n%s", err, got.Specs[service])
		}
		return spec.SLOs[0]
	}
	errors, latency := parse("api"), parse("api-latency")
	if errors.Objective != 99.5 || errors.SLI.Bad != `sum(rate(http_requests_total{code=~"5..",job="api"}[{{.window}}]))` || errors.Description != "Requests are answered." {
		t.Errorf("errors %+v", errors)
	}
	if errors.Period != 0 || latency.Period != 4*7*24*time.Hour {
		t.Errorf("periods %v and %v, want the default and 4 weeks", errors.Period, latency.Period)
	}
	if latency.Objective != 99 || !latency.Alerting.Page.Disable || !latency.Alerting.Ticket.Disable ||
		!strings.Contains(latency.SLI.Bad, `- `) && !strings.Contains(latency.SLI.Bad, "-\n") {
		t.Errorf("latency %+v", latency)
	}
}

func TestPyrraThatCannotBeExpressed(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"grouping", "      total: {metric: 'http_requests_total{job=\"api\"}'}\n", "      total: {metric: 'http_requests_total{job=\"api\"}'}\n      grouping: [route]\n", "it is grouped by route"},
		{"a native histogram", "    ratio:\n      errors", "    latencyNative:\n      errors", "latencyNative reads a native histogram"},
		{"a gauge", "    ratio:\n      errors", "    bool_gauge:\n      errors", "bool_gauge counts scrapes"},
		{"no indicator", "    ratio:\n      errors", "    other:\n      errors", "none of ratio and latency"},
		{"a target that is none", `target: "99.5"`, "target: most", "its target is most"},
		{"no series", "'http_requests_total{job=\"api\"}'", "'sum(x)'", "want a series"},
	} {
		got, err := openslo.Import("pyrra.yaml", []byte(strings.Replace(pyrraText, tc.from, tc.to, 1)))
		if err != nil || len(got.Skipped) != 1 || !strings.Contains(got.Skipped[0], tc.want) {
			t.Errorf("%s: skipped %q, %v, want one with %q", tc.name, got.Skipped, err, tc.want)
		}
	}
	if _, err := openslo.Import("pyrra.yaml", []byte("apiVersion: pyrra.dev/v2\nkind: ServiceLevelObjective\n")); err == nil || !strings.Contains(err.Error(), pyrraVersionText) {
		t.Errorf("another version: %v", err)
	}
}

const pyrraVersionText = "pyrra.dev/v1alpha1"
