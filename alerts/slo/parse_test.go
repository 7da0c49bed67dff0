package slo_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/slo"
)

// sloths is a spec like the examples in Sloth's documentation.
const sloths = `version: "prometheus/v1"
service: "myservice"
labels:
  owner: "myteam"
  tier: "2"
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Common SLO based on availability for HTTP request responses."
    labels:
      category: availability
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="myservice",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="myservice"}[{{.window}}]))
    alerting:
      name: "MyServiceHighErrorRate"
      labels:
        category: "errors"
      annotations:
        summary: "High error rate on 'myservice' requests responses"
        runbook: https://example.org/runbook
      page_alert:
        labels:
          severity: "pageteam"
      ticket_alert:
        disable: true
  - name: "raw-failures"
    objective: 95
    sli:
      raw:
        error_ratio_query: |
          1 - (
            sum(increase(good_total[{{ .window }}]))
            /
            sum(rate(all_total[{{ .window }}]))
          )
    alerting:
      name: RawFailures
`

func TestSlothsSpecIsRead(t *testing.T) {
	spec, err := slo.Parse("myservice.yaml", []byte(sloths))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Service != "myservice" || spec.Scale != 1 || len(spec.SLOs) != 2 {
		t.Fatalf("got %+v", spec)
	}
	events, raw := spec.SLOs[0], spec.SLOs[1]
	for what, pair := range map[string][2]any{
		"budget":         {events.Budget(), 0.001},
		"owner":          {events.Owner, "myteam"},
		"alert":          {events.Alerting.Name, "MyServiceHighErrorRate"},
		"runbook":        {events.Runbook, "https://example.org/runbook"},
		"category":       {events.Alerting.Labels["category"], "errors"}, // the labels of alerting override the labels of the objective
		"tier":           {events.Alerting.Labels["tier"], "2"},
		"page severity":  {events.Alerting.Page.Labels["severity"], "pageteam"},
		"ticket":         {events.Alerting.Ticket.Disable, true},
		"guard":          {events.MinBadEvents, 5.0},
		"raw bad":        {raw.SLI.Bad, "sum(rate(all_total[{{.window}}])) - sum(rate(good_total[{{.window}}]))"},
		"raw total":      {raw.SLI.Total, "sum(rate(all_total[{{.window}}]))"},
		"raw budget":     {raw.Budget(), 0.05},
		"default runboo": {raw.Runbook, "docs/runbooks/RawFailures.md"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
		}
	}
	got, err := events.SLI.TotalQuery(90 * time.Minute)
	if want := `sum(rate(http_requests_total{job="myservice"}[1h30m]))`; err != nil || got != want {
		t.Errorf("total query %s (%v), want %s", got, err, want)
	}
}

func TestIndicatorsOfOurs(t *testing.T) {
	spec, err := slo.Parse("a.yaml", []byte(`version: prometheus/v1
service: a
owner: us
scale: 60
slos:
  - name: fast
    objective: 99
    sli:
      latency:
        histogram: http_seconds{job="a"}
        threshold: 1s
    low_traffic: {min_bad_events: 0}
    traces: '{ status = error }'
  - name: fresh.data
    objective: 99
    owner: them
    sli:
      freshness:
        started: jobs_started_total{job="a"}
        finished: jobs_seconds{job="a"}
        threshold: 250ms
`))
	if err != nil {
		t.Fatal(err)
	}
	fast, fresh := spec.SLOs[0], spec.SLOs[1]
	for what, pair := range map[string][2]any{
		"scale":          {spec.Scale, 60.0},
		"latency bad":    {fast.SLI.Bad, "sum(rate(http_seconds_count{job=\"a\"}[{{.window}}]))\n-\nsum(rate(http_seconds_bucket{job=\"a\",le=\"1.0\"}[{{.window}}]))"},
		"latency total":  {fast.SLI.Total, `sum(rate(http_seconds_count{job="a"}[{{.window}}]))`},
		"kind":           {fast.SLI.Kind, slo.Latency},
		"no guard":       {fast.MinBadEvents, 0.0},
		"owner":          {fast.Owner, "us"},
		"own owner":      {fresh.Owner, "them"},
		"alert":          {fresh.Alerting.Name, "AFreshDataBurn"},
		"dashboard":      {fresh.Dashboard, "/d/slo?var-service=a&var-slo=fresh.data"},
		"freshness bad":  {fresh.SLI.Bad, "(\n  sum(rate(jobs_started_total{job=\"a\"}[{{.window}}])) < sum(rate(jobs_started_total{job=\"a\"}[{{.window}}] offset 250ms))\n  or\n  sum(rate(jobs_started_total{job=\"a\"}[{{.window}}] offset 250ms))\n  or\n  0 * sum(rate(jobs_started_total{job=\"a\"}[{{.window}}]))\n)\n-\nsum(rate(jobs_seconds_bucket{job=\"a\",le=\"0.25\"}[{{.window}}]))"},
		"freshness sum":  {fresh.SLI.BadSum, "sum(rate(jobs_started_total{job=\"a\"}[{{.window}}]))\n-\nsum(rate(jobs_seconds_bucket{job=\"a\",le=\"0.25\"}[{{.window}}]))"},
		"freshness kind": {fresh.SLI.Kind, slo.Freshness},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
		}
	}
}

// good is a valid spec. Each of the cases below breaks one thing in it.
const good = `version: prometheus/v1
service: a
slos:
  - name: b
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(bad_total[{{.window}}]))
        total_query: sum(rate(all_total[{{.window}}]))
`

func TestBadSpecsSayWhereAndWhy(t *testing.T) {
	_, fromSLOs, _ := strings.Cut(good, "service: a\n")
	_, events, _ := strings.Cut(good, "    sli:\n")
	for _, tc := range []struct {
		name, old, new, want string
	}{
		{"objective 100", "objective: 99.9", "objective: 100",
			"s.yaml:5: slos[0].objective: 100 leaves no budget that could burn: want less"},
		{"so many nines", "objective: 99.9", "objective: 99.99999999999999",
			"s.yaml:5: slos[0].objective: 99.99999999999999 leaves no budget that could burn: want less"},
		{"objective 0", "objective: 99.9", "objective: 0",
			"s.yaml:5: slos[0].objective: 0: want percent, above 0 and below 100"},
		{"objective as a ratio above all", "objective: 99.9", "objective: 999",
			"s.yaml:5: slos[0].objective: 999: want percent, above 0 and below 100"},
		{"no objective", "    objective: 99.9\n", "",
			"s.yaml:4: slos[0].objective: 0: want percent, above 0 and below 100"},
		{"unknown key", "    objective", "    objectve",
			`s.yaml:5: slos[0].objectve: unknown key; did you mean objective?`},
		{"wrong type", "objective: 99.9", "objective: high",
			"s.yaml:5: slos[0].objective: want a number, have text"},
		{"no YAML", "slos:\n", "slos: [\n",
			"s.yaml:8: this cannot stand here"},
		{"key twice", "service: a\n", "service: a\nservice: b\n",
			`s.yaml:3: the key "service" is there twice, first on line 2`},
		{"version", "prometheus/v1", "prometheus/v2",
			`s.yaml:1: version: "prometheus/v2": want "prometheus/v1"`},
		{"no service", "service: a\n", "",
			`s.yaml:1: service: "" is no name: want letters, digits, and - _ . between them`},
		{"no slos", fromSLOs, "",
			"s.yaml:1: slos: there is none"},
		{"name", "name: b", "name: b/c",
			`s.yaml:4: slos[0].name: "b/c" is no name: want letters, digits, and - _ . between them`},
		{"missing window variable", "sum(rate(bad_total[{{.window}}]))", "sum(rate(bad_total[5m]))",
			"s.yaml:8: slos[0].sli.events.error_query: bad_total is not looked at over the window: write [{{.window}}] after it"},
		{"no window at all", "sum(rate(all_total[{{.window}}]))", "sum(all_total)",
			"s.yaml:9: slos[0].sli.events.total_query: all_total is not looked at over the window: write [{{.window}}] after it"},
		{"unknown variable", "[{{.window}}]))\n        total", "[{{.windw}}]))\n        total",
			"s.yaml:8: slos[0].sli.events.error_query: put the window into the query: template: query:1:21: executing \"query\" at <.windw>: map has no entry for key \"windw\""},
		{"unbounded label by", "sum(rate(bad_total[{{.window}}]))", "sum by (url) (rate(bad_total[{{.window}}]))",
			`s.yaml:8: slos[0].sli.events.error_query: sum by (url) keeps the label "url", which nothing bounds: aggregate it away, and write one objective for each value that matters`},
		{"unbounded label without", "sum(rate(bad_total[{{.window}}]))", "sum without (pod) (rate(bad_total[{{.window}}]))",
			"s.yaml:8: slos[0].sli.events.error_query: sum without (…) keeps labels that nothing bounds: aggregate all of them away"},
		{"no aggregation", "sum(rate(bad_total[{{.window}}]))", "rate(bad_total[{{.window}}])",
			"s.yaml:8: slos[0].sli.events.error_query: bad_total[1d17h43m] keeps its labels, which nothing bounds: aggregate them away, as by sum(…)"},
		{"no PromQL", "sum(rate(bad_total[{{.window}}]))", "sum(rate(bad_total[{{.window}}])",
			"s.yaml:8: slos[0].sli.events.error_query: the query is no PromQL"},
		{"label from a template", "slos:\n", "labels:\n  user: '{{ $labels.user }}'\nslos:\n",
			"s.yaml:4: labels.user: a label that a template fills has any number of values, and each is an alert of its own: put the template into an annotation"},
		{"label of ours", "slos:\n", "labels:\n  slo: x\nslos:\n",
			"s.yaml:4: labels.slo: the label is set by the rules"},
		{"two indicators", "      events:", "      raw: {error_ratio_query: x}\n      events:",
			"s.yaml:7: slos[0].sli: 2 indicators: want one of events, latency, freshness, raw"},
		{"plugin", events, "      plugin: {id: x}\n",
			"s.yaml:7: slos[0].sli.plugin: a plugin is Go code of Sloth: write the queries that it makes as events"},
		{"ratio that cannot be split", events, "      raw:\n        error_ratio_query: avg_over_time(err[{{.window}}])\n",
			"s.yaml:8: slos[0].sli.raw.error_ratio_query: a ratio cannot be weighted over long windows: write bad / total or 1 - good / total, or its parts as events"},
		{"threshold", events, "      latency: {histogram: x, threshold: 0s}\n",
			"s.yaml:7: slos[0].sli.latency.threshold: 0s: want above 0 and at most 720h0m0s, like 250ms"},
		{"histogram is a query", events, "      latency: {histogram: 'sum(x)', threshold: 1s}\n",
			`s.yaml:7: slos[0].sli.latency.histogram: "sum(x)" is no series: want a name and labels, like requests_total{job="shop"}`},
		{"scale", "slos:\n", "scale: -1\nslos:\n",
			"s.yaml:3: scale: -1: want above 0"},
		{"guard", "    sli:\n", "    low_traffic: {min_bad_events: -1}\n    sli:\n",
			"s.yaml:6: slos[0].low_traffic.min_bad_events: -1: want 0 (no guard) or more"},
		{"twice", "slos:\n", "slos:\n  - name: b\n    objective: 99\n    sli: {latency: {histogram: x, threshold: 1s}}\n",
			`s.yaml:7: slos[1].name: "b" is there twice`},
		{"no YAML", good, "slos: ! ", "s.yaml:1: this cannot be read as YAML"},
		{"two documents", "service: a\n", "service: a\n---\nservice: b\n",
			"s.yaml:3: 2 YAML documents: want one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(good, tc.old, tc.new, 1)
			if text == good {
				t.Fatalf("%q is not in the spec", tc.old)
			}
			_, err := slo.Parse("s.yaml", []byte(text))
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
			var p *slo.SpecError
			if !errors.As(err, &p) || p.Line == 0 {
				t.Errorf("no problem with a line: %#v", err)
			}
		})
	}
	if _, err := slo.Parse("s.yaml", []byte(good)); err != nil {
		t.Errorf("the spec before it is broken: %v", err)
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	text := strings.NewReplacer("99.9", "100", "bad_total[{{.window}}]", "bad_total[5m]").Replace(good)
	_, err := slo.Parse("s.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want two problems, got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(sloths)
	f.Add("slos: [")
	f.Add("version: prometheus/v1\nslos:\n- {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := slo.Parse("s.yaml", []byte(text))
		if err != nil {
			return
		}
		for _, s := range spec.SLOs {
			if s.Budget() <= 0 || s.Budget() >= 1 {
				t.Errorf("budget %v of objective %v", s.Budget(), s.Objective)
			}
			if _, err := s.SLI.Selectors(); err != nil {
				t.Errorf("a query that was accepted: %v", err)
			}
		}
	})
}
