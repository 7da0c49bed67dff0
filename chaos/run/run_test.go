package run_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/backend"
)

func TestADrillThatPasses(t *testing.T) {
	w := newWorld()
	j, err := perform(t, w, outage(), func(c *run.Config) { c.Predictor = predictor{} })
	if err != nil {
		t.Fatal(err)
	}
	if j.Verdict != run.Pass || len(j.Reasons) > 0 {
		t.Fatalf("verdict %s, reasons %q", j.Verdict, j.Reasons)
	}
	c, _ := check(j, run.SignalAlert)
	if c.Detail != "fired after 8s, resolved 25.5s after the fault" || c.Predicted.Detection != run.Seconds(8*time.Second) {
		t.Errorf("alert: %q, predicted %+v", c.Detail, c.Predicted)
	}
	var phases []string
	for _, p := range j.Phases {
		phases = append(phases, string(p.Name)+" "+p.To.Sub(p.From).String())
	}
	// Recovery: 25 s to resolve, 3 s for the notification, half a second to see it, and then 5 looks at which everything
	// is well.
	if want := []string{"preflight 0s", "warm-up 20s", "faults 30.5s", "recovery 33s", "rollback 0s"}; !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if f := j.Faults[0]; f.Ended.Sub(f.Began) != 30*time.Second || w.renewed < 8 {
		t.Errorf("fault %+v, renewed %d times", f, w.renewed)
	}
	if j.Load.Requests != 1000 || j.Load.Ended.Sub(j.Load.Began) != 83500*time.Millisecond {
		t.Errorf("load %+v", j.Load)
	}
	var told []string
	for _, e := range w.events {
		told = append(told, string(e.Kind)+" "+string(e.State))
	}
	want := []string{
		"phase began", "phase began", "load began", "phase began", "fault began", "alert firing", "notification told", "fault ended",
		"phase began", "alert resolved", "notification told resolved", "phase began", "load ended", "verdict pass",
	}
	if !slices.Equal(told, want) {
		t.Errorf("events %q, want %q", told, want)
	}
}

func TestVerdicts(t *testing.T) {
	after := func(w *world, d time.Duration) bool { return time.Since(w.start) >= d }
	for _, c := range []struct {
		name   string
		lie    func(w *world, d *drill.Drill)
		want   run.Verdict
		reason string // part of a reason
	}{
		{"the alert does not fire", func(w *world, _ *drill.Drill) { w.detect = time.Hour }, run.Fail, "Burn page: did not fire within 15s"},
		{"the alert fires too late", func(w *world, _ *drill.Drill) { w.detect = 16 * time.Second }, run.Fail, "fired after 16s, resolved 25.5s after the fault: want within 15s"},
		{"the alert resolves too late", func(w *world, _ *drill.Drill) { w.reset = 46 * time.Second }, run.Fail, "resolved 46.5s after the fault: want resolved within 45s"},
		{"the alert never resolves", func(w *world, _ *drill.Drill) { w.reset = time.Hour }, run.Fail, "still fires"},
		{"the alert blinks, and nobody is told of that", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if int(time.Since(w.start).Seconds())%6 < 3 {
					return all[:1]
				}
				return all
			}
		}, run.Pass, ""},
		{"people are told of it again and again", func(w *world, _ *drill.Drill) {
			w.notified = func(all []run.Notification) ([]run.Notification, error) {
				if len(all) > 0 && time.Since(all[0].Received) > 10*time.Second {
					all = append(all, run.Notification{Labels: burn(), Received: all[0].Received.Add(10 * time.Second)})
				}
				return all, nil
			}
		}, run.Fail, "flapped: people were told 2 times"},
		{"another alert fires", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.well() {
					return all
				}
				return append(all, run.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket", "job": "bank"}, Firing: true})
			}
		}, run.Fail, "quiet no other alert: TargetDown ticket (job=bank) fired 21s after the beginning"},
		{"another alert is pending", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.well() {
					return all
				}
				return append(all, run.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket"}})
			}
		}, run.Pass, ""},
		{"another alert that may fire", func(w *world, d *drill.Drill) {
			d.Expect.May = []drill.AlertPattern{{Alert: "TargetDown"}}
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.well() {
					return all
				}
				return append(all, run.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket"}, Firing: true})
			}
		}, run.Pass, ""},
		{"the ticket of the page lingers", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if !w.broken() {
					return all
				}
				return append(all, run.Alert{Labels: named("Burn", "ticket"), Firing: true}, run.Alert{Labels: named("ErrorBudgetSpent", "ticket"), Firing: true})
			}
		}, run.Pass, ""},
		{"nobody is told", func(w *world, _ *drill.Drill) {
			w.notified = func([]run.Notification) ([]run.Notification, error) { return nil, nil }
		}, run.Fail, "nobody was told"},
		{"nobody is told that it is over", func(w *world, _ *drill.Drill) {
			w.notified = func(all []run.Notification) ([]run.Notification, error) { return all[:min(1, len(all))], nil }
		}, run.Fail, "there was no notification of its end"},
		{"nobody can see who was told", func(w *world, _ *drill.Drill) {
			w.notified = func([]run.Notification) ([]run.Notification, error) { return nil, errAway }
		}, run.Inconclusive, "the notifications were unknown"},
		{"somebody is told of what should be inhibited", func(_ *world, d *drill.Drill) {
			d.Expect.Alerts[0].Notice = drill.NoticeSuppressed
		}, run.Fail, "should have inhibited it"},
		{"nobody can see that nobody is told", func(w *world, d *drill.Drill) {
			d.Expect.Alerts[0].Notice = drill.NoticeSuppressed
			w.notified = func([]run.Notification) ([]run.Notification, error) { return nil, errAway }
		}, run.Inconclusive, "the notifications were unknown"},
		{"alerts cannot be seen during the fault", func(w *world, _ *drill.Drill) {
			w.active = func() error {
				if after(w, 20500*time.Millisecond) && !after(w, 45500*time.Millisecond) {
					return errAway
				}
				return nil
			}
		}, run.Inconclusive, "the state of the alerts was unknown for 25s: connection refused"},
		{"alerts cannot be seen for a moment", func(w *world, _ *drill.Drill) {
			w.active = func() error {
				if after(w, 35500*time.Millisecond) && !after(w, 40500*time.Millisecond) {
					return errAway
				}
				return nil
			}
		}, run.Pass, ""},
		{"rules are not evaluated any more", func(w *world, _ *drill.Drill) {
			w.stale = func() bool { return after(w, 20500*time.Millisecond) }
		}, run.Inconclusive, "rules were last evaluated"},
		{"a fault cannot begin", func(w *world, _ *drill.Drill) { w.begin = errAway }, run.Inconclusive, "begin errors on orders: connection refused"},
		{"a fault cannot end", func(w *world, _ *drill.Drill) { w.end = errAway }, run.Inconclusive, "it could not be ended, so its lease had to run out"},
		{"a lease cannot be renewed", func(w *world, _ *drill.Drill) { w.renew = errAway }, run.Inconclusive, "errors on orders ended too early: connection refused"},
		{"the load does not start", func(w *world, _ *drill.Drill) { w.loadStart = errAway }, run.Inconclusive, `start the load "trickle": connection refused`},
		{"the load dies", func(w *world, _ *drill.Drill) { w.loadLasts = 40 * time.Second }, run.Inconclusive, "the load ended by itself before the faults did"},
		{"the load ends after the faults", func(w *world, _ *drill.Drill) { w.loadLasts = 55 * time.Second }, run.Pass, ""},
		{"the load has no result", func(w *world, _ *drill.Drill) { w.loadStop = errAway }, run.Inconclusive, "connection refused"},
		{"a guard trips", func(_ *world, d *drill.Drill) {
			d.AbortIf = []drill.Guard{{Name: "too far", Query: drill.Query{Language: drill.PromQL, Text: "sold"}, Is: drill.Comparison{Op: "<", Bound: 1}}}
		}, run.Aborted, `stopped in phase faults: guard "too far": it is 0`},
		{"a guard is blind", func(w *world, d *drill.Drill) {
			d.AbortIf = []drill.Guard{{Name: "too far", Query: drill.Query{Language: drill.PromQL, Text: "guard"}, Is: drill.Comparison{Op: "<", Bound: 0}}}
			w.ask = func(q drill.Query) error {
				if q.Text == "guard" && after(w, 30*time.Second) {
					return run.ErrNoData
				}
				return nil
			}
		}, run.Aborted, `guard "too far" has been blind for`},
		{"a service is not ready", func(_ *world, d *drill.Drill) { d.Expect.Healthy = []string{"catalog"} }, run.Fail, "health catalog stays ready: the value was 0"},
		{"a service is ready", func(w *world, d *drill.Drill) {
			d.Expect.Healthy = []string{"catalog"}
			w.value = func(q drill.Query) float64 {
				if q.Text == "GET ${catalog.admin}/readyz" {
					return 200
				}
				return 1
			}
		}, run.Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			if c.lie(w, d); d.Expect.Healthy != nil && w.value == nil {
				w.value = func(q drill.Query) float64 {
					if strings.HasPrefix(q.Text, "GET") && w.well() {
						return 200
					}
					return map[bool]float64{true: 1}[w.well() || !strings.HasPrefix(q.Text, "GET")]
				}
			}
			j, err := perform(t, w, d)
			if err != nil {
				t.Fatal(err)
			}
			if j.Verdict != c.want {
				t.Errorf("verdict %s, want %s", j.Verdict, c.want)
			}
			if all := strings.Join(j.Reasons, "\n"); !strings.Contains(all, c.reason) || (c.reason == "") != (all == "") {
				t.Errorf("reasons %q, want one with %q", j.Reasons, c.reason)
			}
		})
	}
}

// An alert that the drill allows is named, so that "none fired" is true where it stands.
func TestAlertsThatMayFireAreNamed(t *testing.T) {
	for name, want := range map[string]string{"TargetDown": "fired, as the drill allows: TargetDown ticket", "": "none fired"} {
		w := newWorld()
		d := outage()
		d.Expect.May = []drill.AlertPattern{{Alert: "TargetDown"}}
		w.alerts = func(all []run.Alert) []run.Alert {
			if w.well() || name == "" {
				return all
			}
			return append(all, run.Alert{Labels: map[string]string{"alertname": name, "severity": "ticket"}, Firing: true})
		}
		j, err := perform(t, w, d)
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := check(j, run.SignalQuiet); c.Detail != want || c.Outcome != run.Passed {
			t.Errorf("%q: %s, %q, want %q", name, c.Outcome, c.Detail, want)
		}
	}
}

// probed returns the outage drill with one more probe.
func probed(mode drill.Mode, noData drill.NoData) *drill.Drill {
	d := outage()
	d.Hypothesis = append(d.Hypothesis, drill.Probe{
		Name: "claim", Query: drill.Query{Language: drill.PromQL, Text: "claim"}, Is: drill.Comparison{Op: "==", Bound: 1}, Mode: mode, NoData: noData,
	})
	return d
}

func TestProbes(t *testing.T) {
	claims := func(w *world, from, to time.Duration) func(drill.Query) bool {
		return func(q drill.Query) bool {
			at := time.Since(w.start)
			return q.Text == "claim" && at >= from && at < to
		}
	}
	const fault, end = 20500 * time.Millisecond, 50500 * time.Millisecond // when the fault begins and ends
	for _, c := range []struct {
		name       string
		mode       drill.Mode
		noData     drill.NoData
		wrong      [2]time.Duration // from when to when the claim does not hold
		unanswered [2]time.Duration
		want       run.Verdict
		reason     string
	}{
		{name: "holds throughout", mode: drill.Continuous, want: run.Pass},
		{name: "once it does not", mode: drill.Continuous, wrong: [2]time.Duration{60500 * time.Millisecond, 61500 * time.Millisecond}, want: run.Fail, reason: "(64 of 65 answers hold)"},
		{name: "not during the fault", mode: drill.During, wrong: [2]time.Duration{40500 * time.Millisecond, 45500 * time.Millisecond}, want: run.Fail, reason: "probe claim: the value was 0 at"},
		{name: "during does not mind the time after", mode: drill.During, wrong: [2]time.Duration{end, time.Hour}, want: run.Pass},
		{name: "during does not mind the time before", mode: drill.During, wrong: [2]time.Duration{0, fault}, want: run.Pass},
		{name: "after does not mind the fault", mode: drill.After, wrong: [2]time.Duration{fault, end}, want: run.Pass},
		{name: "after a while", mode: drill.After, wrong: [2]time.Duration{fault, end + 55*time.Second}, want: run.Pass},
		{name: "never after", mode: drill.After, wrong: [2]time.Duration{fault, time.Hour}, want: run.Fail, reason: "the value is still 0, want == 1 within 1m0s of the end of the faults"},
		{name: "no answer is inconclusive", mode: drill.During, noData: drill.NoDataUnknown, unanswered: [2]time.Duration{fault, end}, want: run.Inconclusive, reason: "cannot tell: no answer: no data"},
		{name: "no answer is a failure", mode: drill.During, noData: drill.NoDataFails, unanswered: [2]time.Duration{fault, end}, want: run.Fail, reason: "no answer, which the drill counts as a failure: no data"},
		{name: "no answer for long", mode: drill.Continuous, noData: drill.NoDataUnknown, unanswered: [2]time.Duration{30500 * time.Millisecond, 45500 * time.Millisecond}, want: run.Inconclusive, reason: "no answer for 15s: no data"},
		{name: "no answer for a moment", mode: drill.Continuous, noData: drill.NoDataFails, unanswered: [2]time.Duration{30500 * time.Millisecond, 35500 * time.Millisecond}, want: run.Pass},
		{name: "no answer after", mode: drill.After, noData: drill.NoDataUnknown, unanswered: [2]time.Duration{fault, time.Hour}, want: run.Inconclusive, reason: "cannot tell: no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			wrong, unanswered := claims(w, c.wrong[0], c.wrong[1]), claims(w, c.unanswered[0], c.unanswered[1])
			w.value = func(q drill.Query) float64 { return map[bool]float64{true: 0, false: 1}[wrong(q)] }
			w.ask = func(q drill.Query) error { return map[bool]error{true: run.ErrNoData}[unanswered(q)] }
			j, err := perform(t, w, probed(c.mode, c.noData))
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(j.Reasons, "\n"); j.Verdict != c.want || !strings.Contains(all, c.reason) {
				t.Errorf("verdict %s, want %s; reasons %q, want one with %q", j.Verdict, c.want, j.Reasons, c.reason)
			}
		})
	}
}

// TestHealth checks that one late answer is no outage, and three in a row are.
func TestHealth(t *testing.T) {
	for unready, want := range map[time.Duration]run.Verdict{2 * time.Second: run.Pass, 3 * time.Second: run.Fail} {
		w, d := newWorld(), outage()
		d.Expect.Healthy = []string{"catalog"}
		w.value = func(q drill.Query) float64 {
			at := time.Since(w.start) - 30500*time.Millisecond
			switch {
			case q.Text == "sold":
				return 1
			case at >= 0 && at < unready:
				return 503
			}
			return 200
		}
		j, err := perform(t, w, d)
		if err != nil || j.Verdict != want {
			t.Errorf("unready for %v: %+v, %v, want %s", unready, j, err, want)
		}
	}
}

func TestSights(t *testing.T) {
	spans := func(n int) []backend.Trace {
		healthy := backend.Trace{ID: "a", Spans: []backend.Span{{Service: "orders", Name: "POST /orders"}}}
		slow := backend.Trace{ID: "b", Spans: slices.Repeat([]backend.Span{{Service: "catalog", Name: "SELECT"}}, n)}
		return []backend.Trace{healthy, slow}
	}
	trace := drill.TraceExpectation{Name: "many queries", TraceQL: "{}", Service: "catalog", Span: "SELECT", AtLeast: 10}
	doubled := drill.MetricExpectation{Name: "doubled", PromQL: "m", Change: &drill.Comparison{Op: ">=", Bound: 2}}
	above := drill.MetricExpectation{Name: "above", PromQL: "m", During: &drill.Comparison{Op: ">", Bound: 5}}
	logs := drill.LogExpectation{Name: "said", LogQL: "{}", Is: drill.Comparison{Op: ">=", Bound: 1}}
	for _, c := range []struct {
		name           string
		expect         drill.Expectations
		before, during float64 // values of metrics and logs, or spans of a trace
		want           run.Verdict
		detail         string
	}{
		{"a trace shows the culprit", drill.Expectations{Traces: []drill.TraceExpectation{trace}}, 1, 50, run.Pass, "50 after 2.5s (before: 1), trace b"},
		{"no trace does", drill.Expectations{Traces: []drill.TraceExpectation{trace}}, 1, 9, run.Fail, "the value came no closer than 9, want a trace with 10 of catalog SELECT (before: 1)"},
		{"traces did before", drill.Expectations{Traces: []drill.TraceExpectation{trace}}, 12, 50, run.Fail, "the value was 12 before the fault too, so it shows no effect of the fault"},
		{"a metric doubles", drill.Expectations{Metrics: []drill.MetricExpectation{doubled}}, 3, 6, run.Pass, "6 after 500ms (before: 3)"},
		{"a metric grows a little", drill.Expectations{Metrics: []drill.MetricExpectation{doubled}}, 3, 5, run.Fail, "the value came no closer than 5, want >= 2 times the value before (before: 3)"},
		{"a metric grows from nothing", drill.Expectations{Metrics: []drill.MetricExpectation{doubled}}, 0, 1, run.Pass, "1 after 500ms (before: 0)"},
		{"a metric passes a bound", drill.Expectations{Metrics: []drill.MetricExpectation{above}}, 3, 6, run.Pass, "6 after 500ms (before: 3)"},
		{"a metric that was not there passes a bound", drill.Expectations{Metrics: []drill.MetricExpectation{above}}, math.NaN(), 6, run.Pass, "6 after 500ms (before: nothing)"},
		{"a metric was past the bound before", drill.Expectations{Metrics: []drill.MetricExpectation{above}}, 7, 9, run.Fail, "the value was 7 before the fault too, so it shows no effect of the fault"},
		{"a metric vanishes", drill.Expectations{Metrics: []drill.MetricExpectation{above}}, 3, math.NaN(), run.Inconclusive, "cannot tell: no answer: no data"},
		{"a line is logged", drill.Expectations{Logs: []drill.LogExpectation{logs}}, 0, 3, run.Pass, "3 after 2.5s (before: 0)"},
		{"none is", drill.Expectations{Logs: []drill.LogExpectation{logs}}, 0, 0, run.Fail, "the value came no closer than 0, want >= 1 (before: 0)"},
		{"one always is", drill.Expectations{Logs: []drill.LogExpectation{logs}}, 1, 3, run.Fail, "the value was 1 before the fault too, so it shows no effect of the fault"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			now := func() float64 {
				if !w.broken() {
					return c.before
				}
				return c.during
			}
			d.Expect.Traces, d.Expect.Metrics, d.Expect.Logs = c.expect.Traces, c.expect.Metrics, c.expect.Logs
			w.traces = func() []backend.Trace { return spans(int(now())) }
			w.ask = func(q drill.Query) error {
				if q.Text != "sold" && math.IsNaN(now()) {
					return run.ErrNoData
				}
				return nil
			}
			w.value = func(q drill.Query) float64 {
				if q.Text == "sold" {
					return 1
				}
				return now()
			}
			j, err := perform(t, w, d)
			if err != nil {
				t.Fatal(err)
			}
			last := j.Checks[len(j.Checks)-2] // the last check is the probe's
			if j.Verdict != c.want || last.Detail != c.detail {
				t.Errorf("verdict %s, want %s; detail %q, want %q", j.Verdict, c.want, last.Detail, c.detail)
			}
		})
	}
}
