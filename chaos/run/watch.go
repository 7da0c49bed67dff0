package run

import (
	"context"
	"fmt"
	"time"

	"firedrill/chaos/drill"
)

// watchAlerts follows alerts and notifications to the end of the run.
func (r *run) watchAlerts(ctx context.Context) {
	since := r.rec.beginAlerts()
	r.every(ctx, r.poll, func(ask context.Context) {
		state, err := r.Alerts.Active(ask)
		if err == nil {
			err = r.fresh(state)
		}
		switch {
		case ctx.Err() != nil: // the run is over, and the query was cancelled
		case err != nil:
			r.rec.noteAlertGap(err)
		default:
			r.rec.noteAlerts(state)
		}
	})
	r.every(ctx, r.poll, func(ask context.Context) {
		all, err := r.Alerts.Notified(ask, since)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.rec.noteNotificationGap(err)
		default:
			r.rec.noteNotifications(all)
		}
	})
}

// watchGuards ends the run when a guard holds, or has had no answer for too long.
func (r *run) watchGuards(ctx context.Context) {
	began := time.Now()
	for _, g := range r.drill.AbortIf {
		unseen := gaps{last: began}
		r.every(ctx, r.poll, func(ask context.Context) {
			value, err := r.Prober.Ask(ask, g.Query, began, time.Now())
			if ctx.Err() != nil {
				return
			}
			unseen.note(time.Now(), err)
			switch {
			case err == nil && g.Is.Holds(value):
				r.end(&stopped{verdict: Aborted, reason: fmt.Sprintf("guard %q: it is %s", g.Name, drill.FormatNumber(value))})
			case unseen.now() > r.drill.Expect.Blind:
				r.end(&stopped{verdict: Aborted, reason: fmt.Sprintf("guard %q has been blind for %s: %v", g.Name, unseen.now().Round(time.Second), err)})
			}
		})
	}
}

// watchProbes asks the probes of modes during and continuous.
func (r *run) watchProbes(ctx context.Context) {
	began := time.Now()
	for _, p := range r.rec.probes {
		switch p.Mode {
		case drill.Continuous:
			r.watchProbe(ctx, p, began, func() bool { return true })
		case drill.During:
			r.watchProbe(ctx, p, began, r.rec.anyActive)
		default: // not due in this phase
		}
	}
}

// watchAfter asks the probes of mode after again.
func (r *run) watchAfter(ctx context.Context) {
	for _, p := range r.rec.probes {
		if p.Mode == drill.After {
			r.rec.dropAnswers(p)
			r.watchProbe(ctx, p, time.Now(), func() bool { return true })
		}
	}
}

// watchProbe asks a probe at each interval. An answer counts only if it was due both
// when it was asked for and when it came.
func (r *run) watchProbe(ctx context.Context, p *trackedProbe, began time.Time, due func() bool) {
	r.rec.beginAnswers(p, began)
	r.every(ctx, r.poll, func(ask context.Context) {
		if !due() {
			r.rec.noteIdle(p)
			return
		}
		value, err := r.Prober.Ask(ask, p.Query, began, time.Now())
		switch {
		case ctx.Err() != nil || !due():
		case err != nil:
			r.rec.noteNoAnswer(p, err)
		default:
			r.rec.noteAnswer(p, value)
		}
	})
}

// watchSights looks for what metrics, traces and logs must show. It searches traces
// and logs less often, because that is expensive.
func (r *run) watchSights(ctx context.Context) {
	for _, s := range r.rec.sights {
		interval := r.poll
		if s.Signal != SignalMetric {
			interval = 3 * r.poll
		}
		r.every(ctx, interval, func(ask context.Context) { r.glance(ask, s) })
	}
}

// startLoad starts the load, and ends the run if the load ends before the faults do.
func (r *run) startLoad(ctx context.Context) error {
	if r.drill.Load.Profile == "" {
		return nil
	}
	load, err := r.Load.Start(ctx, r.drill.Load)
	if err != nil {
		return fmt.Errorf("start the load %q: %w", r.drill.Load.Profile, err)
	}
	r.load = load
	r.rec.noteLoadBegan()
	r.goes(&r.watch, func() {
		select {
		case <-ctx.Done():
		case <-load.Done():
			if ctx.Err() == nil && r.rec.noteLoadDied() {
				r.end(&stopped{verdict: Inconclusive, reason: "the load ended by itself before the faults did"})
			}
		}
	})
	return nil
}

// stopLoad stops the load and keeps what it did.
func (r *run) stopLoad(ctx context.Context) {
	if r.load == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, undoTimeout)
	defer cancel()
	result, err := r.load.Stop(ctx)
	r.rec.noteLoadEnded(result, err)
}
