package openslo_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"firedrill/alerts/openslo"
	"firedrill/alerts/slo"
)

const documents = `apiVersion: openslo/v1
kind: DataSource
metadata: {name: metrics}
spec: {type: Prometheus}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: web}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec:
  ratioMetric:
    counter: true
    good:
      metricSource:
        metricSourceRef: metrics
        spec: {query: 'http_requests_total{job="web",code!~"5.."}'}
    total:
      metricSource:
        metricSourceRef: metrics
        spec: {query: 'sum(increase(http_requests_total{job="web"}[5m]))'}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  displayName: Web answers
  labels: {team: web, tags: [a, b]}
spec:
  service: web
  indicatorRef: answered
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives:
    - targetPercent: 99.9
    - {displayName: strict, target: 0.9995}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: stored}
spec:
  service: batch
  budgetingMethod: Occurrences
  timeWindow: [{duration: 4w, isRolling: true}]
  indicator:
    metadata: {name: inline}
    spec:
      ratioMetric:
        rawType: success
        raw: {metricSource: {type: prometheus, spec: {query: 'sum(rate(good_total[{{.window}}])) / sum(rate(all_total[{{.window}}]))'}}}
  objectives: [{target: 0.99}]
`

func TestWhatCanBeExpressed(t *testing.T) {
	got, err := openslo.Import("a.yaml", []byte(documents))
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(got.Specs)); !slices.Equal(names, []string{"batch", "web"}) || len(got.Skipped) > 0 {
		t.Fatalf("services %v, skipped %v", names, got.Skipped)
	}
	want := []string{
		`SLO "availability": the label "tags" is left out: Prometheus wants a name of letters, digits and _, and one value`,
	}
	if !slices.Equal(got.Changed, want) {
		t.Errorf("changed:\n%s\nwant\n%s", strings.Join(got.Changed, "\n"), strings.Join(want, "\n"))
	}
	web, err := slo.Parse("web.yaml", got.Specs["web"])
	if err != nil {
		t.Fatal(err)
	}
	batch, err := slo.Parse("batch.yaml", got.Specs["batch"])
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"objectives":  {len(web.SLOs), 2},
		"name":        {web.SLOs[1].Name, "availability-2"},
		"percent":     {web.SLOs[1].Objective, 99.95},
		"description": {web.SLOs[1].Description, "Web answers: strict"},
		"label":       {web.SLOs[0].Alerting.Labels["team"], "web"},
		"total":       {web.SLOs[0].SLI.Total, `sum(rate(http_requests_total{job="web"}[{{.window}}]))`},
		"bad": {web.SLOs[0].SLI.Bad, `sum(rate(http_requests_total{job="web"}[{{.window}}]))
-
sum(rate(http_requests_total{code!~"5..",job="web"}[{{.window}}]))`},
		"raw bad": {batch.SLOs[0].SLI.Bad, "sum(rate(all_total[{{.window}}])) - sum(rate(good_total[{{.window}}]))"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestWhatCannotBeExpressed(t *testing.T) {
	for _, tc := range []struct{ name, old, new, want string }{
		{"time slices", "budgetingMethod: Occurrences\n  timeWindow: [{duration: 30d", "budgetingMethod: Timeslices\n  timeWindow: [{duration: 30d",
			`SLO "availability": budgeting method "Timeslices": Firedrill counts events (Occurrences), not slices of time`},
		{"threshold", documents[strings.Index(documents, "  ratioMetric:\n    counter"):strings.Index(documents, "---\napiVersion: openslo/v1\nkind: SLO")], "  thresholdMetric: {metricSource: {type: Prometheus, spec: {query: x}}}\n",
			`SLO "availability": a thresholdMetric compares a value with a threshold and counts no events: use a histogram, as sli.latency`},
		{"another source", "spec: {type: Prometheus}", "spec: {type: Datadog}",
			`SLO "availability": total comes from Datadog: Firedrill asks only Prometheus`},
		{"gauge", "counter: true", "counter: false",
			`SLO "availability": its ratioMetric has counter: false: a value that goes up and down has no number of events`},
		{"missing indicator", "indicatorRef: answered", "indicatorRef: gone",
			`SLO "availability": its indicator "gone" is not among the documents`},
		{"composite", "- targetPercent: 99.9\n", "- {targetPercent: 99.9, indicatorRef: answered}\n",
			`SLO "availability", objective 1: it has an indicator of its own: Firedrill has no composite objectives`},
		{"no target", "- targetPercent: 99.9\n", "- {displayName: x}\n",
			`SLO "availability", objective 1: it has neither target nor targetPercent`},
		{"no PromQL", `'http_requests_total{job="web",code!~"5.."}'`, `'SELECT 1'`,
			`SLO "availability": good is no PromQL`},
		{"a target of 100 %", "targetPercent: 99.9", "targetPercent: 100",
			`SLO "availability-1": 100 leaves no budget that could burn: want less`},
		{"a kind that is none", "kind: Service", "kind: Servant",
			`Servant "web": no such kind in openslo/v1`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(documents, tc.old, tc.new, 1)
			if text == documents {
				t.Fatalf("%q is not in the documents", tc.old)
			}
			got, err := openslo.Import("a.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Skipped) != 1 || !strings.HasPrefix(got.Skipped[0], tc.want) {
				t.Errorf("skipped %q\nwant %q", got.Skipped, tc.want)
			}
		})
	}
}

func TestWhatChangesIsTold(t *testing.T) {
	text := strings.Replace(documents, "timeWindow: [{duration: 30d, isRolling: true}]",
		"timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}]\n  alertPolicies: [{alertPolicyRef: x}]", 1)
	got, err := openslo.Import("a.yaml", []byte(text+"---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: x}\n"))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got.Changed, "\n")
	for _, want := range []string{
		`SLO "availability": its window of 1M follows the calendar: here it is rolling, of 30d`,
		`SLO "availability": its alert policies: Firedrill makes its own alerts on the burn rate`,
		`AlertPolicy "x": Firedrill makes its own alerts on the burn rate; where they go is Alertmanager's`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not told in\n%s", want, all)
		}
	}
}

func TestWhatIsNoOpenSLO(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"another":       "apiVersion: openslo/v1alpha\nkind: SLO\n",
		"no YAML":       "a: [",
		"nothing typed": "apiVersion: openslo/v1\nspec: ! ",
		"wrong in part": documents + "---\napiVersion: v1\nkind: Pod\n",
	} {
		if _, err := openslo.Import("a.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "a.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openslo.ImportFiles(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestFilesMayReferToEachOther(t *testing.T) {
	dir := t.TempDir()
	at := strings.Index(documents, "---\napiVersion: openslo/v1\nkind: SLO")
	var files []string
	for name, text := range map[string]string{"a.yaml": documents[at+4:], "b.yaml": documents[:at]} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[len(files)-1], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := openslo.ImportFiles(files...)
	if err != nil || len(got.Specs) != 2 || len(got.Skipped) > 0 {
		t.Errorf("got %v, skipped %v (%v)", slices.Sorted(maps.Keys(got.Specs)), got.Skipped, err)
	}
}

// A key that is absent is not a key that is false, and a window that is absent is told.
func TestAbsentKeys(t *testing.T) {
	whole, err := openslo.Import("all.yaml", []byte(documents))
	if err != nil {
		t.Fatal(err)
	}
	window := regexp.MustCompile(`(?m)^  timeWindow: .*\n`)
	for _, tc := range []struct{ name, text, changed string }{
		{"counter", strings.ReplaceAll(documents, "    counter: true\n", ""), ""},
		{"timeWindow", window.ReplaceAllString(documents, ""), "it has no timeWindow: here it is 30d"},
	} {
		if tc.text == documents {
			t.Errorf("%s: nothing was left out", tc.name)
		}
		got, err := openslo.Import("all.yaml", []byte(tc.text))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if len(got.Skipped) != len(whole.Skipped) || len(got.Specs) != len(whole.Specs) {
			t.Errorf("%s: skipped %q, %d files, want %q, %d", tc.name, got.Skipped, len(got.Specs), whole.Skipped, len(whole.Specs))
		}
		if all := strings.Join(got.Changed, "\n"); !strings.Contains(all, tc.changed) {
			t.Errorf("%s: changed\n%s\nwant %q", tc.name, all, tc.changed)
		}
	}
}
