package slo

import (
	"strings"
	"testing"
)

const resourceText = `# Two documents: a resource, and a file.
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata:
  name: web
  namespace: monitoring
spec:
  service: web
  labels: {owner: team}
  slos:
    - name: availability
      objective: 99.9
      description: Requests are answered.
      sli:
        events:
          errorQuery: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
          totalQuery: sum(rate(requests_total[{{.window}}]))
      alerting:
        name: WebDown
        pageAlert: {labels: {channel: "#web"}}
        ticketAlert: {disable: true}
--- # the second
version: prometheus/v1
service: api
slos:
  - name: availability
    objective: 99
    sli:
      raw:
        error_ratio_query: sum(rate(errors_total[{{.window}}])) / sum(rate(requests_total[{{.window}}]))
---
# nothing
`

func TestDocumentsOfAFile(t *testing.T) {
	all, err := ParseAll("slos.yaml", []byte(resourceText))
	if err != nil || len(all) != 2 {
		t.Fatalf("%d specs, %v, want 2", len(all), err)
	}
	web, api := all[0], all[1]
	if web.Service != "web" || api.Service != "api" || web.Name() != "slos-1.yaml" || api.Name() != "slos-2.yaml" {
		t.Errorf("%s %s, %s %s", web.Service, web.Name(), api.Service, api.Name())
	}
	s := web.SLOs[0]
	if s.Alerting.Name != "WebDown" || s.Alerting.Page.Disable || !s.Alerting.Ticket.Disable || s.Alerting.Page.Labels["channel"] != "#web" || s.Owner != "team" {
		t.Errorf("alerting %+v, owner %s", s.Alerting, s.Owner)
	}
	// The same objective in both formats is the same.
	file := `version: prometheus/v1
service: web
labels: {owner: team}
slos:
  - name: availability
    objective: 99.9
    description: Requests are answered.
    sli:
      events:
        error_query: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: WebDown
      page_alert: {labels: {channel: "#web"}}
      ticket_alert: {disable: true}
`
	same, err := Parse("slos.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if same.SLOs[0].SLI != s.SLI || same.SLOs[0].Objective != s.Objective {
		t.Errorf("as a resource %+v, as a file %+v", s, same.SLOs[0])
	}
}

// Errors have the line of the file and the key in the words of the file.
func TestErrorsOfDocuments(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"a query of a resource", "errorQuery: sum(", "errorQuery: sum((", "slos.yaml:16: spec.slos[0].sli.events.errorQuery: "},
		{"a key of a resource", "errorQuery:", "error_query:", `slos.yaml:16: spec.slos[0].sli.events`},
		{"the kind", "kind: PrometheusServiceLevel", "kind: Deployment", `slos.yaml:2: apiVersion: "sloth.slok.dev/v1" with the kind "Deployment"`},
		{"the version of a resource", "sloth.slok.dev/v1", "sloth.slok.dev/v2", `slos.yaml:2: apiVersion: "sloth.slok.dev/v2"`},
		{"plugins of a resource", "  slos:\n    - name: availability\n      objective: 99.9\n", "  sloPlugins: {chain: []}\n  slos:\n    - name: availability\n      objective: 99.9\n", "slos.yaml:10: spec.sloPlugins: plugins are Go code"},
		{"plugins of an objective", "    objective: 99\n", "    objective: 99\n    plugins: {chain: []}\n", "slos.yaml:28: slos[0].plugins: plugins are Go code"},
		{"OpenSLO", "sloth.slok.dev/v1", "openslo/v1", "slos.yaml:2: apiVersion: this is the format of another tool"},
		{"Pyrra", "sloth.slok.dev/v1", "pyrra.dev/v1alpha1", "slos.yaml:2: apiVersion: this is the format of another tool"},
		{"the second document", "objective: 99\n", "objective: 0\n", "slos.yaml:27: slos[0].objective: "},
	} {
		text := strings.Replace(resourceText, tc.from, tc.to, 1)
		_, err := ParseAll("slos.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	for _, text := range []string{"", "---\n", "# nothing\n---\n# still nothing\n"} {
		if _, err := ParseAll("slos.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "it has no objectives") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseAll(f *testing.F) {
	f.Add(resourceText)
	f.Add("---\nversion: prometheus/v1\n")
	f.Add("apiVersion: sloth.slok.dev/v1\nspec: [1]\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseAll("fuzz.yaml", []byte(text)) })
}

// A subquery has the labels of its expression.
func TestLabelsOfSubqueries(t *testing.T) {
	for query, want := range map[string]string{
		`sum_over_time((count(m < 0.75))[{{.window}}:])`:              "",
		`sum_over_time((count(m < 0.75) or vector(0))[{{.window}}:])`: "",
		`sum(sum_over_time((m < bool 0.75)[{{.window}}:]))`:           "",
		`sum_over_time((m < 0.75)[{{.window}}:])`:                     "keeps its labels",
		`sum_over_time((count by (job) (m < 0.75))[{{.window}}:])`:    `keeps the label "job"`,
	} {
		err := checkQuery(query)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

func TestPeriods(t *testing.T) {
	for text, want := range map[string]string{
		"28d": "", "4w": "", "90d": "", "3d": "", "366d": "",
		"2d": "want 3d to", "2y": "want 3d to", "1M": "a month has no fixed length", "month": "want a length such as 28d",
	} {
		file := strings.Replace(resourceText, "    objective: 99\n", "    objective: 99\n    period: "+text+"\n", 1)
		_, err := ParseAll("slos.yaml", []byte(file))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "slos.yaml:28: slos[0].period: ") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
