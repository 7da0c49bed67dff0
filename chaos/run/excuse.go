package run

import (
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// Times that evidence reaches back.
const (
	// promLookback is how far back the queries of probes and metrics usually look: rates over 10 s, and some scrapes.
	promLookback = 15 * time.Second
	// httpLookback is how long an answer is waited for.
	httpLookback = 5 * time.Second
	// alertLookback is how far back an alert that fires looks, at DesignScale.
	alertLookback = time.Minute
	// leastShortfall is how long the machine must have fallen short, at least, to explain anything that was seen for longer.
	leastShortfall = 2 * time.Second
)

// evidence is the time and the needs on which something that was judged depends.
type evidence struct {
	needs    []drill.Need
	from, to time.Time
	// enough is how long a shortfall of that time explains what was judged; 0: a quarter of the time.
	enough time.Duration
}

// least returns how long the machine must have fallen short to explain what was judged.
func (e evidence) least() time.Duration {
	if e.enough > 0 {
		return e.enough
	}
	return max(leastShortfall, e.to.Sub(e.from)/4)
}

// explains returns in words how the machine fell short, if that explains what was seen; "" if it does not.
func (m *MachineRun) explains(e evidence) string { return m.tells(e, false) }

// spoils returns in words how the machine fell short, if by so much that what was seen proves nothing; "" if it does not.
func (m *MachineRun) spoils(e evidence) string { return m.tells(e, true) }

func (m *MachineRun) tells(e evidence, starved bool) string {
	total, which := m.short(e.needs, e.from, e.to, starved)
	if total == 0 || total < e.least() {
		return ""
	}
	return words(total, which)
}

// doubt makes a check inconclusive because of what the machine did; "" does nothing.
func (c *Check) doubt(why string) {
	if why == "" {
		return
	}
	c.Outcome, c.Machine = Unknown, true
	c.Detail += "; " + why
}

// lookback is how far back an answer to a query looks.
func lookback(s Signal, want []drill.Need) time.Duration {
	if s == SignalHealth || !slices.Contains(want, drill.NeedScrapes) {
		return httpLookback
	}
	return promLookback
}

// admissible returns the probe with only the answers that the machine cannot have changed.
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

// Advice on what to do about a machine that did not keep up.
const advice = "close what else runs, or drive less load (--rate 5/s), and run the drill again"
