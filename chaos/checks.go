package chaos

import (
	"fmt"
	"slices"
	"time"
)

func checkSight(s Sight, blind time.Duration, began time.Time) Check {
	c := Check{Signal: s.Signal, Name: s.Name, Outcome: Failed}
	gap := longest(s.Gaps)
	switch {
	case s.Held:
		c.Detail = fmt.Sprintf("it was %s before the fault too, so it shows nothing of it", number(s.Before))
	case !s.Seen.IsZero():
		after := Seconds(s.Seen.Sub(began))
		c.After, c.Outcome = &after, Passed
		c.Detail = fmt.Sprintf("%s after %s (before: %s)", number(s.During), after, number(s.Before))
		if s.TraceID != "" {
			c.Detail += ", trace " + s.TraceID
		}
	case s.During == nil:
		c.Outcome, c.Detail = Unknown, "there was no answer"
		if gap.Why != "" {
			c.Detail += ": " + gap.Why
		}
	case gap.Length() > blind:
		c.Outcome, c.Detail = Unknown, fmt.Sprintf("no answer for %s: %s", Seconds(gap.Length()), gap.Why)
	default:
		c.Detail = fmt.Sprintf("the most telling value was %s, want %s (before: %s)", number(s.During), s.Want, number(s.Before))
	}
	return c
}

func number(v *float64) string {
	if v == nil {
		return "nothing"
	}
	return formatNumber(*v)
}

func checkProbe(p ProbeRun, e Expectations, ended time.Time) Check {
	c := Check{Signal: p.Signal, Name: p.Name, Outcome: p.NoData}
	gap := longest(p.Gaps)
	broken := p.broken()
	switch {
	case len(p.Samples) == 0:
		c.Detail = "there was no answer"
		if gap.Why != "" {
			c.Detail += ": " + gap.Why
		}
	case p.Mode == After:
		c.Outcome, c.Detail = checkAfter(p, e.Recover, ended)
	case broken >= 0:
		s := p.Samples[broken]
		c.Outcome, c.Detail = Failed, fmt.Sprintf("it was %s at %s, want %s (%d of %d answers hold)",
			formatNumber(s.Value), s.At.Format(time.TimeOnly), p.Want, holding(p.Samples), len(p.Samples))
	case gap.Length() > e.Blind:
		c.Detail = fmt.Sprintf("no answer for %s: %s", Seconds(gap.Length()), gap.Why)
	default:
		c.Outcome, c.Detail = Passed, fmt.Sprintf("%d of %d answers hold", holding(p.Samples), len(p.Samples))
	}
	return c
}

// unreadyAfter is how many looks in a row must find a service unready for it to be so,
// as a load balancer needs several too: one late answer is no outage.
const unreadyAfter = 3

// broken is the first answer that breaks the claim; -1 if none does.
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

// checkAfter wants the last answer to hold, as do all since a time that is early
// enough.
func checkAfter(p ProbeRun, within time.Duration, ended time.Time) (Outcome, string) {
	last := p.Samples[len(p.Samples)-1]
	if !last.Holds {
		return Failed, fmt.Sprintf("it is still %s, want %s within %s of the end of the faults", formatNumber(last.Value), p.Want, Seconds(within))
	}
	since := last.At
	for _, s := range slices.Backward(p.Samples) {
		if !s.Holds {
			break
		}
		since = s.At
	}
	after := Seconds(since.Sub(ended))
	if time.Duration(after) > within {
		return Failed, fmt.Sprintf("it held %s after the faults, want within %s", after, Seconds(within))
	}
	return Passed, fmt.Sprintf("it held %s after the faults", after)
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
