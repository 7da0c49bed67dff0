package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// TestInterruption checks that a drill that is interrupted at any time leaves nothing
// behind and reports the interruption.
func TestInterruption(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration
		phase  run.PhaseName
		faults int
	}{
		{5500 * time.Millisecond, run.PhaseWarmUp, 0},
		{20200 * time.Millisecond, run.PhaseFaults, 0}, // before the first fault is due
		{25200 * time.Millisecond, run.PhaseFaults, 1},
		{60200 * time.Millisecond, run.PhaseRecovery, 1},
	} {
		t.Run(c.after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancelCause(t.Context())
				w := newWorld()
				w.start = time.Now()
				time.AfterFunc(c.after, func() { interrupt(errors.New("Ctrl-C")) })
				j, err := run.Run(ctx, run.Config{Drill: outage(), Injector: w, Load: w, Prober: w, Alerts: w})
				if err != nil {
					t.Fatal(err)
				}
				if j.Verdict != run.Aborted || j.Stopped.Phase != c.phase || j.Reasons[0] != "stopped in phase "+string(c.phase)+": interrupted: Ctrl-C" {
					t.Errorf("verdict %s, stopped %+v, reasons %q", j.Verdict, j.Stopped, j.Reasons)
				}
				if w.on != 0 || w.loads != 0 || w.begun != c.faults {
					t.Errorf("%d faults are on, %d loads run, %d faults were begun", w.on, w.loads, w.begun)
				}
				if took := time.Since(w.start); took > c.after+2*time.Second {
					t.Errorf("it took %v", took)
				}
				if c.faults > 0 && j.FaultsEnded().IsZero() {
					t.Error("the journal says that the fault has not ended")
				}
			})
		})
	}
}

func TestInterruptedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.active = func() error { return errAway }
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		j, err := run.Run(ctx, run.Config{Drill: outage(), Injector: w, Load: w, Prober: w, Alerts: w, Wait: time.Hour})
		if err != nil || j.Verdict != run.Aborted || j.Stopped.Phase != run.PhasePreflight {
			t.Errorf("%+v, %v", j, err)
		}
	})
}

// TestHangingBackends checks that a backend that never answers delays nothing.
func TestHangingBackends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		hang := hanging{w}
		d := outage()
		d.AbortIf = []drill.Guard{{Name: "g", Query: drill.Query{Language: drill.PromQL, Text: "hang"}, Is: drill.Comparison{Op: "<", Bound: 0}}}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		begin := time.Now()
		j, err := run.Run(ctx, run.Config{Drill: d, Injector: w, Load: w, Prober: hang, Alerts: w})
		if err != nil || j.Verdict != run.Aborted || time.Since(begin) > 26*time.Second {
			t.Errorf("%+v, %v after %v", j, err, time.Since(begin))
		}
		if w.on != 0 || w.loads != 0 {
			t.Errorf("%d faults are on, %d loads run", w.on, w.loads)
		}
	})
}

type hanging struct{ *world }

func (h hanging) Ask(ctx context.Context, q drill.Query, from, to time.Time) (float64, error) {
	if q.Text == "hang" {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return h.world.Ask(ctx, q, from, to)
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		lie    func(w *world, d *drill.Drill)
		reason string
		loads  bool // whether the load was started
	}{
		{"an alert fires already", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert { return append(all, run.Alert{Labels: burn(), Firing: true}) }
		}, "Burn page (service=orders, slo=availability) fires", false},
		{"an alert is pending already", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert { return append(all, run.Alert{Labels: burn()}) }
		}, "Burn page (service=orders, slo=availability) is pending", false},
		{"alerts cannot be seen", func(w *world, _ *drill.Drill) { w.active = func() error { return errAway } }, "the state of the alerts is unknown: connection refused", false},
		{"rules are not evaluated", func(w *world, _ *drill.Drill) { w.stale = func() bool { return true } }, "the state of the alerts is unknown: no data: rules have not been evaluated yet", false},
		{"the hypothesis does not hold", func(w *world, _ *drill.Drill) {
			w.value = func(drill.Query) float64 { return 0.5 }
		}, "\"the shop sells\" does not hold: the value is 0.5, want >= 1", true},
		{"the hypothesis cannot be asked", func(w *world, _ *drill.Drill) {
			w.ask = func(drill.Query) error { return run.ErrNoData }
		}, "cannot tell whether \"the shop sells\" holds: no data", true},
		{"a service is not ready", func(_ *world, d *drill.Drill) { d.Expect.Healthy = []string{"catalog"} }, "\"catalog stays ready\" does not hold: the value is 1, want == 200", true},
		{"the load fires an alert", func(w *world, _ *drill.Drill) {
			w.alerts = func(all []run.Alert) []run.Alert {
				if w.driven() {
					all = append(all, run.Alert{Labels: burn(), Firing: true})
				}
				return all
			}
		}, "Burn page (service=orders, slo=availability) fires", true},
		{"a change cannot be told for want of a value", func(w *world, d *drill.Drill) {
			d.Expect.Metrics = []drill.MetricExpectation{{Name: "m", PromQL: "m", Change: &drill.Comparison{Op: ">", Bound: 2}}}
			w.ask = func(q drill.Query) error { return map[string]error{"m": run.ErrNoData}[q.Text] }
		}, "cannot tell whether \"m\" holds: no data", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld(), outage()
			c.lie(w, d)
			j, err := perform(t, w, d)
			var refusal *run.RefusedError
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.reason) || j != nil {
				t.Fatalf("error %v, want a refusal with %q", err, c.reason)
			}
			if w.begun > 0 {
				t.Errorf("%d faults were begun", w.begun)
			}
			if started := len(w.events) > 3; started != c.loads {
				t.Errorf("load started: %v, want %v", started, c.loads)
			}
		})
	}
}

// TestPast checks that alerts about the past do not prevent a drill, unless the drill is
// about them.
func TestPast(t *testing.T) {
	spent := run.Alert{Labels: map[string]string{"alertname": "ErrorBudgetSpent", "severity": "ticket"}, Firing: true}
	past := func(c *run.Config) { c.Past = []drill.AlertPattern{{Alert: "ErrorBudgetSpent"}} }
	w := newWorld()
	w.alerts = func(all []run.Alert) []run.Alert { return append(all, spent) }
	j, err := perform(t, w, outage(), past)
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("%v, %+v", err, j)
	}
	if a := j.Alerts[1]; !a.Before || a.Expected {
		t.Errorf("%+v", a)
	}
	w, d := newWorld(), outage()
	w.alerts = func(all []run.Alert) []run.Alert { return append(all, spent) }
	d.Expect.Alerts[0].AlertPattern = drill.AlertPattern{Alert: "ErrorBudgetSpent"}
	if _, err := perform(t, w, d, past); err == nil || !strings.Contains(err.Error(), "ErrorBudgetSpent ticket fires") {
		t.Errorf("a drill that expects it: %v", err)
	}
}

// TestWaitsForQuiet checks that a run waits for alerts to resolve.
func TestWaitsForQuiet(t *testing.T) {
	w := newWorld()
	w.alerts = func(all []run.Alert) []run.Alert {
		if time.Since(w.start) < 90*time.Second {
			return append(all, run.Alert{Labels: burn(), Firing: true})
		}
		return all
	}
	j, err := perform(t, w, outage(), func(c *run.Config) { c.Wait = 5 * time.Minute })
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("%+v, %v", j, err)
	}
	if got := j.FaultsBegan().Sub(j.Start); got != 110500*time.Millisecond {
		t.Errorf("the fault began after %v", got)
	}
}

// TestPanic checks that a part that panics ends the drill, and that nothing is left behind.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.value = func(drill.Query) float64 {
			if !w.well() {
				panic("of the test")
			}
			return 1
		}
		defer func() {
			if p := recover(); p != "of the test" {
				t.Errorf("panicked with %v", p)
			}
			if w.on != 0 || w.loads != 0 || w.begun != 1 {
				t.Errorf("%d faults are on, %d loads run, %d begun", w.on, w.loads, w.begun)
			}
		}()
		_, _ = run.Run(t.Context(), run.Config{Drill: probed(drill.During, drill.NoDataUnknown), Injector: w, Load: w, Prober: w, Alerts: w})
	})
}

// TestBlackout stops Prometheus. Nobody sees its alerts then. The receiver notices it,
// because the watchdog alert no longer arrives.
func TestBlackout(t *testing.T) {
	silent := map[string]string{"alertname": "WatchdogSilent", "severity": "page"}
	w, d := newWorld(), outage()
	w.detect = time.Hour
	d.Expect.Blind = 40 * time.Second
	d.Expect.Alerts[0].AlertPattern = drill.AlertPattern{Alert: "WatchdogSilent"}
	w.active = func() error {
		if !w.well() {
			return errAway
		}
		return nil
	}
	w.notified = func([]run.Notification) ([]run.Notification, error) {
		var all []run.Notification
		began, ended := w.times()
		if at := began.Add(12 * time.Second); !began.IsZero() && !time.Now().Before(at) {
			all = append(all, run.Notification{Labels: silent, Received: at})
		}
		if at := ended.Add(5 * time.Second); !ended.IsZero() && !time.Now().Before(at) {
			all = append(all, run.Notification{Labels: silent, Resolved: true, Received: at})
		}
		return all, nil
	}
	j, err := perform(t, w, d)
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("%v, %+v", err, j)
	}
	if c, _ := check(j, run.SignalAlert); c.Detail != "fired after 12s, resolved 5s after the fault" {
		t.Errorf("%q", c.Detail)
	}
	if len(j.Blind) != 1 || j.Blind[0].Length() != 30*time.Second {
		t.Errorf("blind %+v", j.Blind)
	}
}

func TestControlRun(t *testing.T) {
	control := func() *drill.Drill {
		d := outage()
		d.Faults, d.Expect.Alerts, d.Lasts = nil, nil, 2*time.Minute
		d.Hypothesis[0].Mode = drill.After
		return d
	}
	w := newWorld()
	j, err := perform(t, w, control())
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("%v, %+v", err, j)
	}
	if took := j.End.Sub(j.Start); took != 144*time.Second { // the warm-up and 2 min; the last look is the first of 5 at which everything is well
		t.Errorf("it took %v", took)
	}
	w = newWorld()
	w.alerts = func(all []run.Alert) []run.Alert {
		if at := time.Since(w.start); at > time.Minute && at < 65*time.Second {
			all = append(all, run.Alert{Labels: burn(), Firing: true})
		}
		return all
	}
	if j, err = perform(t, w, control()); err != nil || j.Verdict != run.Fail {
		t.Fatalf("a false alarm: %v, %+v", err, j)
	}
}

// TestScale checks that at scale 1 everything takes sixty times longer, looks are less
// frequent, and leases do not change.
func TestScale(t *testing.T) {
	w := newWorld()
	w.detect, w.reset = 8*time.Minute, 25*time.Minute
	j, err := perform(t, w, outage(), func(c *run.Config) { c.Scale = 1 })
	if err != nil || j.Verdict != run.Pass {
		t.Fatalf("%v, %+v", err, j)
	}
	if f := j.Faults[0]; f.Ended.Sub(f.Began) != 30*time.Minute || w.renewed < 1800/4 {
		t.Errorf("fault %v, renewed %d times", f.Ended.Sub(f.Began), w.renewed)
	}
	if j.Scale != 1 || time.Duration(j.Faults[0].For) != 30*time.Minute {
		t.Errorf("scale %v, for %v", j.Scale, j.Faults[0].For)
	}
}

func TestMisuse(t *testing.T) {
	w := newWorld()
	for _, c := range []run.Config{
		{},
		{Drill: outage(), Injector: w, Prober: w, Alerts: w}, // load is missing
		{Drill: outage(), Injector: w, Prober: w, Load: w},
		{Drill: outage(), Injector: w, Prober: w, Load: w, Alerts: w, Scale: -1},
	} {
		if j, err := run.Run(t.Context(), c); err == nil || j != nil {
			t.Errorf("%+v: accepted", c)
		}
	}
}
