package attack

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// clock tells the time since the run began, which is when vegeta first asks its pacer.
type clock struct {
	made  time.Time
	began atomic.Int64 // ns from made; 0: not yet
}

func newClock() *clock { return &clock{made: time.Now()} }

func (c *clock) begin(at time.Time) { c.began.Store(max(1, int64(at.Sub(c.made)))) }

func (c *clock) now() time.Duration { return time.Since(c.made) - time.Duration(c.began.Load()) }

func (c *clock) elapsed() time.Duration {
	if c.began.Load() == 0 {
		return 0
	}
	return c.now()
}

// pacer is vegeta's Pacer. It waits inside Pace, more exactly than vegeta would,
// so a tick leaves when its arrival is due.
type pacer struct {
	attack *Attack
	begun  bool
}

// Rate is of no use: vegeta's attack does not ask for it.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// Pace returns when the next arrival is due, and true when there is none.
func (p *pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	a := p.attack
	if !p.begun {
		p.begun = true
		a.clock.begin(time.Now().Add(-elapsed))
	}
	part := a.cfg.Schedule
	if hits >= part.Total() {
		return 0, true
	}
	due, _ := part.At(part.Number(hits))
	now := a.clock.now()
	if now >= due {
		// Late, as after a stall. What is due goes out as fast as it can, but not forever.
		late := part.Length()
		return 0, now > late && now-late > a.cfg.Overrun
	}
	a.gate.caughtUp()
	// The tick before this one has just made a worker runnable. Let it run now: once
	// this thread sleeps in the system, another must be woken to take it.
	runtime.Gosched()
	return 0, !a.clock.sleepUntil(due, a.stop)
}

// The runtime's timers wake about a millisecond late; the system's, in a thread of
// their own, less than a tenth of that. A wait that must be exact is slept through
// with the former until soon before the end, so that it can be stopped, and with
// the latter from there.
const (
	soon   = 4 * time.Millisecond
	margin = 2 * time.Millisecond
)

// sleepUntil returns at the given time, or false as soon as stop is closed.
func (c *clock) sleepUntil(due time.Duration, stop <-chan struct{}) bool {
	for {
		select {
		case <-stop:
			return false
		default:
		}
		left := due - c.now()
		switch {
		case left <= 0:
			return true
		case left < soon:
			sleepExactly(left)
		default:
			timer := time.NewTimer(left - margin)
			select {
			case <-timer.C:
			case <-stop:
				timer.Stop()
				return false
			}
		}
	}
}

// gate counts the workers that carry an arrival, and knows since when arrivals may
// be late because all do. That is the target's doing, not the generator's, so it is
// kept apart in judging the generator.
type gate struct {
	size int

	mu    sync.Mutex
	busy  int
	total uint64
	full  bool
	since time.Duration // when it became full, if the schedule has not been caught up with since
}

// enter is called when an arrival begins. It returns how much of its lateness was
// spent waiting for a worker.
func (g *gate) enter(now, due time.Duration) (queued time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.full {
		queued = max(0, min(now-due, now-g.since))
	}
	g.total++
	g.busy++
	if g.busy == g.size && !g.full {
		g.full, g.since = true, now
	}
	return queued
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
}

// caughtUp is called when the next arrival is not due yet.
func (g *gate) caughtUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy < g.size {
		g.full = false
	}
}

func (g *gate) inside() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy
}

func (g *gate) entered() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}
