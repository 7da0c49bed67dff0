package chaos_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/chaos"
	"firedrill/internal/backend"
)

func TestADrillThatPasses(t *testing.T) {
	w := newWorld()
	j, err := perform(t, w, outage(), func(c *chaos.Config) { c.Predictor = predictor{} })
	if err != nil {
		t.Fatal(err)
	}
	if j.Verdict != chaos.Pass || len(j.Reasons) > 0 {
		t.Fatalf("verdict %s, reasons %q", j.Verdict, j.Reasons)
	}
	c, _ := check(j, chaos.SignalAlert)
	if c.Detail != "fired after 8s, resolved 25.5s after the fault" || c.Predicted.Detection != chaos.Seconds(8*time.Second) {
		t.Errorf("alert: %q, predicted %+v", c.Detail, c.Predicted)
	}
	var phases []string
	for _, p := range j.Phases {
		phases = append(phases, string(p.Name)+" "+p.To.Sub(p.From).String())
	}
	// Recovery: 25 s to resolve, 3 s until that is told, half a second to see it, and then 5 looks at which all is well.
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
		told = append(told, string(e.Kind)+" "+e.State)
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
		lie    func(w *world, d *chaos.Drill)
		want   chaos.Verdict
		reason string // part of one
	}{
		{"the alert does not fire", func(w *world, _ *chaos.Drill) { w.detect = time.Hour }, chaos.Fail, "Burn page: did not fire within 15s"},
		{"the alert fires too late", func(w *world, _ *chaos.Drill) { w.detect = 16 * time.Second }, chaos.Fail, "fired after 16s, resolved 25.5s after the fault: want within 15s"},
		{"the alert resolves too late", func(w *world, _ *chaos.Drill) { w.reset = 46 * time.Second }, chaos.Fail, "resolved 46.5s after the fault: want resolved within 45s"},
		{"the alert never resolves", func(w *world, _ *chaos.Drill) { w.reset = time.Hour }, chaos.Fail, "still fires"},
		{"the alert blinks, and nobody is told of that", func(w *world, _ *chaos.Drill) {
			w.alerts = func(all []chaos.Alert) []chaos.Alert {
				if int(time.Since(w.start).Seconds())%6 < 3 {
					return all[:1]
				}
				return all
			}
		}, chaos.Pass, ""},
		{"people are told of it again and again", func(w *world, _ *chaos.Drill) {
			w.notified = func(all []chaos.Notification) ([]chaos.Notification, error) {
				if len(all) > 0 && time.Since(all[0].Received) > 10*time.Second {
					all = append(all, chaos.Notification{Labels: burn(), Received: all[0].Received.Add(10 * time.Second)})
				}
				return all, nil
			}
		}, chaos.Fail, "flapped: people were told 2 times"},
		{"another alert fires", func(w *world, _ *chaos.Drill) {
			w.alerts = func(all []chaos.Alert) []chaos.Alert {
				if w.well() {
					return all
				}
				return append(all, chaos.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket", "job": "bank"}, Firing: true})
			}
		}, chaos.Fail, "quiet no other alert: TargetDown ticket (job=bank) fired 21s after the beginning"},
		{"another alert is pending", func(w *world, _ *chaos.Drill) {
			w.alerts = func(all []chaos.Alert) []chaos.Alert {
				if w.well() {
					return all
				}
				return append(all, chaos.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket"}})
			}
		}, chaos.Pass, ""},
		{"another alert that may fire", func(w *world, d *chaos.Drill) {
			d.Expect.May = []chaos.AlertPattern{{Alert: "TargetDown"}}
			w.alerts = func(all []chaos.Alert) []chaos.Alert {
				if w.well() {
					return all
				}
				return append(all, chaos.Alert{Labels: map[string]string{"alertname": "TargetDown", "severity": "ticket"}, Firing: true})
			}
		}, chaos.Pass, ""},
		{"the ticket of the page lingers", func(w *world, _ *chaos.Drill) {
			w.alerts = func(all []chaos.Alert) []chaos.Alert {
				if !w.broken() {
					return all
				}
				return append(all, chaos.Alert{Labels: named("Burn", "ticket"), Firing: true}, chaos.Alert{Labels: named("ErrorBudgetSpent", "ticket"), Firing: true})
			}
		}, chaos.Pass, ""},
		{"nobody is told", func(w *world, _ *chaos.Drill) {
			w.notified = func([]chaos.Notification) ([]chaos.Notification, error) { return nil, nil }
		}, chaos.Fail, "nobody was told"},
		{"nobody is told that it is over", func(w *world, _ *chaos.Drill) {
			w.notified = func(all []chaos.Notification) ([]chaos.Notification, error) { return all[:min(1, len(all))], nil }
		}, chaos.Fail, "nobody was told that it is over"},
		{"nobody can see who was told", func(w *world, _ *chaos.Drill) {
			w.notified = func([]chaos.Notification) ([]chaos.Notification, error) { return nil, errAway }
		}, chaos.Inconclusive, "nobody could see who was told"},
		{"somebody is told of what should be inhibited", func(_ *world, d *chaos.Drill) {
			d.Expect.Alerts[0].Notice = chaos.NoticeSuppressed
		}, chaos.Fail, "should have inhibited it"},
		{"nobody can see that nobody is told", func(w *world, d *chaos.Drill) {
			d.Expect.Alerts[0].Notice = chaos.NoticeSuppressed
			w.notified = func([]chaos.Notification) ([]chaos.Notification, error) { return nil, errAway }
		}, chaos.Inconclusive, "nobody could see who was told"},
		{"alerts cannot be seen during the fault", func(w *world, _ *chaos.Drill) {
			w.active = func() error {
				if after(w, 20500*time.Millisecond) && !after(w, 45500*time.Millisecond) {
					return errAway
				}
				return nil
			}
		}, chaos.Inconclusive, "nobody could see what alerts do for 25s: connection refused"},
		{"alerts cannot be seen for a moment", func(w *world, _ *chaos.Drill) {
			w.active = func() error {
				if after(w, 35500*time.Millisecond) && !after(w, 40500*time.Millisecond) {
					return errAway
				}
				return nil
			}
		}, chaos.Pass, ""},
		{"rules are not evaluated any more", func(w *world, _ *chaos.Drill) {
			w.stale = func() bool { return after(w, 20500*time.Millisecond) }
		}, chaos.Inconclusive, "rules were last evaluated"},
		{"a fault cannot begin", func(w *world, _ *chaos.Drill) { w.begin = errAway }, chaos.Inconclusive, "begin errors on orders: connection refused"},
		{"a fault cannot end", func(w *world, _ *chaos.Drill) { w.end = errAway }, chaos.Inconclusive, "it could not be ended, so its lease had to run out"},
		{"a lease cannot be renewed", func(w *world, _ *chaos.Drill) { w.renew = errAway }, chaos.Inconclusive, "errors on orders ended too early: connection refused"},
		{"the load does not start", func(w *world, _ *chaos.Drill) { w.loadStart = errAway }, chaos.Inconclusive, `start the load "trickle": connection refused`},
		{"the load dies", func(w *world, _ *chaos.Drill) { w.loadLasts = 40 * time.Second }, chaos.Inconclusive, "the load ended by itself before the faults did"},
		{"the load ends after the faults", func(w *world, _ *chaos.Drill) { w.loadLasts = 55 * time.Second }, chaos.Pass, ""},
		{"the load has no result", func(w *world, _ *chaos.Drill) { w.loadStop = errAway }, chaos.Inconclusive, "connection refused"},
		{"a guard trips", func(_ *world, d *chaos.Drill) {
			d.AbortIf = []chaos.Guard{{Name: "too far", Query: chaos.Query{Language: chaos.PromQL, Text: "sold"}, Is: chaos.Comparison{Op: "<", Bound: 1}}}
		}, chaos.Aborted, `stopped in phase faults: guard "too far": it is 0`},
		{"a guard is blind", func(w *world, d *chaos.Drill) {
			d.AbortIf = []chaos.Guard{{Name: "too far", Query: chaos.Query{Language: chaos.PromQL, Text: "guard"}, Is: chaos.Comparison{Op: "<", Bound: 0}}}
			w.ask = func(q chaos.Query) error {
				if q.Text == "guard" && after(w, 30*time.Second) {
					return chaos.ErrNoData
				}
				return nil
			}
		}, chaos.Aborted, `guard "too far" has been blind for`},
		{"a service is not ready", func(_ *world, d *chaos.Drill) { d.Expect.Healthy = []string{"catalog"} }, chaos.Fail, "health catalog stays ready: it was 0"},
		{"a service is ready", func(w *world, d *chaos.Drill) {
			d.Expect.Healthy = []string{"catalog"}
			w.value = func(q chaos.Query) float64 {
				if q.Text == "GET ${catalog.admin}/readyz" {
					return 200
				}
				return 1
			}
		}, chaos.Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			if c.lie(w, d); d.Expect.Healthy != nil && w.value == nil {
				w.value = func(q chaos.Query) float64 {
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

// probed is the outage drill with one more probe.
func probed(mode chaos.Mode, noData chaos.Outcome) *chaos.Drill {
	d := outage()
	d.Hypothesis = append(d.Hypothesis, chaos.Probe{
		Name: "claim", Query: chaos.Query{Language: chaos.PromQL, Text: "claim"}, Is: chaos.Comparison{Op: "==", Bound: 1}, Mode: mode, NoData: noData,
	})
	return d
}

func TestProbes(t *testing.T) {
	claims := func(w *world, from, to time.Duration) func(chaos.Query) bool {
		return func(q chaos.Query) bool {
			at := time.Since(w.start)
			return q.Text == "claim" && at >= from && at < to
		}
	}
	const fault, end = 20500 * time.Millisecond, 50500 * time.Millisecond // when it begins and ends
	for _, c := range []struct {
		name       string
		mode       chaos.Mode
		noData     chaos.Outcome
		wrong      [2]time.Duration // when the claim does not hold
		unanswered [2]time.Duration
		want       chaos.Verdict
		reason     string
	}{
		{name: "holds throughout", mode: chaos.Continuous, want: chaos.Pass},
		{name: "once it does not", mode: chaos.Continuous, wrong: [2]time.Duration{60500 * time.Millisecond, 61500 * time.Millisecond}, want: chaos.Fail, reason: "(64 of 65 answers hold)"},
		{name: "not during the fault", mode: chaos.During, wrong: [2]time.Duration{40500 * time.Millisecond, 45500 * time.Millisecond}, want: chaos.Fail, reason: "probe claim: it was 0 at"},
		{name: "during does not mind the time after", mode: chaos.During, wrong: [2]time.Duration{end, time.Hour}, want: chaos.Pass},
		{name: "during does not mind the time before", mode: chaos.During, wrong: [2]time.Duration{0, fault}, want: chaos.Pass},
		{name: "after does not mind the fault", mode: chaos.After, wrong: [2]time.Duration{fault, end}, want: chaos.Pass},
		{name: "after a while", mode: chaos.After, wrong: [2]time.Duration{fault, end + 55*time.Second}, want: chaos.Pass},
		{name: "never after", mode: chaos.After, wrong: [2]time.Duration{fault, time.Hour}, want: chaos.Fail, reason: "it is still 0, want == 1 within 1m0s of the end of the faults"},
		{name: "no answer is inconclusive", mode: chaos.During, noData: chaos.Unknown, unanswered: [2]time.Duration{fault, end}, want: chaos.Inconclusive, reason: "there was no answer: no data"},
		{name: "no answer is a failure", mode: chaos.During, noData: chaos.Failed, unanswered: [2]time.Duration{fault, end}, want: chaos.Fail, reason: "there was no answer: no data"},
		{name: "no answer for long", mode: chaos.Continuous, noData: chaos.Unknown, unanswered: [2]time.Duration{30500 * time.Millisecond, 45500 * time.Millisecond}, want: chaos.Inconclusive, reason: "no answer for 15s: no data"},
		{name: "no answer for a moment", mode: chaos.Continuous, noData: chaos.Failed, unanswered: [2]time.Duration{30500 * time.Millisecond, 35500 * time.Millisecond}, want: chaos.Pass},
		{name: "no answer after", mode: chaos.After, noData: chaos.Unknown, unanswered: [2]time.Duration{fault, time.Hour}, want: chaos.Inconclusive, reason: "there was no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			wrong, unanswered := claims(w, c.wrong[0], c.wrong[1]), claims(w, c.unanswered[0], c.unanswered[1])
			w.value = func(q chaos.Query) float64 { return map[bool]float64{true: 0, false: 1}[wrong(q)] }
			w.ask = func(q chaos.Query) error { return map[bool]error{true: chaos.ErrNoData}[unanswered(q)] }
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

// One late answer is no outage, three in a row are.
func TestHealth(t *testing.T) {
	for unready, want := range map[time.Duration]chaos.Verdict{2 * time.Second: chaos.Pass, 3 * time.Second: chaos.Fail} {
		w, d := newWorld(), outage()
		d.Expect.Healthy = []string{"catalog"}
		w.value = func(q chaos.Query) float64 {
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
	trace := chaos.TraceExpectation{Name: "many queries", TraceQL: "{}", Service: "catalog", Span: "SELECT", AtLeast: 10}
	doubled := chaos.MetricExpectation{Name: "doubled", PromQL: "m", Change: &chaos.Comparison{Op: ">=", Bound: 2}}
	above := chaos.MetricExpectation{Name: "above", PromQL: "m", During: &chaos.Comparison{Op: ">", Bound: 5}}
	logs := chaos.LogExpectation{Name: "said", LogQL: "{}", Is: chaos.Comparison{Op: ">=", Bound: 1}}
	for _, c := range []struct {
		name           string
		expect         chaos.Expectations
		before, during float64 // of metrics and logs, or spans of a trace
		want           chaos.Verdict
		detail         string
	}{
		{"a trace shows the culprit", chaos.Expectations{Traces: []chaos.TraceExpectation{trace}}, 1, 50, chaos.Pass, "50 after 2.5s (before: 1), trace b"},
		{"no trace does", chaos.Expectations{Traces: []chaos.TraceExpectation{trace}}, 1, 9, chaos.Fail, "the most telling value was 9, want a trace with 10 of catalog SELECT (before: 1)"},
		{"traces did before", chaos.Expectations{Traces: []chaos.TraceExpectation{trace}}, 12, 50, chaos.Fail, "it was 12 before the fault too, so it shows nothing of it"},
		{"a metric doubles", chaos.Expectations{Metrics: []chaos.MetricExpectation{doubled}}, 3, 6, chaos.Pass, "6 after 500ms (before: 3)"},
		{"a metric grows a little", chaos.Expectations{Metrics: []chaos.MetricExpectation{doubled}}, 3, 5, chaos.Fail, "the most telling value was 5, want >= 2 times the value before (before: 3)"},
		{"a metric grows from nothing", chaos.Expectations{Metrics: []chaos.MetricExpectation{doubled}}, 0, 1, chaos.Pass, "1 after 500ms (before: 0)"},
		{"a metric passes a bound", chaos.Expectations{Metrics: []chaos.MetricExpectation{above}}, 3, 6, chaos.Pass, "6 after 500ms (before: 3)"},
		{"a metric that was not there passes a bound", chaos.Expectations{Metrics: []chaos.MetricExpectation{above}}, math.NaN(), 6, chaos.Pass, "6 after 500ms (before: nothing)"},
		{"a metric was past the bound before", chaos.Expectations{Metrics: []chaos.MetricExpectation{above}}, 7, 9, chaos.Fail, "it was 7 before the fault too, so it shows nothing of it"},
		{"a metric vanishes", chaos.Expectations{Metrics: []chaos.MetricExpectation{above}}, 3, math.NaN(), chaos.Inconclusive, "there was no answer: no data"},
		{"a line is logged", chaos.Expectations{Logs: []chaos.LogExpectation{logs}}, 0, 3, chaos.Pass, "3 after 2.5s (before: 0)"},
		{"none is", chaos.Expectations{Logs: []chaos.LogExpectation{logs}}, 0, 0, chaos.Fail, "the most telling value was 0, want >= 1 (before: 0)"},
		{"one always is", chaos.Expectations{Logs: []chaos.LogExpectation{logs}}, 1, 3, chaos.Fail, "it was 1 before the fault too, so it shows nothing of it"},
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
			w.ask = func(q chaos.Query) error {
				if q.Text != "sold" && math.IsNaN(now()) {
					return chaos.ErrNoData
				}
				return nil
			}
			w.value = func(q chaos.Query) float64 {
				if q.Text == "sold" {
					return 1
				}
				return now()
			}
			j, err := perform(t, w, d)
			if err != nil {
				t.Fatal(err)
			}
			last := j.Checks[len(j.Checks)-2] // the last is the probe's
			if j.Verdict != c.want || last.Detail != c.detail {
				t.Errorf("verdict %s, want %s; detail %q, want %q", j.Verdict, c.want, last.Detail, c.detail)
			}
		})
	}
}
