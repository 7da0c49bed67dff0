package machine

import (
	"context"
	"sync"
	"time"
)

const (
	// tick is how often a Witness wakes up. This costs some 0.1 % of a core.
	tick = 10 * time.Millisecond
	// keptReadings is the number of readings that a Witness keeps, one per second: an hour.
	keptReadings = 3600
)

// Reading holds the measurements of a Witness in one second.
type Reading struct {
	// At is the end of the second.
	At time.Time `json:"at"`
	// Late is the longest time that the Witness itself woke up late: how long a process that had slept waited
	// for a processor.
	Late time.Duration `json:"late_ns"`
	// Delay is how long a piece of Work of the watched processes waited for a processor, on average. It is
	// below 0 if unknown.
	Delay time.Duration `json:"delay_ns"`
	// Waiting is the share of the second, from 0 to 1, in which at least one process of the machine waited for
	// a processor. It comes from the kernel (/proc/pressure/cpu) and is below 0 if unknown.
	Waiting float64 `json:"waiting"`
}

// Strained is the shortest wait for a processor on a machine that does not keep up. A request passes through
// several processes, so it then takes some tenths of a second longer.
const Strained = 50 * time.Millisecond

// crowded is the share of a second, from 0 to 1, in which some process waited. From this share on, the machine
// counts as strained.
const crowded = 0.9

// Wait returns how long work waited for a processor: the larger of Late and Delay. If Delay is unknown, a
// second in which some process of the machine waited almost all the time counts as at least Strained.
func (r Reading) Wait() time.Duration {
	wait := max(r.Late, r.Delay)
	if r.Delay < 0 && r.Waiting >= crowded {
		return max(wait, Strained)
	}
	return wait
}

// Witness measures every second whether processes get a processor when they need one.
type Witness struct {
	waited func() (total time.Duration, ok bool)    // total wait of processes since some time in the past
	delay  func() (delay time.Duration, known bool) // of the watched processes since the last call

	mu       sync.Mutex
	readings []Reading
}

// Watch returns a Witness that measures until ctx ends. pids returns the processes whose delay is measured; it
// may be nil.
func Watch(ctx context.Context, pids func() []int) *Witness {
	if pids == nil {
		pids = func() []int { return nil }
	}
	w := &Witness{waited: pressure, delay: newDelay(pids).since}
	go w.measure(ctx)
	return w
}

// Since returns the readings of seconds that ended after from, in order.
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

// StrainedShare returns the share of the seconds since from in which the machine did not keep up, from 0 to 1.
// It returns 0 if there are no readings.
func (w *Witness) StrainedShare(from time.Time) float64 {
	all := w.Since(from)
	n := 0
	for _, r := range all {
		if r.Wait() >= Strained {
			n++
		}
	}
	return float64(n) / float64(max(1, len(all)))
}

// Worst returns the largest value of each figure in the readings since from. It returns the zero Reading if
// there are none.
func (w *Witness) Worst(from time.Time) Reading {
	var worst Reading
	for _, r := range w.Since(from) {
		worst.At = r.At
		worst.Late = max(worst.Late, r.Late)
		worst.Delay = max(worst.Delay, r.Delay)
		worst.Waiting = max(worst.Waiting, r.Waiting)
	}
	return worst
}

// measure adds a reading every second until ctx ends.
func (w *Witness) measure(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	second := last
	before, known := w.waited()
	w.delay()
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
		r := Reading{At: now, Late: late, Delay: -1, Waiting: -1}
		if d, ok := w.delay(); ok {
			r.Delay = d
		}
		if total, ok := w.waited(); ok {
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
