package slo

import (
	"math"
	"time"
)

// The formulas come from the Site Reliability Workbook, chapter 5, or are derived from it. Times
// are in SLO time. Divide them by the scale to get wall-clock time.

// Goal holds the properties of an objective that decide when its alerts fire.
type Goal struct {
	Budget       float64 // ratio of events that may be bad
	MinBadEvents float64 // bad events that an alert needs in its long window
}

// Goal returns the objective's goal.
func (s SLO) Goal() Goal { return Goal{Budget: s.Budget(), MinBadEvents: s.MinBadEvents} }

// Outage is a period with a constant ratio of bad events and constant traffic. It follows a long
// period without bad events.
type Outage struct {
	Ratio  float64 // bad events per event
	Length time.Duration
	Rate   float64 // events per second, good and bad; 0 means more than any low-traffic guard requires
}

// Burn returns the burn rate during the outage. A burn rate of 1 spends the budget in exactly one
// period.
func (o Outage) Burn(budget float64) float64 { return o.Ratio / budget }

// Spent returns the share of a period's budget that the outage spends.
func (o Outage) Spent(budget float64, period time.Duration) float64 {
	return o.Burn(budget) * o.Length.Seconds() / period.Seconds()
}

// TimeToExhaustion returns how long a full budget lasts at a burn rate: period / burn. The result
// is at most the longest time.Duration.
func TimeToExhaustion(burn float64, period time.Duration) time.Duration {
	return duration(period.Seconds() / burn)
}

// Threshold returns the error ratio θ = burn · budget. The pair holds above it.
func (p Pair) Threshold(budget float64) float64 { return p.Burn * budget }

// CanHold reports whether a total outage is above the threshold.
func (p Pair) CanHold(budget float64) bool { return p.Threshold(budget) < 1 }

// SpentAtDetection returns the share of a period's budget that is spent when the pair begins to
// hold: burn · long / period. It does not depend on the error ratio.
func (p Pair) SpentAtDetection(period time.Duration) float64 {
	return p.Burn * p.Long.Seconds() / period.Seconds()
}

// LeastEvents returns 1/θ. With fewer events in the long window, a single bad event exceeds the
// threshold.
func (p Pair) LeastEvents(budget float64) float64 { return 1 / p.Threshold(budget) }

// thresholds returns the error ratios that the long and the short window must exceed. The
// low-traffic guard requires n bad events in the long window, which holds r·W events. That is a
// ratio of n/(r·W).
func (p Pair) thresholds(g Goal, rate float64) (long, short float64) {
	short = p.Threshold(g.Budget)
	long = short
	if rate > 0 {
		long = max(short, g.MinBadEvents/(rate*p.Long.Seconds()))
	}
	return long, short
}

// Detection returns how long errors last until the pair holds. For a window W, its threshold θ and
// the error ratio e, this is
//
//	max over both windows of W · θ/e
//
// It returns false if e does not exceed θ.
func (p Pair) Detection(g Goal, o Outage) (time.Duration, bool) {
	long, short := p.thresholds(g, o.Rate)
	if o.Ratio <= max(long, short) {
		return 0, false
	}
	return max(scaled(p.Long, long/o.Ratio), scaled(p.Short, short/o.Ratio)), true
}

// Reset returns how long the pair still holds after the errors end, if it did hold:
//
//	min over both windows of W · (1 − θ/e)
//
// A window stops holding after x seconds without errors, when e·(W−x)/W = θ.
func (p Pair) Reset(g Goal, o Outage) time.Duration {
	long, short := p.thresholds(g, o.Rate)
	return min(scaled(p.Long, 1-long/o.Ratio), scaled(p.Short, 1-short/o.Ratio))
}

// Detection returns how long errors last until the alert fires. It returns false if the outage
// fires no alert.
func (a Alert) Detection(g Goal, o Outage) (time.Duration, bool) {
	from, to := a.holds(g, o)
	if from+a.For >= to {
		return 0, false
	}
	return from + a.For, true
}

// Reset returns how long the alert still fires after the errors end: until the last pair stops
// holding, plus KeepFiring. It is 0 if the outage fires no alert.
func (a Alert) Reset(g Goal, o Outage) time.Duration {
	from, to := a.holds(g, o)
	if from+a.For >= to {
		return 0
	}
	return to - o.Length + a.KeepFiring
}

// holds returns the time range in which at least one pair holds, relative to the start of the
// outage. The range has no gap, because every pair that holds still does when the errors end.
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

// LeastRatio returns the lowest threshold of the pairs. Error ratios up to it never fire the alert,
// however long they last.
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
