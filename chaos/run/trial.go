package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
)

// trial compares a journal with what its drill expects.
type trial struct {
	j            *Journal
	expect       drill.Expectations
	faults       int
	began, ended time.Time            // time range of all faults
	blind        Gap                  // longest time in which alerts could not be seen
	lookback     time.Duration        // lookback of an alert that fires
	machine      []drill.AlertPattern // patterns of alerts about the machine
}

func (t trial) tooBlind() bool { return t.blind.Length() > t.expect.Blind }

func (t trial) blindness() string {
	return fmt.Sprintf("the state of the alerts was unknown for %s: %s", Seconds(t.blind.Length()), t.blind.Why)
}

// finding is one thing that is not as expected, or that is unknown.
type finding struct {
	text    string
	unknown bool
	on      evidence // the evidence for it
}

// checkAlert compares one alert with what is expected of it.
func (t trial) checkAlert(e drill.AlertExpectation) Check {
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
		c.doubt(t.j.Machine.explains(evidence{needs: e.Needs, from: t.began, to: t.began.Add(e.FiresWithin)}))
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
	c.Outcome = t.found(&c, slices.Concat(t.firing(fired, e), t.resolving(fired, c.Resolved, e), t.telling(fired, e)))
	if c.Outcome == Passed {
		c.doubt(t.j.Machine.spoils(evidence{needs: e.Needs, from: t.began, to: fired[0].fired()}))
	}
	return c
}

// found adds findings to the detail of a check and returns the outcome: failed if any
// finding is certain, else unknown if there is any.
func (t trial) found(c *Check, all []finding) Outcome {
	outcome := Passed
	var texts []string
	for _, f := range all {
		if !f.unknown {
			if why := t.j.Machine.explains(f.on); why != "" {
				f.text, f.unknown, c.Machine = f.text+" ("+why+")", true, true
			}
		}
		texts = append(texts, f.text)
		switch {
		case !f.unknown:
			outcome = Failed
		case outcome == Passed:
			outcome = Unknown
		}
	}
	if len(texts) > 0 {
		c.Detail += ": " + strings.Join(texts, "; ")
	}
	return outcome
}

// firing returns what is wrong with when alerts fired, and how often people were
// notified.
func (t trial) firing(fired []AlertRun, e drill.AlertExpectation) (wrong []finding) {
	at := fired[0].fired()
	switch after := at.Sub(t.began); {
	case after < 0:
		wrong = append(wrong, finding{text: "before the fault", on: t.alarm(e.Needs, at)})
	case after > e.FiresWithin:
		wrong = append(wrong, finding{
			text: fmt.Sprintf("want within %s", Seconds(e.FiresWithin)), on: evidence{e.Needs, t.began, at, after - e.FiresWithin},
		})
	}
	for _, a := range fired {
		if n := len(a.Told); n > max(1, t.faults) {
			wrong = append(wrong, finding{
				text: fmt.Sprintf("flapped: people were told %d times", n), on: evidence{e.Needs, t.began, t.j.End, leastShortfall},
			})
		}
	}
	return wrong
}

// alarm returns the evidence for an alert that fires at a time.
func (t trial) alarm(needs []drill.Need, at time.Time) evidence {
	return evidence{needs, at.Add(-t.lookback), at, leastShortfall}
}

// lastOver returns when the last of some alerts was gone; false if one still fires.
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

// resolving returns what is wrong with when alerts were gone. after is nil if one
// still fires.
func (t trial) resolving(fired []AlertRun, after *Seconds, e drill.AlertExpectation) []finding {
	want := fmt.Sprintf("want resolved within %s", Seconds(e.ResolvesWithin))
	switch {
	case after == nil && t.tooBlind():
		return []finding{{text: t.blindness(), unknown: true}}
	case after == nil:
		return []finding{{text: "still fires, " + want, on: evidence{needs: e.Needs, from: t.ended, to: t.j.End}}}
	case time.Duration(*after) > e.ResolvesWithin:
		over, _ := lastOver(fired)
		return []finding{{text: want, on: evidence{e.Needs, t.ended, over, time.Duration(*after) - e.ResolvesWithin}}}
	}
	return nil
}

// telling returns what is wrong with the notifications.
func (t trial) telling(fired []AlertRun, e drill.AlertExpectation) []finding {
	told := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.Told) > 0 })
	over := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.ToldOver) > 0 })
	deaf := longest(t.j.Deaf)
	switch {
	case e.Notice == drill.NoticeSuppressed && told:
		on := evidence{e.Needs, t.began, t.j.End, leastShortfall}
		return []finding{{text: "somebody was told, though another alert should have inhibited it", on: on}}
	case e.Notice == drill.NoticeAny || e.Notice == drill.NoticeRequired && told && over:
		return nil
	case deaf.Length() > noticeGrace/2:
		return []finding{{text: fmt.Sprintf("the notifications were unknown for %s: %s", Seconds(deaf.Length()), deaf.Why), unknown: true}}
	case e.Notice == drill.NoticeSuppressed:
		return nil
	case !told:
		at := fired[0].fired()
		return []finding{{text: "nobody was told", on: evidence{needs: e.Needs, from: at, to: at.Add(noticeGrace)}}}
	}
	on := evidence{needs: e.Needs, from: t.ended, to: t.j.End}
	return []finding{{text: "there was no notification of its end", on: on}}
}

// checkQuiet looks for alerts that must not have fired.
func (t trial) checkQuiet() Check {
	c := Check{Signal: SignalQuiet, Name: "no other alert", Outcome: Passed, Detail: "none fired"}
	var loud []finding
	var allowed []string // fired too, and may
	for _, a := range t.j.Alerts {
		if !a.Before && !a.Expected && !a.fired().IsZero() && !forbids(t.expect, a.Labels, t.j.Alerts) {
			allowed = append(allowed, drill.AlertName(a.Labels))
		}
		if !a.Before && !a.fired().IsZero() && forbids(t.expect, a.Labels, t.j.Alerts) {
			c.Alarms = append(c.Alarms, drill.AlertName(a.Labels))
			if t.ofMachine(a.Labels) {
				c.Machine = true
				text := fmt.Sprintf("%s fired %s after the beginning: it tells of this machine", drill.AlertName(a.Labels), Seconds(a.fired().Sub(t.j.Start)))
				loud = append(loud, finding{text: text, unknown: true})
				continue
			}
			loud = append(loud, finding{
				text: fmt.Sprintf("%s fired %s after the beginning", drill.AlertName(a.Labels), Seconds(a.fired().Sub(t.j.Start))),
				on:   t.alarm(drill.AllNeeds(), a.fired()),
			})
		}
	}
	if len(allowed) > 0 {
		c.Detail = "fired, as the drill allows: " + strings.Join(allowed, ", ")
	}
	switch {
	case len(loud) > 0:
		c.Detail = ""
		c.Outcome = t.found(&c, loud)
		c.Detail = strings.TrimPrefix(c.Detail, ": ")
	case t.tooBlind():
		c.Outcome, c.Detail = Unknown, t.blindness()
	default:
		c.doubt(t.j.Machine.spoils(t.whole(quietNeeds())))
	}
	return c
}

// ofMachine reports whether the alert with these labels is about the machine.
func (t trial) ofMachine(labels map[string]string) bool {
	return slices.ContainsFunc(t.machine, func(p drill.AlertPattern) bool { return p.Matches(labels) })
}

// quietNeeds returns what alerts need to be able to fire.
func quietNeeds() []drill.Need {
	return []drill.Need{drill.NeedProcessor, drill.NeedScrapes, drill.NeedRules}
}

// whole returns the evidence for a claim about the whole time of a drill.
func (t trial) whole(needs []drill.Need) evidence {
	return evidence{needs, t.j.from(PhaseWarmUp), t.j.End, max(t.expect.Blind, leastShortfall)}
}

// forbids reports whether the alert with these labels must not fire beside the others.
func forbids(e drill.Expectations, labels map[string]string, others []AlertRun) bool {
	matches := func(p drill.AlertPattern) bool { return p.Matches(labels) }
	if e.MustNotFire != nil {
		return slices.ContainsFunc(e.MustNotFire, matches)
	}
	expected := func(a drill.AlertExpectation) bool { return a.Matches(labels) }
	paged := func(a AlertRun) bool { return a.Expected && !a.fired().IsZero() && ticketOf(a.Labels, labels) }
	return !slices.ContainsFunc(e.May, matches) && !slices.ContainsFunc(e.Alerts, expected) && !slices.ContainsFunc(others, paged)
}

// ticketOf reports whether the second alert is the ticket of the objective whose page
// is the first: a budget that burns fast burns slowly too.
func ticketOf(page, ticket map[string]string) bool {
	return page[drill.LabelSeverity] == "page" && ticket[drill.LabelSeverity] == "ticket" && page[drill.LabelSLO] != "" &&
		page[drill.LabelSLO] == ticket[drill.LabelSLO] && page[drill.LabelService] == ticket[drill.LabelService]
}
