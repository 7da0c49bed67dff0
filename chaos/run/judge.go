package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"firedrill/chaos/drill"
)

// conclude returns the complete journal.
func (r *run) conclude(ctx context.Context) *Journal {
	j := r.rec.journal()
	predictions := r.predict(ctx, j)
	if r.Charter != nil {
		ask, cancel := context.WithTimeout(ctx, undoTimeout)
		defer cancel()
		j.Charts = r.Charter.Charts(ask, j.Start, j.End)
	}
	judge(j, r.drill, r.Machine, predictions)
	r.rec.note(EventVerdict, EventState(j.Verdict), "%s", strings.Join(j.Reasons, "; "))
	j.Events = r.rec.events()
	return j
}

// predict returns the prediction for each expected alert; nil where there is none.
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
			r.rec.note(EventProblem, StatePrediction, "predict %s: %v", e, err)
		}
	}
	return out
}

// judge checks a journal against its drill and sets the verdict.
func judge(j *Journal, d *drill.Drill, machine []drill.AlertPattern, predictions []*Prediction) {
	back := time.Duration(float64(alertLookback) * drill.Stretch(j.Scale))
	t := trial{j, d.Expect, len(d.Faults), j.FaultsBegan(), j.recoveryFrom(), longest(j.Blind), back, machine}
	for _, f := range j.Faults {
		j.Checks = append(j.Checks, checkFault(f))
	}
	if j.Load.Profile != "" {
		j.Checks = append(j.Checks, t.checkLoad())
	}
	for i, e := range d.Expect.Alerts {
		c := t.checkAlert(e)
		c.Predicted = predictions[i]
		j.Checks = append(j.Checks, c)
	}
	j.Checks = append(j.Checks, t.checkQuiet())
	for _, s := range j.Sights {
		j.Checks = append(j.Checks, t.checkSight(s))
	}
	for _, p := range j.Probes {
		j.Checks = append(j.Checks, t.checkProbe(p))
	}
	j.decide()
}

// decide sets the verdict and its reasons by the checks and by why the run stopped.
func (j *Journal) decide() {
	j.Verdict = Pass
	for i := range j.Checks {
		c := &j.Checks[i]
		if j.Stopped != nil && c.Outcome == Failed && c.Signal != SignalQuiet {
			c.Outcome = Unknown // the run ended before the expectation was due
		}
		if c.Outcome == Passed {
			continue
		}
		j.Reasons = append(j.Reasons, fmt.Sprintf("%s %s: %s", c.Signal, c.Name, c.Detail))
		if c.Outcome == Failed || j.Verdict == Pass {
			j.Verdict = Verdict(c.Outcome)
		}
		if c.Machine {
			j.Advice = advice
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

func (t trial) checkLoad() Check {
	l := t.j.Load
	c := Check{Signal: SignalLoad, Name: l.String(), Outcome: Passed, Detail: fmt.Sprintf("%d requests, %d failed", l.Requests, l.Failed)}
	switch {
	case l.Problem != "":
		c.Outcome, c.Detail = Unknown, l.Problem
	case l.Requests == 0:
		c.Outcome, c.Detail = Unknown, "it sent nothing"
	case l.Remark != "":
		c.Detail += "; its own figures are not valid: " + l.Remark
	}
	if c.Outcome == Passed {
		c.doubt(t.j.Machine.spoils(evidence{needs: []drill.Need{drill.NeedLoad}, from: l.Began, to: l.Ended}))
	}
	return c
}
