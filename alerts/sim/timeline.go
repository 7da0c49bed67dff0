package sim

import (
	"math"
	"time"
)

// timeline is what a service counted in a catalogue and in a quiet time before it: a
// sample of each counter every step.
type timeline struct {
	step   time.Duration
	before int // steps before the catalogue's start
	// Counters, as they are read off: element before is the catalogue's start.
	all, bad []float64
}

// Counters have a past: one that begins at 0 Prometheus takes for new, and
// extrapolates less (see extrapolatedRate in its promql/functions.go).
const past = 1e9

// replay counts the events of a catalogue over a period, and of a quiet time before
// it. Events are whole; what is left of one is carried over.
func (c Catalogue) replay(period, before time.Duration) timeline {
	t := timeline{step: Resolution, before: int(math.Ceil(before.Seconds() / Resolution.Seconds()))}
	steps := t.before + int(period/Resolution) + 1
	t.all, t.bad = make([]float64, steps), make([]float64, steps)
	t.all[0], t.bad[0] = past, past/2
	var owedAll, owedBad float64
	for i := 1; i < steps; i++ {
		if i == t.before+1 {
			owedAll, owedBad = 0, 0 // the same catalogue, however long it was quiet before
		}
		// Each scrape counts what came since the one before: as at the middle between.
		rate, share := c.at(time.Duration(i-t.before)*Resolution - Resolution/2)
		owedAll += rate * Resolution.Seconds()
		all := math.Floor(owedAll)
		owedAll -= all
		owedBad += all * share
		bad := math.Floor(owedBad)
		owedBad -= bad
		t.all[i], t.bad[i] = t.all[i-1]+all, t.bad[i-1]+bad
	}
	return t
}

// at is the events a second, and the share of them that is bad.
func (c Catalogue) at(now time.Duration) (rate, share float64) {
	for _, in := range c.Incidents {
		if now >= in.Start && now < in.End() {
			since := now - in.Start
			return in.Rate * (1 + in.Swing*daily(since)), max(c.Background, min(1, in.Shape.At(since)))
		}
	}
	return c.Rate, c.Background
}

// spent is the share of a period's budget that the bad events of a span are.
func (t timeline) spent(s Span, budget float64) float64 {
	return (t.bad[t.index(s.To)] - t.bad[t.index(s.From)]) / (budget * t.perPeriod())
}

// perPeriod counts the events of a whole period.
func (t timeline) perPeriod() float64 {
	last := len(t.all) - 1
	return (t.all[last] - t.all[t.before]) * Period.Seconds() / t.length().Seconds()
}

// length is how long the catalogue was replayed.
func (t timeline) length() time.Duration { return time.Duration(len(t.all)-1-t.before) * t.step }

// index is the sample at a time since the catalogue's start.
func (t timeline) index(at time.Duration) int { return t.before + int(at/t.step) }
