package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// trial holds alerts to what is expected of them.
type trial struct {
	j            *Journal
	expect       Expectations
	faults       int
	began, ended time.Time // of all faults
	blind        Gap       // the longest time that alerts could not be seen
}

func (t trial) tooBlind() bool { return t.blind.Length() > t.expect.Blind }

func (t trial) blindness() string {
	return fmt.Sprintf("nobody could see what alerts do for %s: %s", Seconds(t.blind.Length()), t.blind.Why)
}

// finding is something that was not as expected, or that nobody can tell.
type finding struct {
	text    string
	unknown bool
}

// checkAlert holds one alert to what is expected of it.
func (t trial) checkAlert(e AlertExpectation) Check {
	c := Check{Signal: SignalAlert, Name: e.String()}
	fired := matching(t.j.Alerts, e.AlertPattern)
	switch {
	case t.began.IsZero():
		c.Outcome, c.Detail = Unknown, "no fault began"
		return c
	case len(fired) == 0 && t.tooBlind():
		c.Outcome, c.Detail = Unknown, t.blindness()
		return c
	case len(fired) == 0:
		c.Outcome, c.Detail = Failed, fmt.Sprintf("did not fire within %s", Seconds(e.FiresWithin))
		return c
	}
	after := Seconds(fired[0].fired().Sub(t.began))
	c.After, c.Detail = &after, fmt.Sprintf("fired after %s", after)
	if n := fired[0].times(); n > 1 {
		c.Detail += fmt.Sprintf(" (%d times)", n)
	}
	if over, ok := lastOver(fired); ok {
		length := Seconds(over.Sub(t.ended))
		c.Resolved = &length
		c.Detail += fmt.Sprintf(", resolved %s after the fault", length)
	}
	c.Outcome = c.found(slices.Concat(t.firing(fired, e), t.resolving(c.Resolved, e), t.telling(fired, e)))
	return c
}

// found adds findings to the detail, and makes an outcome of them: what is certain
// outweighs what nobody can tell.
func (c *Check) found(all []finding) Outcome {
	outcome := Passed
	var texts []string
	for _, f := range all {
		texts = append(texts, f.text)
		switch {
		case !f.unknown:
			outcome = Failed
		case outcome == Passed:
			outcome = Unknown
		}
	}
	if len(texts) > 0 {
		c.Detail += ": " + strings.Join(texts, ", ")
	}
	return outcome
}

// firing is what is wrong with when alerts fired, and how often people were told.
func (t trial) firing(fired []AlertRun, e AlertExpectation) (wrong []finding) {
	switch after := fired[0].fired().Sub(t.began); {
	case after < 0:
		wrong = append(wrong, finding{text: "before the fault"})
	case after > e.FiresWithin:
		wrong = append(wrong, finding{text: fmt.Sprintf("want within %s", Seconds(e.FiresWithin))})
	}
	for _, a := range fired {
		if n := len(a.Told); n > max(1, t.faults) {
			wrong = append(wrong, finding{text: fmt.Sprintf("flapped: people were told %d times", n)})
		}
	}
	return wrong
}

// lastOver is when the last of some alerts was gone; false if one still fires.
func lastOver(fired []AlertRun) (last time.Time, ok bool) {
	for _, a := range fired {
		over, ok := a.over()
		if !ok {
			return time.Time{}, false
		}
		if over.After(last) {
			last = over
		}
	}
	return last, true
}

// resolving is what is wrong with when alerts were gone; nil if one still fires.
func (t trial) resolving(after *Seconds, e AlertExpectation) []finding {
	want := fmt.Sprintf("want resolved within %s", Seconds(e.ResolvesWithin))
	switch {
	case after == nil && t.tooBlind():
		return []finding{{t.blindness(), true}}
	case after == nil:
		return []finding{{text: "still fires, " + want}}
	case time.Duration(*after) > e.ResolvesWithin:
		return []finding{{text: want}}
	}
	return nil
}

// telling is what is wrong with whom was told.
func (t trial) telling(fired []AlertRun, e AlertExpectation) []finding {
	told := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.Told) > 0 })
	over := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.ToldOver) > 0 })
	deaf := longest(t.j.Deaf)
	switch {
	case e.Notice == NoticeSuppressed && told:
		return []finding{{text: "somebody was told, though another alert should have inhibited it"}}
	case e.Notice == NoticeAny || e.Notice == NoticeRequired && told && over:
		return nil
	case deaf.Length() > noticeGrace/2:
		return []finding{{fmt.Sprintf("nobody could see who was told for %s: %s", Seconds(deaf.Length()), deaf.Why), true}}
	case e.Notice == NoticeSuppressed:
		return nil
	case !told:
		return []finding{{text: "nobody was told"}}
	}
	return []finding{{text: "nobody was told that it is over"}}
}

// checkQuiet looks for alerts that must not have fired.
func (t trial) checkQuiet() Check {
	c := Check{Signal: SignalQuiet, Name: "no other alert", Outcome: Passed, Detail: "none fired"}
	var loud []string
	for _, a := range t.j.Alerts {
		if !a.Before && !a.fired().IsZero() && t.expect.forbids(a.Labels, t.j.Alerts) {
			c.Alarms = append(c.Alarms, alertName(a.Labels))
			loud = append(loud, fmt.Sprintf("%s fired %s after the beginning", alertName(a.Labels), Seconds(a.fired().Sub(t.j.Start))))
		}
	}
	switch {
	case len(loud) > 0:
		c.Outcome, c.Detail = Failed, strings.Join(loud, "; ")
	case t.tooBlind():
		c.Outcome, c.Detail = Unknown, t.blindness()
	}
	return c
}

// forbids is whether the alert with these labels must not fire beside the others.
func (e Expectations) forbids(labels map[string]string, others []AlertRun) bool {
	matches := func(p AlertPattern) bool { return p.Matches(labels) }
	if e.MustNotFire != nil {
		return slices.ContainsFunc(e.MustNotFire, matches)
	}
	expected := func(a AlertExpectation) bool { return a.Matches(labels) }
	paged := func(a AlertRun) bool { return a.Expected && !a.fired().IsZero() && ticketOf(a.Labels, labels) }
	return !slices.ContainsFunc(e.May, matches) && !slices.ContainsFunc(e.Alerts, expected) && !slices.ContainsFunc(others, paged)
}

// ticketOf is whether the second alert is a ticket of the objective that the first
// one pages for: whoever burns a budget fast burns it slowly too.
func ticketOf(page, ticket map[string]string) bool {
	return page[labelSeverity] == "page" && ticket[labelSeverity] == "ticket" && page[labelSLO] != "" &&
		page[labelSLO] == ticket[labelSLO] && page[labelService] == ticket[labelService]
}
