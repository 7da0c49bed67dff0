package slo

import (
	"math"
	"time"
)

// The formulas are those of the Site Reliability Workbook, chapter 5, and what
// follows from them. Times are in the objective's time: divide by the scale.

// Goal is what of an objective matters for when its alerts fire.
type Goal struct {
	Budget       float64 // ratio of events that may be bad
	MinBadEvents float64 // that an alert needs in its long window
}

// Goal is that of the objective.
func (s SLO) Goal() Goal { return Goal{Budget: s.Budget(), MinBadEvents: s.MinBadEvents} }

// Outage is a constant share of bad events for a while, after long health and
// under constant traffic.
type Outage struct {
	Ratio  float64 // of bad events
	Length time.Duration
	Rate   float64 // events a second, good and bad; 0 for more than any guard asks
}

// Burn is how many times too fast the outage spends the budget.
func (o Outage) Burn(budget float64) float64 { return o.Ratio / budget }

// Spent is the share of a period's budget that the outage costs.
func (o Outage) Spent(budget float64, period time.Duration) float64 {
	return o.Burn(budget) * o.Length.Seconds() / period.Seconds()
}

// TimeToExhaustion is how long a whole budget lasts at a burn rate: period / burn,
// and at most the longest duration there is.
func TimeToExhaustion(burn float64, period time.Duration) time.Duration {
	return duration(period.Seconds() / burn)
}

// Threshold is the error ratio θ = burn · budget above which the pair holds.
func (p Pair) Threshold(budget float64) float64 { return p.Burn * budget }

// CanHold tells whether even a total outage is above the threshold.
func (p Pair) CanHold(budget float64) bool { return p.Threshold(budget) < 1 }

// SpentAtDetection is the share of a period's budget gone when the pair begins to
// hold, whatever the error ratio: burn · long / period.
func (p Pair) SpentAtDetection(period time.Duration) float64 {
	return p.Burn * p.Long.Seconds() / period.Seconds()
}

// LeastEvents is how many events the long window must hold for one bad among them
// not to be above the threshold: 1/θ.
func (p Pair) LeastEvents(budget float64) float64 { return 1 / p.Threshold(budget) }

// thresholds are the error ratios that the windows must exceed. The guard asks for
// n bad events in the long window: of r·W events that is a ratio of n/(r·W).
func (p Pair) thresholds(g Goal, rate float64) (long, short float64) {
	short = p.Threshold(g.Budget)
	long = short
	if rate > 0 {
		long = max(short, g.MinBadEvents/(rate*p.Long.Seconds()))
	}
	return long, short
}

// Detection is how long errors last until the pair holds, for a window W, its
// threshold θ and error ratio e:
//
//	max over both windows of W · θ/e
//
// It is false when e does not exceed θ.
func (p Pair) Detection(g Goal, o Outage) (time.Duration, bool) {
	long, short := p.thresholds(g, o.Rate)
	if o.Ratio <= max(long, short) {
		return 0, false
	}
	return max(scaled(p.Long, long/o.Ratio), scaled(p.Short, short/o.Ratio)), true
}

// Reset is how long after the errors the pair still holds, if it did:
//
//	min over both windows of W · (1 − θ/e)
//
// A window ceases to hold when so much of it is healthy that e·(W−x)/W = θ.
func (p Pair) Reset(g Goal, o Outage) time.Duration {
	long, short := p.thresholds(g, o.Rate)
	return min(scaled(p.Long, 1-long/o.Ratio), scaled(p.Short, 1-short/o.Ratio))
}

// Detection is how long errors last until the alert fires. It is false for an
// outage that fires nothing.
func (a Alert) Detection(g Goal, o Outage) (time.Duration, bool) {
	from, to := a.holds(g, o)
	if from+a.For >= to {
		return 0, false
	}
	return from + a.For, true
}

// Reset is how long after the errors the alert still fires: until the last of the
// pairs that held ends, and KeepFiring. It is 0 if the outage fires nothing.
func (a Alert) Reset(g Goal, o Outage) time.Duration {
	from, to := a.holds(g, o)
	if from+a.For >= to {
		return 0
	}
	return to - o.Length + a.KeepFiring
}

// holds is the time in which one pair or another holds, since the outage began.
// There is no gap in it: all of them still hold when the errors end.
func (a Alert) holds(g Goal, o Outage) (from, to time.Duration) {
	from = math.MaxInt64 - a.For
	for _, p := range a.Pairs {
		begin, ok := p.Detection(g, o)
		if !ok || begin >= o.Length {
			continue
		}
		from = min(from, begin)
		to = max(to, o.Length+p.Reset(g, o))
	}
	return from, to
}

// LeastRatio is the least of the thresholds: error ratios up to it never fire the
// alert, however long they last.
func (a Alert) LeastRatio(budget float64) float64 {
	least := math.Inf(1)
	for _, p := range a.Pairs {
		least = min(least, p.Threshold(budget))
	}
	return least
}

func scaled(d time.Duration, by float64) time.Duration { return duration(d.Seconds() * by) }

func duration(seconds float64) time.Duration {
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}
