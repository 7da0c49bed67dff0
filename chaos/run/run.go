package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/wait"
)

// Config is what a run needs. Fields without a remark are required.
type Config struct {
	Drill     *drill.Drill
	Scale     float64 // scale of the SLO rules in force; 0 means DesignScale
	Seed      uint64
	Injector  Injector
	Load      Load // may be nil for drills without load
	Prober    Prober
	Alerts    Alerts
	Witness   Witness       // nil: the machine is assumed to keep up
	Predictor Predictor     // nil: no predictions
	Charter   Charter       // nil: no charts
	Wait      time.Duration // max wait for alerts that already fire to resolve; 0 refuses at once
	// Past are patterns of alerts about the past, such as that a month's budget is spent.
	// They may already fire when a drill begins that does not expect them.
	Past []drill.AlertPattern
	// Machine are patterns of alerts about the machine and not about the shop, such as that
	// scrapes are late.
	Machine   []drill.AlertPattern
	TraceLink string // URL of a trace, with {trace_id} in it; "": no links
	// Observe is called with each event, one at a time and in order. It must be quick,
	// and may be nil.
	Observe func(Event)
}

// Times that depend on the machine, so no scale stretches them.
const (
	lease       = 10 * time.Second // lease of faults; renewed three times in this time
	askTimeout  = 5 * time.Second  // time limit of a query to a backend
	undoTimeout = 30 * time.Second // time limit of ending a fault, which may start a program
	noticeGrace = 20 * time.Second // how long a notification may take to arrive
	seenGrace   = 30 * time.Second // how long traces and logs may take to be found after the faults
	mostPoll    = 15 * time.Second
)

// Times at DesignScale.
const (
	poll   = time.Second     // interval between two looks
	settle = 5 * time.Second // how long everything must be well at the end
)

// RefusedError says that a drill did not begin, because the steady state does not
// hold.
type RefusedError struct {
	Drill   string
	Reasons []string
}

func (r *RefusedError) Error() string {
	return fmt.Sprintf("drill %q refused: %s", r.Drill, strings.Join(r.Reasons, "; "))
}

// stopped is the reason why a run ends early.
type stopped struct {
	verdict Verdict
	reason  string
	machine bool // the machine may be the reason
}

func (s *stopped) Error() string { return s.reason }

// run is one run of a drill.
type run struct {
	Config
	drill  *drill.Drill // stretched to the scale
	poll   time.Duration
	settle time.Duration
	rec    *record

	end    context.CancelCauseFunc
	watch  sync.WaitGroup // goroutines that look
	faults sync.WaitGroup // goroutines that hold faults
	load   RunningLoad    // nil: no load

	panicked chan any // first panic outside the main goroutine
}

// Run runs a drill and returns its journal. Faults and load are ended before it
// returns, also if ctx is cancelled or something panics. The error is a *RefusedError,
// or says what is wrong with the config.
func Run(ctx context.Context, c Config) (*Journal, error) {
	if c.Scale == 0 {
		c.Scale = drill.DesignScale
	}
	switch {
	case c.Drill == nil || c.Injector == nil || c.Prober == nil || c.Alerts == nil:
		return nil, errors.New("run a drill: the config lacks a drill, injector, prober or alerts")
	case c.Drill.Load.Profile != "" && c.Load == nil:
		return nil, fmt.Errorf("run drill %q: it wants load, and the config has none", c.Drill.Name)
	case !(c.Scale > 0):
		return nil, fmt.Errorf("run drill %q: scale %v: want above 0", c.Drill.Name, c.Scale)
	}
	r := &run{Config: c, drill: c.Drill.AtScale(c.Scale), panicked: make(chan any, 1)}
	factor := drill.Stretch(c.Scale)
	r.poll = min(max(poll, time.Duration(factor*float64(poll))), mostPoll)
	r.settle = max(settle, time.Duration(factor*float64(settle)))
	r.rec = newRecord(r.drill, c)
	r.rec.poll = r.poll
	r.rec.sights = newSights(r.drill.Expect, c.Prober)
	if err := r.perform(ctx); err != nil {
		return nil, err
	}
	return r.conclude(context.WithoutCancel(ctx)), nil
}

// perform runs the phases in order and then undoes everything.
func (r *run) perform(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	r.end = cancel
	defer r.rollback(context.WithoutCancel(parent))
	r.watchMachine(ctx)
	for _, phase := range []struct {
		name PhaseName
		do   func(context.Context) error
	}{
		{PhasePreflight, r.preflight}, {PhaseWarmUp, r.warmUp}, {PhaseFaults, r.inflict}, {PhaseRecovery, r.recover},
	} {
		r.rec.beginPhase(phase.name)
		err := phase.do(ctx)
		if refusal := (*RefusedError)(nil); errors.As(err, &refusal) {
			return err
		}
		if err != nil || ctx.Err() != nil {
			r.rec.noteStop(why(ctx, err))
			return nil
		}
	}
	return nil
}

// why returns the reason for which a run ends: the cause of its cancelled context, or else
// err.
func why(ctx context.Context, err error) *stopped {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var s *stopped
	if errors.As(err, &s) {
		return s
	}
	return &stopped{verdict: Aborted, reason: "interrupted: " + err.Error()}
}

// rollback ends everything that the run has begun.
func (r *run) rollback(ctx context.Context) {
	r.rec.beginPhase(PhaseRollback)
	r.end(errors.New("over"))
	r.faults.Wait()
	r.watch.Wait()
	r.stopLoad(ctx)
	r.rec.end()
	select {
	case p := <-r.panicked:
		panic(p)
	default:
	}
}

// goes runs f in a goroutine. If f panics, the run ends and everything is undone. Then the
// main goroutine panics with the same value.
func (r *run) goes(group *sync.WaitGroup, f func()) {
	group.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				select {
				case r.panicked <- p:
				default:
				}
				r.end(fmt.Errorf("panic: %v", p))
			}
		}()
		f()
	})
}

// preflight refuses the drill unless no alert fires.
func (r *run) preflight(ctx context.Context) error {
	return r.await(ctx, r.Wait, []claim{r.quiet})
}

// warmUp starts the load, waits, and then requires that the steady state holds.
func (r *run) warmUp(ctx context.Context) error {
	if err := r.startLoad(ctx); err != nil {
		return &stopped{verdict: Inconclusive, reason: err.Error()}
	}
	r.watchAlerts(ctx)
	r.watchGuards(ctx)
	if !wait.Sleep(ctx, r.drill.WarmUp) {
		return ctx.Err()
	}
	return r.await(ctx, r.drill.Expect.Blind, append(r.steady(), r.quiet))
}

// inflict begins the faults, and returns when all have ended.
func (r *run) inflict(ctx context.Context) error {
	r.watchProbes(ctx)
	r.watchSights(ctx)
	for i, f := range r.drill.Faults {
		r.goes(&r.faults, func() { r.inject(ctx, i, f) })
	}
	r.faults.Wait()
	return ctx.Err()
}

// recover waits until every expectation was seen and is over, or is overdue.
func (r *run) recover(ctx context.Context) error {
	r.watchAfter(ctx)
	settled := time.Duration(0)
	for settled < r.settle {
		if !wait.Sleep(ctx, r.poll) {
			return ctx.Err()
		}
		settled += r.poll
		if !r.rec.settled(r.drill, time.Now()) {
			settled = 0
		}
	}
	return nil
}

// every calls f at once and then at each interval until ctx ends. The context of f
// ends after askTimeout.
func (r *run) every(ctx context.Context, interval time.Duration, f func(ctx context.Context)) {
	r.goes(&r.watch, func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for ctx.Err() == nil {
			ask, cancel := context.WithTimeout(ctx, askTimeout)
			f(ask)
			cancel()
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
}
