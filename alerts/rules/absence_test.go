//go:build !race

// These replays take minutes with the race detector, and nothing in them is concurrent.

package rules_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// form is one way to write an indicator, and how its counters increase at each scrape.
type form struct {
	name, sli   string
	well, sick  map[string]float64
	countsFails []string // operands that count failures; if absent, their count is 0, as TestNoBadSeriesIsNoError shows
}

func forms() []form {
	const (
		ok, failed, all = `ok_total{job="shop"}`, `failed_total{job="shop"}`, `all_total{job="shop"}`
		okRate          = `sum(rate(ok_total[{{.window}}]))`
		failedRate      = `sum(rate(failed_total[{{.window}}]))`
		allRate         = `sum(rate(all_total[{{.window}}]))`
	)
	events := func(bad, total string) string {
		return "events:\n        error_query: " + bad + "\n        total_query: " + total
	}
	raw := func(ratio string) string { return "raw:\n        error_ratio_query: " + ratio }
	well, sick := map[string]float64{ok: 100, failed: 0, all: 100}, map[string]float64{ok: 0, failed: 100, all: 100}
	return []form{
		{"events", events(failedRate, allRate), well, sick, []string{failed}},
		{"events as a difference", events(allRate+" - "+okRate, allRate), well, sick, nil},
		{"events as a difference of another total", events(`sum(rate(ok_total[{{.window}}])) + `+failedRate+" - "+okRate, allRate), well, sick, []string{failed}},
		{"events over a sum", events(failedRate, okRate+" + "+failedRate), well, sick, []string{failed}},
		{"a difference inside a sum", events(`sum(rate(all_total[{{.window}}]) - rate(ok_total[{{.window}}]))`, allRate), well, sick, nil},
		{"a bounded difference", events(`clamp_min(`+allRate+` - `+okRate+`, 0)`, allRate), well, sick, nil},
		{"bad / total", raw(failedRate + " / " + allRate), well, sick, []string{failed}},
		{"1 - good / total", raw("1 - (" + okRate + " / " + allRate + ")"), well, sick, nil},
		{"(total - good) / total", raw("(" + allRate + " - " + okRate + ") / " + allRate), well, sick, nil},
		{"1 - good / (good + bad)", raw("1 - " + okRate + " / (" + okRate + " + " + failedRate + ")"), well, sick, []string{failed}},
		{"idle services left out", events(allRate+" - "+okRate, allRate+" > 0"), well, sick, nil},
		{"latency", "latency: {histogram: took_seconds, threshold: 250ms}",
			map[string]float64{`took_seconds_count{job="shop"}`: 100, `took_seconds_bucket{job="shop",le="0.25"}`: 100},
			map[string]float64{`took_seconds_count{job="shop"}`: 100, `took_seconds_bucket{job="shop",le="0.25"}`: 0}, nil},
		{"freshness", "freshness: {started: began_total, finished: done_seconds, threshold: 500ms}",
			map[string]float64{`began_total{job="shop"}`: 100, `done_seconds_bucket{job="shop",le="0.5"}`: 100},
			map[string]float64{`began_total{job="shop"}`: 100, `done_seconds_bucket{job="shop",le="0.5"}`: 0}, nil},
	}
}

// turns increases all counters but the absent one.
func turns(by map[string]float64, absent string) func(func(string, float64)) {
	return func(add func(string, float64)) {
		for series, v := range by {
			if series != absent {
				add(series, v)
			}
		}
	}
}

// In a total outage an objective never looks healthy, whichever operand of its indicator has no
// series and whenever that begins. It keeps paging, or pages because it cannot be measured.
func TestNoAbsenceReadsAsGood(t *testing.T) {
	for _, f := range forms() {
		for absentSeries := range f.sick {
			metric := strings.SplitN(absentSeries, "{", 2)[0]
			if strings.HasSuffix(metric, "_total") && !strings.Contains(f.sli, metric) || slices.Contains(f.countsFails, absentSeries) {
				continue // not an operand, or a counter of failures: see form
			}
			for _, moment := range []string{"from the start", "from the middle of the outage", "for a while in the outage"} {
				t.Run(f.name+"/"+metric+" is absent "+moment, func(t *testing.T) {
					outageWithout(t, f, absentSeries, moment)
				})
			}
		}
	}
}

func outageWithout(t *testing.T, f form, absentSeries, moment string) {
	t.Helper()
	const i = "      events:\n        error_query: sum(rate(requests_total{code=\"500\"}[{{.window}}]))\n        total_query: sum(rate(requests_total[{{.window}}]))\n"
	r := newReplay(t, spec(t, i, "      "+f.sli+"\n"), slo.Workshop())
	if moment == "from the start" {
		r.run(45*time.Second, turns(f.sick, absentSeries))
	} else {
		r.run(40*time.Second, turns(f.well, ""))
		if len(r.fired) > 0 {
			t.Fatalf("fired before the outage: %+v", r.fired)
		}
		r.run(20*time.Second, turns(f.sick, ""))
		if !r.fires(page) {
			t.Fatalf("a total outage does not page: %+v", r.fired)
		}
		delete(r.counters, absentSeries)
		r.run(45*time.Second, turns(f.sick, absentSeries))
	}
	r.readsAsBad(t)
	if moment == "for a while in the outage" {
		r.run(20*time.Second, turns(f.sick, ""))
		r.readsAsBad(t)
	}
}

// readsAsBad fails the test unless a page fires and the error ratio is not that of a healthy
// service.
func (r *replay) readsAsBad(t *testing.T) {
	t.Helper()
	if !r.fires(page) && !r.fires(absent) {
		t.Errorf("%v: nobody is paged; fired: %+v", r.now, r.fired)
	}
	ratio := r.value("max(" + series(slo.SeriesErrorRatio(5*time.Minute)) + ") or vector(-1)")
	if ratio >= 0 && ratio < 0.5 || math.IsNaN(ratio) {
		t.Errorf("%v: the error ratio reads %v in a total outage", r.now, ratio)
	}
}

// An idle service has no events. That is neither an outage nor an indicator without data, even if a
// filter removes idle services.
func TestIdleServiceWithAFilterIsNoOutage(t *testing.T) {
	r := newReplay(t, spec(t, `total_query: sum(rate(requests_total[{{.window}}]))`, `total_query: sum(rate(requests_total[{{.window}}])) > 0`), slo.Workshop())
	r.run(time.Minute, requests(100, 0))
	r.run(2*time.Minute, requests(0, 0))
	if len(r.fired) > 0 {
		t.Errorf("fired: %+v", r.fired)
	}
}

// Disabled alerts appear in no form of the generated rules.
func TestDisabledAlertsAreNotGenerated(t *testing.T) {
	disabled := func(page, ticket bool) string {
		text := "    alerting:\n"
		if page {
			text += "      page_alert: {disable: true}\n"
		}
		if ticket {
			text += "      ticket_alert: {disable: true}\n"
		}
		return text
	}
	for _, tc := range []struct {
		name         string
		page, ticket bool
		want         []string
	}{
		{"nothing", false, false, []string{page, absent, ticket, spent}},
		{"the page", true, false, []string{"SLIAbsent/ticket", ticket, spent}},
		{"the ticket", false, true, []string{page, absent}},
		{"both", true, true, nil},
	} {
		extra := ""
		if tc.page || tc.ticket {
			extra = disabled(tc.page, tc.ticket)
		}
		s := spec(t, "    objective: 99.9\n", "    objective: 99.9\n"+extra)
		if got := alertsOf(t, s); strings.Join(got, " ") != strings.Join(tc.want, " ") {
			t.Errorf("%s disabled: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// alertsOf returns the generated alerts as name/severity.
func alertsOf(t *testing.T, s slo.Spec) []string {
	t.Helper()
	file, err := rules.Build(s, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r.Alert+"/"+r.Labels["severity"])
			}
		}
	}
	return all
}

// An explanation says what the generated rules do, and nothing else.
func TestExplanationAgreesWithTheRules(t *testing.T) {
	all := explained(t, "")
	for _, tc := range []struct {
		name, alerting string
		says, denies   []string
	}{
		{"nothing disabled", "",
			[]string{"page   SLIAbsent", "ticket ErrorBudgetSpent", "never page,", "never become a ticket,"}, []string{"Nothing can", "No burn rate can"}},
		{"the page disabled", "      page_alert: {disable: true}\n",
			[]string{"ticket SLIAbsent", "ticket ErrorBudgetSpent", "Nothing can page", "never become a ticket,"}, []string{"page   SLIAbsent"}},
		{"the ticket disabled", "      ticket_alert: {disable: true}\n",
			[]string{"page   SLIAbsent", "never page,", "Nothing can become a ticket"}, []string{"ErrorBudgetSpent", "Nothing can page"}},
		{"both disabled", "      page_alert: {disable: true}\n      ticket_alert: {disable: true}\n",
			[]string{"No alert: the objective disables them", "Nothing can page", "Nothing can become a ticket", "There is no alert that depends on burn rates"},
			[]string{"SLIAbsent", "ErrorBudgetSpent", "bad events in its long window"}},
		{"a ticket with the severity page", "      page_alert: {disable: true}\n      ticket_alert: {labels: {severity: page}}\n",
			[]string{"No burn rate can page"}, []string{"Nothing can page"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := explained(t, tc.alerting)
			var out strings.Builder
			if err := e.Write(&out); err != nil {
				t.Fatal(err)
			}
			for _, text := range tc.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("does not say %q:\n%s", text, &out)
				}
			}
			for _, text := range tc.denies {
				if strings.Contains(out.String(), text) {
					t.Errorf("says %q:\n%s", text, &out)
				}
			}
			// What one severity does depends on nothing that is disabled for the other.
			for i, v := range e.Outages {
				if v.Page.Fires && v.Page != all.Outages[i].Page || v.Ticket.Fires && v.Ticket.Detection != all.Outages[i].Ticket.Detection {
					t.Errorf("%v bad: %+v, want the predictions of %+v", v.Ratio, v, all.Outages[i])
				}
			}
		})
	}
}

// explained returns the explanation of an objective with the given settings of alerts.
func explained(t *testing.T, alerting string) rules.Explanation {
	t.Helper()
	if alerting != "" {
		alerting = "    alerting:\n" + alerting
	}
	s := spec(t, "    objective: 99.9\n", "    objective: 99.9\n"+alerting)
	e, err := rules.Explain(s.SLOs[0], rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
