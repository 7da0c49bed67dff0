package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/slo"
)

// users is a rules file as a user may have it. It has counters of its own, an alert for each of two
// labels, hold and keep-firing times, an "or" of two names, an absent series, a range of a recorded
// series, and an offset.
const users = `groups:
  - name: mine
    interval: 30s
    labels: {team: web}
    rules:
      - record: job:errors:ratio5m
        expr: sum by (job) (rate(http_requests_total{code="500"}[5m])) / sum by (job) (rate(http_requests_total[5m]))
      - record: job:errors:ratio30m
        expr: sum by (job) (rate(http_requests_total{code="500"}[30m])) / sum by (job) (rate(http_requests_total[30m]))
      - alert: Errors
        expr: job:errors:ratio5m > 0.05 or job:errors:ratio30m > 0.02
        for: 2m
        keep_firing_for: 10m
        labels: {severity: critical}
      - alert: ErrorsInPlenty
        expr: rate(http_requests_total{code="500"}[5m]) > 10
        labels: {severity: warning}
      - alert: Gone
        expr: absent(http_requests_total)
        labels: {severity: page}
  - name: seldom
    interval: 2m30s
    rules:
      - alert: Mean
        expr: avg_over_time(job:errors:ratio5m[1h] offset 10m) > 0.01
        labels: {severity: ticket}
      - alert: Month
        expr: sum(increase(http_requests_total{code="500"}[30d])) > 1
        labels: {severity: ticket}
`

func userCounters(t *testing.T) []Counter {
	t.Helper()
	var all []Counter
	for text, counts := range map[string]Events{`http_requests_total{job="shop",code="200"}`: GoodEvents, `http_requests_total{job="shop",code="500"}`: BadEvents} {
		c, err := ParseCounter(text, counts)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// Any rules file is simulated unchanged, and Prometheus's own rule groups give the same results.
func TestRulesOfAUser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := LoadRules(file)
	if err != nil {
		t.Fatal(err)
	}
	c := outage(time.Hour, slo.Outage{Ratio: 0.2, Length: 10 * time.Minute, Rate: 100})
	c.Background = 0.0001
	report, err := Replay(t.Context(), c, []RuleSet{set}, Options{Prove: true, Counters: userCounters(t), length: 4 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	got := report.Results[0]
	if report.Differs() || got.Proof.Samples < 50 {
		t.Errorf("the rule groups differ: %+v", got.Proof)
	}
	if len(got.Unjudged) != 1 || got.Unjudged[0] != "Month" || got.Set.Name != "mine" || got.Rules != 7 {
		t.Errorf("not judged: %v, of %d rules of %s", got.Unjudged, got.Rules, got.Set.Name)
	}
	// 5 % of 5 minutes at 20 % errors take 1m15s, plus 30 s, plus 2m hold time. 2 % of 30 minutes
	// hold until 28 minutes after the errors, and the alert keeps firing 10 more.
	page := got.Judgement.Incidents[0].Page
	if page.Times != 1 || page.Detection < 3*time.Minute || page.Detection > 4*time.Minute || page.Reset < 36*time.Minute || page.Reset > 38*time.Minute {
		t.Errorf("page: %+v", page)
	}
	// With 20 of 100 events per second bad, a mean of 10 per second takes half the window. The mean
	// over an hour begins after the offset of 10 minutes.
	ticket := got.Judgement.Incidents[0].Ticket
	if ticket.Detection < 2*time.Minute || ticket.Detection > 3*time.Minute || ticket.Reset < time.Hour {
		t.Errorf("ticket: %+v", ticket)
	}
}

func TestRulesThatCannotBeSimulated(t *testing.T) {
	for _, tc := range []struct{ name, old, with, want string }{
		{"no YAML", "groups:", "grups:", "field grups not found"},
		{"no PromQL", "absent(http", "absent((http", "unclosed left parenthesis"},
		{"no such series", "absent(http_requests_total)", "absent(http_total)", "Gone reads http_total, which no event counts in"},
		{"recorded too late", "- record: job:errors:ratio5m\n", "- record: job:later\n        expr: job:errors:ratio30m\n      - record: job:errors:ratio5m\n",
			"job:later reads job:errors:ratio30m before it is recorded: move it down"},
	} {
		set := RuleSet{Name: "mine", Text: []byte(strings.Replace(users, tc.old, tc.with, 1))}
		_, err := Replay(t.Context(), catalogue(t), []RuleSet{set}, Options{Counters: userCounters(t), length: time.Hour})
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "mine") {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestParseCounter(t *testing.T) {
	for _, text := range []string{"", `{code="500"}`, "http_requests_total[5m]", "a b"} {
		if _, err := ParseCounter(text, BadEvents); err == nil {
			t.Errorf("%q is taken for a series", text)
		}
	}
}

// The proof detects a group that records other samples or fires at other times.
func TestProofSeesDifferences(t *testing.T) {
	c := outage(time.Hour, slo.Outage{Ratio: 1, Length: 10 * time.Minute, Rate: 100})
	line := c.replay(2*time.Hour, day)
	s := objective(t)
	set := strategy(s, "pair", "", slo.Policy{Page: slo.Alert{Pairs: []slo.Pair{{Long: time.Hour, Short: 5 * time.Minute, Burn: 14.4}}}})
	all := compiled(t, set)
	r := newRanger(t, line)
	done, err := r.run(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	other := set
	other.Text = []byte(strings.Replace(string(set.Text), "(14.4 * 0.001)", "(20 * 0.001)", 1))
	proof, err := r.prove(t.Context(), other, all, done)
	if err != nil {
		t.Fatal(err)
	}
	if len(proof.Differences) == 0 {
		t.Error("another threshold is not seen")
	}
	for i := range done.known.series[len(done.known.series)-1].values {
		done.known.series[len(done.known.series)-1].values[i] *= 1 + 1e-15
	}
	if proof, err = r.prove(t.Context(), set, all, done); err != nil {
		t.Fatal(err)
	}
	if len(proof.Differences) == 0 {
		t.Error("another last bit of a recorded sample is not seen")
	}
}
