package chaos_test

import (
	"strings"
	"testing"
	"time"

	"firedrill/chaos"
)

// lateBetween is a machine that gives a need late for a while, counted from the beginning of the drill.
func lateBetween(need chaos.Need, d, from, to time.Duration) func(time.Duration) map[chaos.Need]time.Duration {
	return func(since time.Duration) map[chaos.Need]time.Duration {
		if since < from || since > to {
			return map[chaos.Need]time.Duration{need: 0}
		}
		return map[chaos.Need]time.Duration{need: d}
	}
}

// target is an alert that must not fire in these drills.
func targetDown(w *world, while func() bool) {
	w.alerts = func(all []chaos.Alert) []chaos.Alert {
		if !while() {
			return all
		}
		return append(all, chaos.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket", "job": "bank"}, Firing: true})
	}
}

// The machine is a witness: what it may have caused fails no drill, what it cannot have caused still does, and where it gave
// next to nothing no drill passes. The fault lasts from 20.5 s to 50.5 s.
func TestVerdictsOnAMachineThatDoesNotKeepUp(t *testing.T) {
	const strained, starved = 4 * time.Second, 20 * time.Second // of scrapes
	always := func(n chaos.Need, d time.Duration) func(time.Duration) map[chaos.Need]time.Duration {
		return lateBetween(n, d, 0, time.Hour)
	}
	probe := func(d *chaos.Drill, needs ...chaos.Need) {
		d.Hypothesis = []chaos.Probe{{
			Name: "nobody is charged twice", Query: chaos.Query{Language: chaos.PromQL, Text: "m"}, Is: chaos.Comparison{Op: "==", Bound: 0},
			Mode: chaos.Continuous, NoData: chaos.Unknown, Needs: needs,
		}}
	}
	valueIs := func(w *world, v float64, from, to time.Duration) {
		w.value = func(chaos.Query) float64 {
			if s := time.Since(w.start); s >= from && s <= to {
				return v
			}
			return 0
		}
	}
	for _, tc := range []struct {
		name   string
		lie    func(w *world, d *chaos.Drill)
		want   chaos.Verdict
		reason string // part of one
	}{
		{"nothing is late", func(w *world, _ *chaos.Drill) { w.late = always(chaos.NeedScrapes, 0) }, chaos.Pass, ""},
		{"late by less than matters", func(w *world, _ *chaos.Drill) { w.late = always(chaos.NeedProcessor, 90*time.Millisecond) }, chaos.Pass, ""},
		{"all is seen in time though the machine is strained", func(w *world, _ *chaos.Drill) { w.late = always(chaos.NeedScrapes, strained) }, chaos.Pass, ""},

		// What may be the machine's doing.
		{"the alert does not fire, scrapes are late", func(w *world, _ *chaos.Drill) {
			w.detect, w.late = time.Hour, always(chaos.NeedScrapes, strained)
		}, chaos.Inconclusive, "did not fire within 15s; this machine did not keep up for 15s: scrapes came up to 4s late"},
		{"the alert fires too late, processes wait", func(w *world, _ *chaos.Drill) {
			w.detect, w.late = 16*time.Second, always(chaos.NeedProcessor, 300*time.Millisecond)
		}, chaos.Inconclusive, "processes waited up to 300ms for a processor"},
		{"the alert resolves too late, rules are late", func(w *world, _ *chaos.Drill) {
			w.reset, w.late = 46*time.Second, always(chaos.NeedRules, 4*time.Second)
		}, chaos.Inconclusive, "rules were evaluated up to 4s late"},
		{"the alert never resolves, the load is late", func(w *world, _ *chaos.Drill) {
			w.reset, w.loadLate = time.Hour, 156*time.Millisecond
		}, chaos.Inconclusive, "the load generator sent requests up to 156ms late"},
		{"a stranger fires while scrapes are late", func(w *world, _ *chaos.Drill) {
			targetDown(w, func() bool { return !w.well() })
			w.late = lateBetween(chaos.NeedScrapes, strained, 15*time.Second, 30*time.Second)
		}, chaos.Inconclusive, "TargetDown ticket (job=bank) fired 21s after the beginning"},
		{"a probe breaks while scrapes are late", func(w *world, d *chaos.Drill) {
			probe(d, chaos.NeedScrapes)
			valueIs(w, 1, 30*time.Second, 33*time.Second)
			w.late = lateBetween(chaos.NeedScrapes, strained, 25*time.Second, 40*time.Second)
		}, chaos.Inconclusive, "it was 1 at"},
		{"a service is not ready while processes wait", func(w *world, d *chaos.Drill) {
			d.Expect.Healthy = []string{"orders"}
			w.value = func(q chaos.Query) float64 {
				if s := time.Since(w.start); q.Language == chaos.HTTP && s > 30*time.Second && s < 40*time.Second {
					return 0
				}
				return map[bool]float64{true: 200, false: 1}[q.Language == chaos.HTTP]
			}
			w.late = lateBetween(chaos.NeedProcessor, time.Second, 28*time.Second, 40*time.Second)
		}, chaos.Inconclusive, "orders stays ready"},

		// What it cannot have done.
		{"the alert does not fire, and the machine was late before only", func(w *world, _ *chaos.Drill) {
			w.detect, w.late = time.Hour, lateBetween(chaos.NeedScrapes, strained, 0, 15*time.Second)
		}, chaos.Fail, "did not fire within 15s"},
		{"the alert does not fire, and the machine was late for a moment", func(w *world, _ *chaos.Drill) {
			w.detect, w.late = time.Hour, lateBetween(chaos.NeedProcessor, time.Second, 25*time.Second, 26*time.Second)
		}, chaos.Fail, "did not fire within 15s"},
		{"the alert fires far too late, and the machine was late for a moment", func(w *world, _ *chaos.Drill) {
			w.detect, w.late = 25*time.Second, lateBetween(chaos.NeedProcessor, time.Second, 25*time.Second, 27*time.Second)
		}, chaos.Fail, "fired after 25s"},
		{"somebody is charged twice, whatever the machine does", func(w *world, d *chaos.Drill) {
			probe(d)
			valueIs(w, 1, 30*time.Second, 33*time.Second)
			w.late = always(chaos.NeedScrapes, starved)
		}, chaos.Fail, "nobody is charged twice: it was 1"},
		{"a probe is broken while scrapes are late, and when they are not", func(w *world, d *chaos.Drill) {
			probe(d, chaos.NeedScrapes)
			valueIs(w, 1, 30*time.Second, 70*time.Second)
			w.late = lateBetween(chaos.NeedScrapes, strained, 25*time.Second, 40*time.Second)
		}, chaos.Fail, "nobody is charged twice: it was 1"},
		{"a stranger fires long after scrapes were late", func(w *world, _ *chaos.Drill) {
			targetDown(w, func() bool { return time.Since(w.start) > 75*time.Second })
			w.late = lateBetween(chaos.NeedScrapes, strained, 0, 5*time.Second)
		}, chaos.Fail, "TargetDown"},
		{"the faults themselves take the processor", func(w *world, d *chaos.Drill) {
			d.Takes = []chaos.Need{chaos.NeedProcessor}
			w.detect, w.late = time.Hour, always(chaos.NeedProcessor, time.Second)
		}, chaos.Fail, "did not fire within 15s"},

		// Nothing is proven on a machine that gives next to nothing.
		{"nothing else fires, and scrapes are starved", func(w *world, _ *chaos.Drill) {
			w.late = always(chaos.NeedScrapes, starved)
		}, chaos.Inconclusive, "no other alert: none fired; this machine did not keep up"},
		{"the load is starved", func(w *world, _ *chaos.Drill) { w.loadLate = 3 * time.Second }, chaos.Inconclusive, "sent requests up to 3s late"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			d.Expect.Alerts[0].Needs = []chaos.Need{chaos.NeedProcessor, chaos.NeedScrapes, chaos.NeedRules, chaos.NeedLoad}
			tc.lie(w, d)
			j, err := perform(t, w, d)
			if err != nil {
				t.Fatal(err)
			}
			if reasons := strings.Join(j.Reasons, "\n"); j.Verdict != tc.want || !strings.Contains(reasons, tc.reason) {
				t.Errorf("verdict %s, want %s and %q in\n%s", j.Verdict, tc.want, tc.reason, reasons)
			}
			if blamed := strings.Contains(strings.Join(j.Reasons, "\n"), "this machine did not keep up"); blamed != (j.Advice != "") {
				t.Errorf("the machine is blamed: %v, advice %q", blamed, j.Advice)
			}
		})
	}
}

// A drill that cannot begin is refused, unless the machine may be why.
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
			w.late = lateBetween(chaos.NeedScrapes, tc.late, 0, time.Hour)
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
			if j.Verdict != chaos.Inconclusive || !strings.Contains(j.Reasons[0], "TargetDown ticket (job=bank) fires; this machine did not keep up for") {
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
