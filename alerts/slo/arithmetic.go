package slo

import (
	"math"
	"time"
)

// The formulas are those of the Site Reliability Workbook, chapter 5, and what
// follows from them. An outage here is a constant error ratio e after long health,
// under constant traffic. Times are in the objective's time; divide by the scale.

// Outage is a constant share of bad events for a while.
type Outage struct {
	Ratio  float64 // of bad events
	Length time.Duration
}

// Burn is how many times too fast the outage spends a budget.
func (o Outage) Burn(budget float64) float64 { return o.Ratio / budget }

// Spent is the share of a period's budget that the outage costs.
func (o Outage) Spent(budget float64, period time.Duration) float64 {
	return o.Burn(budget) * o.Length.Seconds() / period.Seconds()
}

// TimeToExhaustion is how long a whole budget lasts at a burn rate:
// period / burn. It is at most the longest duration there is.
func TimeToExhaustion(burn float64, period time.Duration) time.Duration {
	return duration(period.Seconds() / burn)
}

// Threshold is the error ratio above which the pair holds.
func (p Pair) Threshold(budget float64) float64 { return p.Burn * budget }

// CanHold tells whether even a total outage is above the threshold.
func (p Pair) CanHold(budget float64) bool { return p.Threshold(budget) < 1 }

// Detection is how long errors last until the pair holds:
//
//	θ/e · long, with θ = burn · budget
//
// The short window gets there sooner. It is false when e does not exceed θ.
func (p Pair) Detection(budget, ratio float64) (time.Duration, bool) {
	theta := p.Threshold(budget)
	if ratio <= theta {
		return 0, false
	}
	return scaled(p.Long, theta/ratio), true
}

// Reset is how long after the errors the pair still holds, if it did:
//
//	min over both windows W of W · (1 − θ/e)
//
// A window ends to hold when so much of it is healthy that e·(W−x)/W = θ.
func (p Pair) Reset(budget, ratio float64) time.Duration {
	return scaled(min(p.Long, p.Short), 1-p.Threshold(budget)/ratio)
}

// SpentAtDetection is the share of a period's budget gone when the pair begins to
// hold, whatever the error ratio: burn · long / period.
func (p Pair) SpentAtDetection(period time.Duration) float64 {
	return p.Burn * p.Long.Seconds() / period.Seconds()
}

// Detection is how long errors last until the alert fires. It is false for an
// outage that fires nothing.
func (a Alert) Detection(budget float64, o Outage) (time.Duration, bool) {
	from, to := a.holds(budget, o)
	if from+a.For >= to {
		return 0, false
	}
	return from + a.For, true
}

// Reset is how long after the errors the alert still fires: until the last of the
// pairs that held ends, and KeepFiring. It is 0 if the outage fires nothing.
func (a Alert) Reset(budget float64, o Outage) time.Duration {
	from, to := a.holds(budget, o)
	if from+a.For >= to {
		return 0
	}
	return to - o.Length + a.KeepFiring
}

// holds is the time in which one pair or another holds, since the outage began.
// There is no gap in it: all of them still hold when the errors end.
func (a Alert) holds(budget float64, o Outage) (from, to time.Duration) {
	from = math.MaxInt64 - a.For
	for _, p := range a.Pairs {
		begin, ok := p.Detection(budget, o.Ratio)
		if !ok || begin >= o.Length {
			continue
		}
		from = min(from, begin)
		to = max(to, o.Length+p.Reset(budget, o.Ratio))
	}
	return from, to
}

// LeastRatio is the error ratio that no pair's threshold lies under: this one and
// those below never fire the alert, however long they last.
func (a Alert) LeastRatio(budget float64) float64 {
	least := math.Inf(1)
	for _, p := range a.Pairs {
		least = min(least, p.Threshold(budget))
	}
	return least
}

// LeastEvents is how many events the long window must hold for a single bad one
// not to be above the pair's threshold: 1/θ.
func (p Pair) LeastEvents(budget float64) float64 { return 1 / p.Threshold(budget) }

func scaled(d time.Duration, by float64) time.Duration { return duration(d.Seconds() * by) }

func duration(seconds float64) time.Duration {
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}
