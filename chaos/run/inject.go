package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firedrill/chaos/drill"
)

// inject begins a fault when it is due and ends it when its time, or the run, is over.
func (r *run) inject(ctx context.Context, i int, f drill.Fault) {
	if !sleep(ctx, f.At) {
		return
	}
	injection, err := r.begin(ctx, f)
	if err != nil {
		if ctx.Err() == nil {
			r.rec.noteFaultFailed(i, err.Error())
			r.end(&stopped{verdict: Inconclusive, reason: fmt.Sprintf("begin %s on %s: %v", f.Kind, f.Target, err)})
		}
		return
	}
	r.rec.noteFaultBegan(i, f)
	over, lost := r.hold(ctx, injection, f.For)
	ended, err := r.undo(context.WithoutCancel(ctx), injection, over)
	switch {
	case err != nil:
		r.rec.noteFaultEnded(i, f, ended, fmt.Sprintf("it could not be ended, so its lease had to run out: %v", err))
	case lost != nil:
		r.rec.noteFaultEnded(i, f, ended, fmt.Sprintf("it ended too early, as its lease could not be renewed: %v", lost))
		r.end(&stopped{verdict: Inconclusive, reason: fmt.Sprintf("%s on %s ended too early: %v", f.Kind, f.Target, lost)})
	default:
		r.rec.noteFaultEnded(i, f, ended, "")
	}
}

func (r *run) begin(ctx context.Context, f drill.Fault) (Injection, error) {
	ctx, cancel := context.WithTimeout(ctx, undoTimeout)
	defer cancel()
	return r.Injector.Begin(ctx, f, lease)
}

// hold renews the lease until the fault's time is over. It returns when the current
// lease runs out, and an error if it ran out too early.
func (r *run) hold(ctx context.Context, injection Injection, length time.Duration) (leased time.Time, lost error) {
	leased = time.Now().Add(lease)
	over := time.NewTimer(length)
	defer over.Stop()
	tick := time.NewTicker(lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return leased, nil
		case <-over.C:
			return leased, nil
		case <-tick.C:
		}
		asked := time.Now()
		renew, cancel := context.WithTimeout(ctx, lease/3)
		err := injection.Renew(renew)
		cancel()
		switch {
		case err == nil:
			leased = asked.Add(lease)
		case ctx.Err() == nil && !time.Now().Before(leased):
			return leased, err
		}
	}
}

// undo ends a fault and returns when it ended. If that fails, undo waits until the
// lease has run out, and returns that time with the error.
func (r *run) undo(ctx context.Context, injection Injection, leased time.Time) (time.Time, error) {
	var failed error
	for range 3 {
		end, cancel := context.WithTimeout(ctx, undoTimeout)
		err := injection.End(end)
		cancel()
		if err == nil {
			return time.Now(), nil
		}
		failed = errors.Join(failed, err)
		sleep(ctx, time.Second)
	}
	sleep(ctx, time.Until(leased))
	return time.Now(), failed
}
