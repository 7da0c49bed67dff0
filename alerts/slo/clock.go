package slo

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Clock turns an objective's time into the time on the wall. At scale 60 an hour
// of the objective takes a minute, so that a workshop sees a slow burn end.
type Clock struct {
	Scale    float64       // 1 is production
	Scrape   time.Duration // between two samples of a counter; not scaled
	Interval time.Duration // between two evaluations of a rule; not scaled
}

// Production is the clock of a usual Prometheus.
func Production() Clock { return NewClock(1, 15*time.Second) }

// Workshop is the clock of the kit's own Prometheus: an hour takes a minute.
func Workshop() Clock { return NewClock(60, time.Second) }

// NewClock evaluates every 15 s of the objective's time, but not more often than
// there are new samples.
func NewClock(scale float64, scrape time.Duration) Clock {
	c := Clock{Scale: scale, Scrape: scrape}
	c.Interval = max(c.Wall(15*time.Second), scrape)
	return c
}

// longEvery is how many evaluations of the other rules go to one of those whose
// windows are long: a day does not change in a second, and takes thousands of
// samples to sum up.
const longEvery = 5

// LongInterval is the time between two evaluations of rules with long windows.
func (c Clock) LongInterval() time.Duration { return longEvery * c.Interval }

// Wall is how long d takes on the wall, to the millisecond: Prometheus knows no
// shorter time.
func (c Clock) Wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.Scale).Round(time.Millisecond)
}

// minSamples is how many samples a rate needs.
const minSamples = 2

// Validate reports windows that would be too short to hold two scrapes, so that
// they could see nothing.
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

// Format writes d as PromQL does: 5m, 1h12m, 1d.
func Format(d time.Duration) string { return model.Duration(d).String() }
