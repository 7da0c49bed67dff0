package sim

import (
	"math"
	"time"
)

// timeline holds the counters of a service during a catalogue and a quiet time before it, with a
// sample at every step.
type timeline struct {
	step   time.Duration
	before int // number of steps before the start of the catalogue
	// Values of the counters at each scrape. The element with index before is at the start of the
	// catalogue.
	all, bad []float64
}

// past is the initial value of the counters. Prometheus assumes that a counter with the value 0 is
// new, and extrapolates it less (see extrapolatedRate in its promql/functions.go).
const past = 1e9

// replay counts the events of a catalogue over a period, and over a quiet time before it. Events
// are whole, and fractions are carried over to the next scrape.
func (c Catalogue) replay(period, before time.Duration) timeline {
	t := timeline{step: Resolution, before: int(math.Ceil(before.Seconds() / Resolution.Seconds()))}
	steps := t.before + int(period/Resolution) + 1
	t.all, t.bad = make([]float64, steps), make([]float64, steps)
	t.all[0], t.bad[0] = past, past/2
	var owedAll, owedBad float64
	for i := 1; i < steps; i++ {
		if i == t.before+1 {
			owedAll, owedBad = 0, 0 // the catalogue gives the same samples for any length of the quiet time
		}
		// Each scrape counts the events since the previous one, at the rate in the middle between
		// both.
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

// at returns the events per second at a time, and the share of bad ones.
func (c Catalogue) at(now time.Duration) (rate, share float64) {
	for _, in := range c.Incidents {
		if now >= in.Start && now < in.End() {
			since := now - in.Start
			return in.Rate * (1 + in.Swing*daily(since)), max(c.Background, min(1, in.Shape.At(since)))
		}
	}
	return c.Rate, c.Background
}

// spent returns the share of a period's budget that the bad events of a span spend.
func (t timeline) spent(s Span, budget float64) float64 {
	return (t.bad[t.index(s.To)] - t.bad[t.index(s.From)]) / (budget * t.perPeriod())
}

// perPeriod returns the number of events in a whole period.
func (t timeline) perPeriod() float64 {
	last := len(t.all) - 1
	return (t.all[last] - t.all[t.before]) * Period.Seconds() / t.length().Seconds()
}

// length returns the replayed time of the catalogue.
func (t timeline) length() time.Duration { return time.Duration(len(t.all)-1-t.before) * t.step }

// index returns the index of the sample at a time since the start of the catalogue.
func (t timeline) index(at time.Duration) int { return t.before + int(at/t.step) }
