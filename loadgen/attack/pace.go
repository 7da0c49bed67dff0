package attack

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// clock measures the time since the run began. The run begins when vegeta first asks its
// pacer.
type clock struct {
	made  time.Time
	began atomic.Int64 // ns since made; 0: not begun
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

// pacer is vegeta's Pacer. It waits inside Pace, because it waits more precisely than
// vegeta, so that a tick begins exactly when its arrival is due.
type pacer struct {
	attack *Attack
	begun  bool
}

// Rate is not used: vegeta's attack does not call it.
func (p *pacer) Rate(time.Duration) float64 { return 0 }

// Pace waits until the next arrival is due. It returns true if there are no more arrivals.
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
		// The arrival is late, for example after a stall. Late arrivals begin as fast as
		// possible, but only until Overrun after the schedule's end.
		late := part.Length()
		return 0, now > late && now-late > a.cfg.Overrun
	}
	a.gate.caughtUp()
	// The previous tick has just made a worker runnable. Let it run now. When this thread
	// sleeps in a system call, another thread must be woken up to run it.
	runtime.Gosched()
	return 0, !a.clock.sleepUntil(due, a.stop)
}

// Timers of the Go runtime fire about a millisecond late. A sleep of the operating system
// in its own thread is late by less than a tenth of that, but cannot be stopped. So
// sleepUntil uses a timer, which can be stopped, until shortly before the end, and then the
// system's sleep.
const (
	soon   = 4 * time.Millisecond
	margin = 2 * time.Millisecond
)

// sleepUntil waits until the given time and returns true. It returns false as soon as stop
// is closed.
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

// gate counts the workers with an active arrival. It also records since when all of them
// have been busy, because from then on arrivals may be late. The target causes that
// lateness, not the generator, so it does not count against the generator.
type gate struct {
	size int

	mu    sync.Mutex
	busy  int
	total uint64
	full  bool
	since time.Duration // when all workers became busy, if the schedule has been late since then
}

// enter must be called when an arrival begins. It returns the part of its lateness in which
// it waited for a worker.
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

// caughtUp must be called when the next arrival is not due yet.
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
