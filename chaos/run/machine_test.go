package run_test

import (
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// lateBetween returns a machine that serves a need late for a while. from and to count from the
// beginning of the drill.
func lateBetween(need drill.Need, d, from, to time.Duration) func(time.Duration) map[drill.Need]time.Duration {
	return func(since time.Duration) map[drill.Need]time.Duration {
		if since < from || since > to {
			return map[drill.Need]time.Duration{need: 0}
		}
		return map[drill.Need]time.Duration{need: d}
	}
}

// targetDown adds an alert that must not fire in these drills, as long as while returns
// true.
func targetDown(w *world, while func() bool) {
	w.alerts = func(all []run.Alert) []run.Alert {
		if !while() {
			return all
		}
		return append(all, run.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket", "job": "bank"}, Firing: true})
	}
}

// TestVerdictsOnAMachineThatDoesNotKeepUp checks that a failure that the machine may have caused is inconclusive, that a
// failure it cannot have caused is still a failure, and that no drill passes on a starved machine. The fault lasts from 20.5
// s to 50.5 s.
func TestVerdictsOnAMachineThatDoesNotKeepUp(t *testing.T) {
	const strained, starved = 4 * time.Second, 20 * time.Second // lateness of scrapes
	always := func(n drill.Need, d time.Duration) func(time.Duration) map[drill.Need]time.Duration {
		return lateBetween(n, d, 0, time.Hour)
	}
	probe := func(d *drill.Drill, needs ...drill.Need) {
		d.Hypothesis = []drill.Probe{{
			Name: "nobody is charged twice", Query: drill.Query{Language: drill.PromQL, Text: "m"}, Is: drill.Comparison{Op: "==", Bound: 0},
			Mode: drill.Continuous, NoData: drill.NoDataUnknown, Needs: needs,
		}}
	}
	valueIs := func(w *world, v float64, from, to time.Duration) {
		w.value = func(drill.Query) float64 {
			if s := time.Since(w.start); s >= from && s <= to {
				return v
			}
			return 0
		}
	}
	for _, tc := range []struct {
		name   string
		lie    func(w *world, d *drill.Drill)
		want   run.Verdict
		reason string // part of a reason
	}{
		{"nothing is late", func(w *world, _ *drill.Drill) { w.late = always(drill.NeedScrapes, 0) }, run.Pass, ""},
		{"late by less than matters", func(w *world, _ *drill.Drill) { w.late = always(drill.NeedProcessor, 40*time.Millisecond) }, run.Pass, ""},
		{"all is seen in time though the machine is strained", func(w *world, _ *drill.Drill) { w.late = always(drill.NeedScrapes, strained) }, run.Pass, ""},

		// Failures that the machine may have caused.
		{"the alert does not fire, scrapes are late", func(w *world, _ *drill.Drill) {
			w.detect, w.late = time.Hour, always(drill.NeedScrapes, strained)
		}, run.Inconclusive, "did not fire within 15s; this machine did not keep up for 15s: scrapes came up to 4s late"},
		{"the alert fires too late, processes wait", func(w *world, _ *drill.Drill) {
			w.detect, w.late = 16*time.Second, always(drill.NeedProcessor, 300*time.Millisecond)
		}, run.Inconclusive, "work waited up to 300ms for a processor"},
		{"the alert resolves too late, rules are late", func(w *world, _ *drill.Drill) {
			w.reset, w.late = 46*time.Second, always(drill.NeedRules, 4*time.Second)
		}, run.Inconclusive, "rules were evaluated up to 4s late"},
		{"the alert never resolves, the load is late", func(w *world, _ *drill.Drill) {
			w.reset, w.loadLate = time.Hour, 156*time.Millisecond
		}, run.Inconclusive, "the load generator sent requests up to 156ms late"},
		{"a stranger fires while scrapes are late", func(w *world, _ *drill.Drill) {
			targetDown(w, func() bool { return !w.well() })
			w.late = lateBetween(drill.NeedScrapes, strained, 15*time.Second, 30*time.Second)
		}, run.Inconclusive, "TargetDown ticket (job=bank) fired 21s after the beginning"},
		{"a probe breaks while scrapes are late", func(w *world, d *drill.Drill) {
			probe(d, drill.NeedScrapes)
			valueIs(w, 1, 30*time.Second, 33*time.Second)
			w.late = lateBetween(drill.NeedScrapes, strained, 25*time.Second, 40*time.Second)
		}, run.Inconclusive, "the value was 1 at"},
		{"a service is not ready while processes wait", func(w *world, d *drill.Drill) {
			d.Expect.Healthy = []string{"orders"}
			w.value = func(q drill.Query) float64 {
				if s := time.Since(w.start); q.Language == drill.HTTP && s > 30*time.Second && s < 40*time.Second {
					return 0
				}
				return map[bool]float64{true: 200, false: 1}[q.Language == drill.HTTP]
			}
			w.late = lateBetween(drill.NeedProcessor, time.Second, 28*time.Second, 40*time.Second)
		}, run.Inconclusive, "orders stays ready"},

		{"an alert that tells of the machine fires", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.well() {
					return all
				}
				return append(all, run.Alert{Labels: map[string]string{"alertname": "ScrapesLate", "severity": "ticket"}, Firing: true})
			}
		}, run.Inconclusive, "ScrapesLate ticket fired 21s after the beginning: it tells of this machine"},
		{"a stranger fires beside an alert that tells of the machine, long after", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.well() {
					return all
				}
				return append(all, run.Alert{Labels: map[string]string{"alertname": "ScrapesLate", "severity": "ticket"}, Firing: true},
					run.Alert{Labels: map[string]string{"alertname": "EventsDropped", "severity": "ticket"}, Firing: true})
			}
		}, run.Fail, "EventsDropped"},

		// Failures that the machine cannot have caused.
		{"the alert does not fire, and the machine was late before only", func(w *world, _ *drill.Drill) {
			w.detect, w.late = time.Hour, lateBetween(drill.NeedScrapes, strained, 0, 15*time.Second)
		}, run.Fail, "did not fire within 15s"},
		{"the alert does not fire, and the machine was late for a moment", func(w *world, _ *drill.Drill) {
			w.detect, w.late = time.Hour, lateBetween(drill.NeedProcessor, time.Second, 25*time.Second, 26*time.Second)
		}, run.Fail, "did not fire within 15s"},
		{"the alert fires far too late, and the machine was late for a moment", func(w *world, _ *drill.Drill) {
			w.detect, w.late = 25*time.Second, lateBetween(drill.NeedProcessor, time.Second, 25*time.Second, 27*time.Second)
		}, run.Fail, "fired after 25s"},
		{"somebody is charged twice, whatever the machine does", func(w *world, d *drill.Drill) {
			probe(d)
			valueIs(w, 1, 30*time.Second, 33*time.Second)
			w.late = always(drill.NeedScrapes, starved)
		}, run.Fail, "nobody is charged twice: the value was 1"},
		{"a probe is broken while scrapes are late, and when they are not", func(w *world, d *drill.Drill) {
			probe(d, drill.NeedScrapes)
			valueIs(w, 1, 30*time.Second, 70*time.Second)
			w.late = lateBetween(drill.NeedScrapes, strained, 25*time.Second, 40*time.Second)
		}, run.Fail, "nobody is charged twice: the value was 1"},
		{"a stranger fires long after scrapes were late", func(w *world, _ *drill.Drill) {
			targetDown(w, func() bool { return time.Since(w.start) > 75*time.Second })
			w.late = lateBetween(drill.NeedScrapes, strained, 0, 5*time.Second)
		}, run.Fail, "TargetDown"},
		{"the faults themselves take the processor", func(w *world, d *drill.Drill) {
			d.Takes = []drill.Need{drill.NeedProcessor}
			w.detect, w.late = time.Hour, always(drill.NeedProcessor, time.Second)
		}, run.Fail, "did not fire within 15s"},

		// A starved machine proves nothing.
		{"nothing else fires, and scrapes are starved", func(w *world, _ *drill.Drill) {
			w.late = always(drill.NeedScrapes, starved)
		}, run.Inconclusive, "no other alert: none fired; this machine did not keep up"},
		{"the load is starved", func(w *world, _ *drill.Drill) { w.loadLate = 3 * time.Second }, run.Inconclusive, "sent requests up to 3s late"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			d.Expect.Alerts[0].Needs = []drill.Need{drill.NeedProcessor, drill.NeedScrapes, drill.NeedRules, drill.NeedLoad}
			tc.lie(w, d)
			j, err := perform(t, w, d, func(c *run.Config) { c.Machine = []drill.AlertPattern{{Alert: "ScrapesLate"}} })
			if err != nil {
				t.Fatal(err)
			}
			if reasons := strings.Join(j.Reasons, "\n"); j.Verdict != tc.want || !strings.Contains(reasons, tc.reason) {
				t.Errorf("verdict %s, want %s and %q in\n%s", j.Verdict, tc.want, tc.reason, reasons)
			}
			if blamed := strings.Contains(strings.Join(j.Reasons, "\n"), "this machine"); blamed != (j.Advice != "") {
				t.Errorf("the machine is blamed: %v, advice %q", blamed, j.Advice)
			}
		})
	}
}

// TestRefusalOnAMachineThatDoesNotKeepUp checks that a drill that cannot begin is refused,
// unless the machine may be the reason.
func TestRefusalOnAMachineThatDoesNotKeepUp(t *testing.T) {
	for _, tc := range []struct {
		name    string
		late    time.Duration
		refused bool
	}{
		{"scrapes are on time", 0, true},
		{"scrapes are late", 4 * time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			targetDown(w, func() bool { return true })
			w.late = lateBetween(drill.NeedScrapes, tc.late, 0, time.Hour)
			j, err := perform(t, w, outage())
			if tc.refused {
				if err == nil || !strings.Contains(err.Error(), "TargetDown") {
					t.Fatalf("error %v, want a refusal", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if j.Verdict != run.Inconclusive || !strings.Contains(j.Reasons[0], "TargetDown ticket (job=bank) fires; this machine did not keep up for") {
				t.Errorf("verdict %s: %q", j.Verdict, j.Reasons)
			}
			if j.Advice == "" {
				t.Error("nobody says what to do")
			}
			if w.broken() {
				t.Error("a fault began")
			}
		})
	}
}
