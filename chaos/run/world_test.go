package run_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/backend"
)

// world is a shop with its backends, as a run uses them. An alert fires some time after a
// fault begins and resolves some time after it ends. A probe is 1 while no fault is on. The
// fields replace these answers.
type world struct {
	detect, reset time.Duration // of the alert

	begin, renew, end error                         // errors of the injector
	ask               func(q drill.Query) error     // error instead of an answer
	value             func(q drill.Query) float64   // the answer; nil: 1 without a fault, 0 with one
	alerts            func([]run.Alert) []run.Alert // changes the active alerts
	active            func() error                  // error instead of alerts
	stale             func() bool                   // rules are no longer evaluated
	notified          func([]run.Notification) ([]run.Notification, error)
	traces            func() []backend.Trace
	late              func(since time.Duration) map[drill.Need]time.Duration // lateness by need; nil: not measured
	loadLasts         time.Duration                                          // 0: forever
	loadLate          time.Duration
	loadStart         error
	loadStop          error

	mu           sync.Mutex
	start        time.Time
	began, ended time.Time
	fresh        time.Time // last evaluation that was not stale
	on, begun    int
	renewed      int
	loads        int // number of running loads
	events       []run.Event
}

func (w *world) Check(drill.Fault) error { return nil }

func (w *world) Begin(ctx context.Context, _ drill.Fault, _ time.Duration) (run.Injection, error) {
	if w.begin != nil {
		return nil, w.begin
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() {
		w.began = time.Now()
	}
	w.on++
	w.begun++
	return &injection{w: w}, ctx.Err()
}

type injection struct {
	w    *world
	over bool
}

func (i *injection) Renew(context.Context) error {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	i.w.renewed++
	return i.w.renew
}

func (i *injection) End(context.Context) error {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	if i.w.end != nil && !i.over {
		time.AfterFunc(10*time.Second, i.ends) // the lease ends
		i.over = true
	}
	if !i.over {
		i.over = true
		i.w.on, i.w.ended = i.w.on-1, time.Now()
	}
	return i.w.end
}

func (i *injection) ends() {
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	i.w.on, i.w.ended = i.w.on-1, time.Now()
}

func (w *world) well() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.on == 0
}

func (w *world) Ask(_ context.Context, q drill.Query, _, _ time.Time) (float64, error) {
	if w.ask != nil {
		if err := w.ask(q); err != nil {
			return 0, err
		}
	}
	if w.value != nil {
		return w.value(q), nil
	}
	if w.well() {
		return 1, nil
	}
	return 0, nil
}

func (w *world) Traces(context.Context, string, time.Time, time.Time) ([]backend.Trace, error) {
	if w.traces == nil {
		return nil, nil
	}
	return w.traces(), nil
}

func burn() map[string]string {
	return map[string]string{"alertname": "Burn", "service": "orders", "slo": "availability", "severity": "page"}
}

// times returns when the fault began and ended; zero for what has not happened.
func (w *world) times() (began, ended time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.began, w.ended
}

// broken reports whether a fault has ever begun.
func (w *world) broken() bool {
	began, _ := w.times()
	return !began.IsZero()
}

// evaluated returns when rules were last evaluated: now, unless stale is true.
func (w *world) evaluated(stale bool) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !stale {
		w.fresh = time.Now()
	}
	return w.fresh
}

// fires returns when the alert began to fire and when it resolved; zero for what has not
// happened.
func (w *world) fires() (from, to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from = w.began.Add(w.detect); w.began.IsZero() || time.Now().Before(from) {
		return time.Time{}, time.Time{}
	}
	if to = w.ended.Add(w.reset); w.on > 0 || w.ended.IsZero() || time.Now().Before(to) {
		return from, time.Time{}
	}
	return from, to
}

func (w *world) Active(context.Context) (run.AlertState, error) {
	if w.active != nil {
		if err := w.active(); err != nil {
			return run.AlertState{}, err
		}
	}
	evaluated := w.evaluated(w.stale != nil && w.stale())
	all := []run.Alert{{Labels: map[string]string{"alertname": "Watchdog", "severity": "none"}, Firing: true}}
	if from, to := w.fires(); !from.IsZero() && to.IsZero() {
		all = append(all, run.Alert{Labels: burn(), Firing: true, Since: from})
	}
	if w.alerts != nil {
		all = w.alerts(all)
	}
	return run.AlertState{AsOf: evaluated, Alerts: all}, nil
}

func (w *world) Notified(context.Context, time.Time) ([]run.Notification, error) {
	var all []run.Notification
	const delay = 3 * time.Second
	from, to := w.fires()
	if at := from.Add(delay); !from.IsZero() && !time.Now().Before(at) {
		all = append(all, run.Notification{Labels: burn(), Received: at})
	}
	if at := to.Add(delay); !to.IsZero() && !time.Now().Before(at) {
		all = append(all, run.Notification{Labels: burn(), Resolved: true, Received: at})
	}
	if w.notified != nil {
		return w.notified(all)
	}
	return all, nil
}

func (w *world) Start(context.Context, drill.LoadSpec) (run.RunningLoad, error) {
	if w.loadStart != nil {
		return nil, w.loadStart
	}
	w.mu.Lock()
	w.loads++
	w.mu.Unlock()
	l := &load{w: w, done: make(chan struct{})}
	if w.loadLasts > 0 {
		time.AfterFunc(w.loadLasts, func() { close(l.done) })
	}
	return l, nil
}

type load struct {
	w    *world
	done chan struct{}
}

func (l *load) Done() <-chan struct{} { return l.done }

func (l *load) Stop(context.Context) (run.LoadResult, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.loads--
	return run.LoadResult{Requests: 1000, Failed: 10, Late: run.Seconds(l.w.loadLate)}, l.w.loadStop
}

// outage returns a drill of an outage that must page. Its fault begins and ends half-way
// between two looks, so that the result does not depend on which goroutine looks first.
func outage() *drill.Drill {
	return &drill.Drill{
		Name: "outage", Title: "Outage", Story: "Nobody can pay.",
		Load: drill.LoadSpec{Profile: "trickle"}, WarmUp: 20 * time.Second,
		Hypothesis: []drill.Probe{{Name: "the shop sells", Query: drill.Query{Language: drill.PromQL, Text: "sold"}, Is: drill.Comparison{Op: ">=", Bound: 1}, Mode: drill.Before, NoData: drill.NoDataUnknown}},
		Faults:     []drill.Fault{{At: 500 * time.Millisecond, For: 30 * time.Second, Kind: "errors", Target: "orders"}},
		Expect: drill.Expectations{
			Alerts: []drill.AlertExpectation{{
				AlertPattern: drill.AlertPattern{Alert: "Burn", Labels: map[string]string{"severity": "page"}},
				FiresWithin:  15 * time.Second, ResolvesWithin: 45 * time.Second, Notice: drill.NoticeRequired,
			}},
			Recover: time.Minute, Blind: 10 * time.Second,
		},
	}
}

func newWorld() *world { return &world{detect: 8 * time.Second, reset: 25 * time.Second} }

// perform runs a drill on simulated time. It checks that the run leaves nothing behind.
func perform(t *testing.T, w *world, d *drill.Drill, change ...func(*run.Config)) (j *run.Journal, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w.start = time.Now()
		c := run.Config{Drill: d, Injector: w, Load: w, Prober: w, Alerts: w, Witness: w, Observe: func(e run.Event) { w.events = append(w.events, e) }}
		for _, f := range change {
			f(&c)
		}
		j, err = run.Run(t.Context(), c)
		if w.on != 0 {
			t.Errorf("%d faults are still on", w.on)
		}
		if w.loads != 0 {
			t.Errorf("%d loads still run", w.loads)
		}
	})
	return j, err
}

// check returns the last check of a signal, and the number of its checks.
func check(j *run.Journal, signal run.Signal) (found run.Check, n int) {
	for _, c := range j.Checks {
		if c.Signal == signal {
			found = c
			n++
		}
	}
	return found, n
}

// driven reports whether a load runs.
func (w *world) driven() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.loads > 0
}

func named(alert, severity string) map[string]string {
	labels := maps.Clone(burn())
	labels["alertname"], labels["severity"] = alert, severity
	return labels
}

var errAway = errors.New("connection refused")

// predictor predicts 8 s for every alert.
type predictor struct{ err error }

func (p predictor) Predict(context.Context, drill.AlertExpectation, time.Time, time.Time) (run.Prediction, error) {
	return run.Prediction{Fires: true, Detection: run.Seconds(8 * time.Second)}, p.err
}

// Late implements run.Witness.
func (w *world) Late(context.Context) map[drill.Need]time.Duration {
	if w.late == nil {
		return nil
	}
	return w.late(time.Since(w.start))
}
