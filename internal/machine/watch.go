package machine

import (
	"context"
	"sync"
	"time"
)

const (
	// tick is how often a Witness wants to run. It costs some 0.1 % of a core.
	tick = 10 * time.Millisecond
	// keptReadings is for how long a Witness remembers: an hour.
	keptReadings = 3600
)

// Reading is what a Witness saw in one second.
type Reading struct {
	// At is the end of the second.
	At time.Time `json:"at"`
	// Late is the most that the Witness itself came to run after it was due: how long a process that had slept had to wait
	// for a processor.
	Late time.Duration `json:"late_ns"`
	// Waiting is the share of the second in which at least one process of the machine waited for a processor, from 0 to 1,
	// as the kernel tells (/proc/pressure/cpu); below 0 where it does not tell.
	Waiting float64 `json:"waiting"`
}

// Witness measures, second by second, whether the machine gives processes a processor when they want one.
type Witness struct {
	mu       sync.Mutex
	readings []Reading
}

// Watch returns a Witness that measures until ctx ends.
func Watch(ctx context.Context) *Witness {
	w := new(Witness)
	go w.measure(ctx, pressure)
	return w
}

// Since returns the readings of seconds that ended after a time, in their order.
func (w *Witness) Since(from time.Time) []Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, r := range w.readings {
		if r.At.After(from) {
			return append([]Reading(nil), w.readings[i:]...)
		}
	}
	return nil
}

// Worst returns the worst of the readings since a time: the greatest lateness, and the greatest share of waiting. It is
// zero if there are none.
func (w *Witness) Worst(from time.Time) Reading {
	var worst Reading
	for _, r := range w.Since(from) {
		worst.At = r.At
		worst.Late = max(worst.Late, r.Late)
		worst.Waiting = max(worst.Waiting, r.Waiting)
	}
	return worst
}

// measure notes a reading a second. waited returns for how long processes have waited since some time in the past; ok is
// false where nobody knows.
func (w *Witness) measure(ctx context.Context, waited func() (total time.Duration, ok bool)) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	second, before, known := last, time.Duration(0), false
	before, known = waited()
	var late time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		late = max(late, now.Sub(last)-tick)
		last = now
		length := now.Sub(second)
		if length < time.Second {
			continue
		}
		r := Reading{At: now, Late: late, Waiting: -1}
		if total, ok := waited(); ok {
			if known {
				r.Waiting = min(max(0, float64(total-before)/float64(length)), 1)
			}
			before, known = total, true
		}
		w.note(r)
		second, late = now, 0
	}
}

func (w *Witness) note(r Reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.readings) == keptReadings {
		w.readings = append(w.readings[:0], w.readings[1:]...)
	}
	w.readings = append(w.readings, r)
}
