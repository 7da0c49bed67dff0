package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// conclude completes the journal.
func (r *run) conclude(ctx context.Context) *Journal {
	j := r.rec.journal()
	predictions := r.predict(ctx, j)
	if r.Charter != nil {
		ask, cancel := context.WithTimeout(ctx, undoTimeout)
		defer cancel()
		j.Charts = r.Charter.Charts(ask, j.Start, j.End)
	}
	judge(j, r.drill, predictions)
	r.rec.note(EventVerdict, string(j.Verdict), "%s", strings.Join(j.Reasons, "; "))
	j.Events = r.rec.j.Events
	return j
}

// predict asks what the arithmetic says of each expected alert; nil where it says
// nothing.
func (r *run) predict(ctx context.Context, j *Journal) []*Prediction {
	out := make([]*Prediction, len(r.drill.Expect.Alerts))
	began, ended := j.FaultsBegan(), j.FaultsEnded()
	if r.Predictor == nil || began.IsZero() || ended.IsZero() {
		return out
	}
	for i, e := range r.drill.Expect.Alerts {
		ask, cancel := context.WithTimeout(ctx, askTimeout)
		p, err := r.Predictor.Predict(ask, e, began, ended)
		cancel()
		switch {
		case err == nil:
			out[i] = &p
		case !errors.Is(err, ErrNoData):
			r.rec.note(EventProblem, "prediction", "predict %s: %v", e, err)
		}
	}
	return out
}

// judge holds a journal to its drill.
func judge(j *Journal, d *Drill, predictions []*Prediction) {
	began, ended := j.FaultsBegan(), j.FaultsEnded()
	for _, f := range j.Faults {
		j.Checks = append(j.Checks, checkFault(f))
	}
	if j.Load.Profile != "" {
		j.Checks = append(j.Checks, checkLoad(j.Load))
	}
	for i, e := range d.Expect.Alerts {
		c := checkAlert(j, e, len(d.Faults), longestOf(j, d), began, ended)
		c.Predicted = predictions[i]
		j.Checks = append(j.Checks, c)
	}
	j.Checks = append(j.Checks, checkQuiet(j, d))
	for _, s := range j.Sights {
		j.Checks = append(j.Checks, checkSight(s, d.Expect.Blind, began))
	}
	for _, p := range j.Probes {
		j.Checks = append(j.Checks, checkProbe(p, d.Expect, j.recoveryFrom()))
	}
	j.decide()
}

// decide makes one verdict of the checks, and of why the run stopped.
func (j *Journal) decide() {
	j.Verdict = Pass
	for i := range j.Checks {
		c := &j.Checks[i]
		if j.Stopped != nil && c.Outcome == Failed && c.Signal != SignalQuiet {
			c.Outcome = Unknown // nobody waited for it
		}
		if c.Outcome == Passed {
			continue
		}
		j.Reasons = append(j.Reasons, fmt.Sprintf("%s %s: %s", c.Signal, c.Name, c.Detail))
		if c.Outcome == Failed || j.Verdict == Pass {
			j.Verdict = Verdict(c.Outcome)
		}
	}
	if j.Stopped != nil {
		j.Verdict = j.Stopped.Verdict
		j.Reasons = append([]string{fmt.Sprintf("stopped in phase %s: %s", j.Stopped.Phase, j.Stopped.Reason)}, j.Reasons...)
	}
}

func checkFault(f FaultRun) Check {
	c := Check{Signal: SignalFault, Name: f.String(), Outcome: Passed}
	switch {
	case f.Began.IsZero():
		c.Outcome, c.Detail = Unknown, "it never began"
	case f.Problem == "":
		c.Detail = fmt.Sprintf("on for %s, then undone", Seconds(f.Ended.Sub(f.Began)))
	}
	if f.Problem != "" {
		c.Outcome, c.Detail = Unknown, f.Problem
	}
	return c
}

func checkLoad(l LoadRun) Check {
	c := Check{Signal: SignalLoad, Name: l.String(), Outcome: Passed, Detail: fmt.Sprintf("%d requests, %d failed", l.Requests, l.Failed)}
	switch {
	case l.Problem != "":
		c.Outcome, c.Detail = Unknown, l.Problem
	case l.Requests == 0:
		c.Outcome, c.Detail = Unknown, "it sent nothing"
	case l.Remark != "":
		c.Detail += "; " + l.Remark
	}
	return c
}

// blindness is the longest time that alerts could not be seen, and whether that is
// longer than allowed.
type blindness struct {
	Gap
	tooLong bool
}

func longestOf(j *Journal, d *Drill) blindness {
	g := longest(j.Blind)
	return blindness{g, g.Length() > d.Expect.Blind}
}

func (b blindness) String() string {
	return fmt.Sprintf("nobody could see what alerts do for %s: %s", Seconds(b.Length()), b.Why)
}

// checkAlert holds one alert to what is expected of it.
func checkAlert(j *Journal, e AlertExpectation, faults int, blind blindness, began, ended time.Time) Check {
	c := Check{Signal: SignalAlert, Name: e.String(), Outcome: Failed}
	fired := matching(j.Alerts, e.AlertPattern)
	if began.IsZero() {
		c.Outcome, c.Detail = Unknown, "no fault began"
		return c
	}
	if len(fired) == 0 {
		c.Detail = fmt.Sprintf("did not fire within %s", Seconds(e.FiresWithin))
		if blind.tooLong {
			c.Outcome, c.Detail = Unknown, blind.String()
		}
		return c
	}
	after := Seconds(fired[0].fired().Sub(began))
	c.After = &after
	c.Detail = fmt.Sprintf("fired after %s", after)
	if n := fired[0].times(); n > 1 {
		c.Detail += fmt.Sprintf(" (%d times)", n)
	}
	var wrong []string
	if after < 0 {
		wrong = append(wrong, "before the fault")
	}
	if time.Duration(after) > e.FiresWithin {
		wrong = append(wrong, fmt.Sprintf("want within %s", Seconds(e.FiresWithin)))
	}
	for _, a := range fired {
		if n := len(a.Told); n > max(1, faults) {
			wrong = append(wrong, fmt.Sprintf("flapped: people were told %d times", n))
		}
	}
	resolved, problem := checkResolved(fired, e, ended)
	if c.Resolved = resolved; resolved != nil {
		c.Detail += fmt.Sprintf(", resolved %s after the fault", *resolved)
	}
	if unknown := problem != "" && resolved == nil && blind.tooLong; unknown && len(wrong) == 0 {
		c.Outcome, c.Detail = Unknown, c.Detail+": "+blind.String()
		return c
	}
	if problem != "" {
		wrong = append(wrong, problem)
	}
	told, unknown := checkTold(fired, e, longest(j.Deaf))
	if told != "" {
		wrong = append(wrong, told)
	}
	if len(wrong) > 0 {
		c.Detail += ": " + strings.Join(wrong, ", ")
		if unknown && len(wrong) == 1 {
			c.Outcome = Unknown
		}
		return c
	}
	c.Outcome = Passed
	return c
}

// checkResolved is how long after the faults the last of the alerts was gone, and
// what is wrong with that.
func checkResolved(fired []AlertRun, e AlertExpectation, ended time.Time) (after *Seconds, problem string) {
	var last time.Time
	for _, a := range fired {
		over, ok := a.over()
		if !ok {
			return nil, fmt.Sprintf("still fires, want resolved within %s", Seconds(e.ResolvesWithin))
		}
		if over.After(last) {
			last = over
		}
	}
	length := Seconds(last.Sub(ended))
	if time.Duration(length) > e.ResolvesWithin {
		return &length, fmt.Sprintf("want resolved within %s", Seconds(e.ResolvesWithin))
	}
	return &length, ""
}

// checkTold is what is wrong with whom was told, and whether that is for want of
// data.
func checkTold(fired []AlertRun, e AlertExpectation, deaf Gap) (problem string, unknown bool) {
	told := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.Told) > 0 })
	over := slices.ContainsFunc(fired, func(a AlertRun) bool { return len(a.ToldOver) > 0 })
	switch {
	case e.Notice == NoticeSuppressed && told:
		return "somebody was told, though another alert should have inhibited it", false
	case e.Notice != NoticeRequired || told && over:
		return "", false
	case deaf.Length() > noticeGrace/2:
		return fmt.Sprintf("nobody could see who was told for %s: %s", Seconds(deaf.Length()), deaf.Why), true
	case !told:
		return "nobody was told", false
	}
	return "nobody was told that it is over", false
}

// checkQuiet looks for alerts that must not have fired.
func checkQuiet(j *Journal, d *Drill) Check {
	c := Check{Signal: SignalQuiet, Name: "no other alert", Outcome: Passed, Detail: "none fired"}
	var loud []string
	for _, a := range j.Alerts {
		if !a.Before && !a.fired().IsZero() && d.Expect.forbids(a.Labels, j.Alerts) {
			c.Alarms = append(c.Alarms, alertName(a.Labels))
			loud = append(loud, fmt.Sprintf("%s fired %s after the beginning", alertName(a.Labels), Seconds(a.fired().Sub(j.Start))))
		}
	}
	switch blind := longestOf(j, d); {
	case len(loud) > 0:
		c.Outcome, c.Detail = Failed, strings.Join(loud, "; ")
	case blind.tooLong:
		c.Outcome, c.Detail = Unknown, blind.String()
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
