package run

import (
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// Lookbacks of evidence, and bounds of how much of a shortfall counts.
const (
	// promLookback is how far back the queries of probes and metrics usually look: rates over 10 s, and some scrapes.
	promLookback = 15 * time.Second
	// httpLookback is the longest wait for an answer.
	httpLookback = 5 * time.Second
	// alertLookback is how far back an alert that fires looks, at DesignScale.
	alertLookback = time.Minute
	// leastShortfall is the shortest shortfall that explains anything that lasted
	// longer.
	leastShortfall = 2 * time.Second
)

// evidence is the time and the needs that a judgement depends on.
type evidence struct {
	needs    []drill.Need
	from, to time.Time
	// enough is how long a shortfall must be to explain what was judged; 0: a quarter
	// of the time.
	enough time.Duration
}

// least returns how long a shortfall must be to explain what was judged.
func (e evidence) least() time.Duration {
	if e.enough > 0 {
		return e.enough
	}
	return max(leastShortfall, e.to.Sub(e.from)/4)
}

// explains returns a sentence about the shortfall if it explains a failure; "" if it
// does not.
func (m *MachineRun) explains(e evidence) string { return m.tells(e, false) }

// spoils returns a sentence about the shortfall if the machine was starved for so long
// that a pass proves nothing; "" if it was not.
func (m *MachineRun) spoils(e evidence) string { return m.tells(e, true) }

func (m *MachineRun) tells(e evidence, starved bool) string {
	total, which := m.short(e.needs, e.from, e.to, starved)
	if total == 0 || total < e.least() {
		return ""
	}
	return words(total, which)
}

// doubt makes a check inconclusive for the reason why, which is about the machine. For
// "" it does nothing.
func (c *Check) doubt(why string) {
	if why == "" {
		return
	}
	c.Outcome, c.Machine = Unknown, true
	c.Detail += "; " + why
}

// lookback returns how far back an answer to a query looks.
func lookback(s Signal, want []drill.Need) time.Duration {
	if s == SignalHealth || !slices.Contains(want, drill.NeedScrapes) {
		return httpLookback
	}
	return promLookback
}

// admissible returns the probe without the answers that the machine may have changed.
func (m *MachineRun) admissible(p ProbeRun) ProbeRun {
	back := lookback(p.Signal, p.Needs)
	kept := p
	kept.Samples = nil
	for _, s := range p.Samples {
		if total, _ := m.short(p.Needs, s.At.Add(-back), s.At, false); total == 0 {
			kept.Samples = append(kept.Samples, s)
		}
	}
	return kept
}

// advice is what to do about a machine that did not keep up.
const advice = "close what else runs, or drive less load (--rate 5/s), and run the drill again"
