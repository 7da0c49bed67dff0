package slo

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Clock converts SLO time to wall-clock time. At scale 60 an hour of SLO time takes a minute, so
// that a slow burn fits into a workshop.
type Clock struct {
	Scale    float64       // 1 is production
	Scrape   time.Duration // time between two samples of a counter; not scaled
	Interval time.Duration // time between two evaluations of a rule; not scaled
}

// Production returns the clock of a usual Prometheus: scale 1 and a scrape every 15 s.
func Production() Clock { return NewClock(1, 15*time.Second) }

// Workshop returns the clock of the Prometheus that Firedrill starts: scale 60 and a scrape every
// second.
func Workshop() Clock { return NewClock(60, time.Second) }

// NewClock returns a clock that evaluates rules every 15 s of SLO time, but not more often than it
// scrapes.
func NewClock(scale float64, scrape time.Duration) Clock {
	c := Clock{Scale: scale, Scrape: scrape}
	c.Interval = max(c.Wall(15*time.Second), scrape)
	return c
}

// longEvery is how many times less often rules with long windows are evaluated than other rules. A
// window of a day hardly changes in a second, and summing it reads thousands of samples.
const longEvery = 5

// LongInterval returns the time between two evaluations of rules with long windows.
func (c Clock) LongInterval() time.Duration { return longEvery * c.Interval }

// Wall returns the wall-clock time of d, rounded to a millisecond, which is the resolution of
// Prometheus.
func (c Clock) Wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.Scale).Round(time.Millisecond)
}

// minSamples is the number of samples that a rate needs.
const minSamples = 2

// Validate returns an error if the clock has a value that is not positive, or if the policy's
// shortest window is too short for two scrapes or one evaluation. Such a window would have no data.
func (c Clock) Validate(p Policy) error {
	if c.Scale <= 0 || c.Scrape <= 0 || c.Interval <= 0 {
		return fmt.Errorf("scale %v, scrape interval %v, evaluation interval %v: all must be above 0", c.Scale, c.Scrape, c.Interval)
	}
	shortest := p.Windows()[0]
	if wall := c.Wall(shortest); wall < minSamples*c.Scrape || wall < c.Interval {
		return fmt.Errorf("scale %v makes the window of %s %s long: it must hold %d scrapes (one every %s) and an evaluation (every %s)",
			c.Scale, Format(shortest), Format(wall), minSamples, Format(c.Scrape), Format(c.Interval))
	}
	return nil
}

// Format formats d as PromQL does: 5m, 1h12m, 1d.
func Format(d time.Duration) string { return model.Duration(d).String() }
