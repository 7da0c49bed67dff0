package run

import (
	"fmt"
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// checkSight compares what a signal showed with what it must show.
func (t trial) checkSight(s Sight) Check {
	c := Check{Signal: s.Signal, Name: s.Name, Outcome: Failed}
	gap := longest(s.Gaps)
	// Data that is late may also arrive late, so any shortfall during the faults
	// counts.
	on := evidence{needs: s.Needs, from: t.began, to: t.ended}
	switch {
	case s.Held:
		c.Detail = fmt.Sprintf("the value was %s before the fault too, so it shows no effect of the fault", number(s.Before))
		on = evidence{s.Needs, t.j.from(PhaseWarmUp), t.began, leastShortfall}
	case !s.Seen.IsZero():
		after := Seconds(s.Seen.Sub(t.began))
		c.After, c.Outcome = &after, Passed
		c.Detail = fmt.Sprintf("%s after %s (before: %s)", number(s.During), after, number(s.Before))
		if s.TraceID != "" {
			c.Detail += ", trace " + s.TraceID
		}
		c.doubt(t.j.Machine.spoils(evidence{needs: s.Needs, from: t.began, to: s.Seen}))
	case s.During == nil && s.Before == nil && onlyEmpty(s.Gaps):
		c.Detail = fmt.Sprintf("every answer was empty, want %s", s.Want)
	case s.During == nil:
		c.Outcome, c.Detail = Unknown, "cannot tell: no answer"
		if gap.Why != "" {
			c.Detail += ": " + gap.Why
		}
	case gap.Length() > t.expect.Blind:
		c.Outcome, c.Detail = Unknown, fmt.Sprintf("cannot tell: no answer for %s: %s", Seconds(gap.Length()), gap.Why)
	default:
		c.Detail = fmt.Sprintf("the value came no closer than %s, want %s (before: %s)", number(s.During), s.Want, number(s.Before))
	}
	if c.Outcome == Failed {
		c.doubt(t.j.Machine.explains(on))
	}
	return c
}

// onlyEmpty reports whether every answer came and had no data.
func onlyEmpty(gaps []Gap) bool {
	return len(gaps) > 0 && !slices.ContainsFunc(gaps, func(g Gap) bool { return !g.Empty })
}

func number(v *float64) string {
	if v == nil {
		return "nothing"
	}
	return drill.FormatNumber(*v)
}

// checkProbe compares the answers to a probe with its claim. Answers that the machine
// may have changed do not fail it.
func (t trial) checkProbe(p ProbeRun) Check {
	e := t.expect
	c := Check{Signal: p.Signal, Name: p.Name, Outcome: p.NoData}
	gap := longest(p.Gaps)
	broken := p.broken()
	switch {
	case len(p.Samples) == 0:
		c.Detail = p.unanswered("")
		if gap.Why != "" {
			c.Detail += ": " + gap.Why
		}
	case p.Mode == drill.After:
		var on evidence
		c.Outcome, c.Detail, on = t.checkAfter(p)
		if c.Outcome == Failed {
			c.doubt(t.j.Machine.explains(on))
		}
	case broken >= 0:
		s := p.Samples[broken]
		c.Outcome, c.Detail = Failed, fmt.Sprintf("the value was %s at %s, want %s (%d of %d answers hold)",
			drill.FormatNumber(s.Value), s.At.Format(time.TimeOnly), p.Want, holding(p.Samples), len(p.Samples))
		if t.j.Machine.admissible(p).broken() < 0 {
			back := lookback(p.Signal, p.Needs)
			total, which := t.j.Machine.short(p.Needs, s.At.Add(-back), t.j.End, false)
			c.doubt(words(total, which))
		}
	case gap.Length() > e.Blind:
		c.Detail = p.unanswered(" for "+Seconds(gap.Length()).String()) + ": " + gap.Why
	default:
		c.Outcome, c.Detail = Passed, fmt.Sprintf("%d of %d answers hold", holding(p.Samples), len(p.Samples))
	}
	if c.Outcome == Passed && p.Mode != drill.Before {
		c.doubt(t.j.Machine.spoils(t.whole(p.Needs)))
	}
	return c
}

// unreadyAfter is how many looks in a row must find a service unready before it counts
// as unready. One late answer is no outage; a load balancer needs several too.
const unreadyAfter = 3

// broken returns the index of the first answer that breaks the claim; -1 if none does.
func (p ProbeRun) broken() int {
	most := 1
	if p.Signal == SignalHealth {
		most = unreadyAfter
	}
	row := 0
	for i, s := range p.Samples {
		if row++; s.Holds {
			row = 0
		}
		if row == most {
			return i - most + 1
		}
	}
	return -1
}

// unanswered returns what a probe without an answer means. It is a failure only if the drill says so.
func (p ProbeRun) unanswered(length string) string {
	if p.NoData == Failed {
		return "no answer" + length + ", which the drill counts as a failure"
	}
	return "cannot tell: no answer" + length
}

// checkAfter requires that the last answer holds, and that answers have held since
// soon enough after the faults. It also returns the evidence that a failure rests on.
func (t trial) checkAfter(p ProbeRun) (Outcome, string, evidence) {
	last, within := p.Samples[len(p.Samples)-1], t.expect.Recover
	if !last.Holds {
		return Failed, fmt.Sprintf("the value is still %s, want %s within %s of the end of the faults", drill.FormatNumber(last.Value), p.Want, Seconds(within)),
			evidence{needs: p.Needs, from: t.ended, to: last.At}
	}
	since := last.At
	for _, s := range slices.Backward(p.Samples) {
		if !s.Holds {
			break
		}
		since = s.At
	}
	after := Seconds(since.Sub(t.ended))
	if time.Duration(after) > within {
		return Failed, fmt.Sprintf("it held %s after the faults, want within %s", after, Seconds(within)),
			evidence{p.Needs, t.ended, since, time.Duration(after) - within}
	}
	return Passed, fmt.Sprintf("it held %s after the faults", after), evidence{}
}

func holding(samples []Sample) int {
	n := 0
	for _, s := range samples {
		if s.Holds {
			n++
		}
	}
	return n
}
