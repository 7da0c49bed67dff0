package run

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/wait"
)

// A claim is one part of the steady state. It returns why it does not hold, and "" if
// it does.
type claim func(ctx context.Context) string

// await returns when all claims hold. If they do not in time, the error is a
// RefusedError; if the machine may be why, the error says so instead.
func (r *run) await(ctx context.Context, patience time.Duration, claims []claim) error {
	if r.Witness != nil {
		patience = max(patience, witnessed)
	}
	began := time.Now()
	deadline := began.Add(patience)
	for {
		var reasons []string
		for _, holds := range claims {
			ask, cancel := context.WithTimeout(ctx, askTimeout)
			if reason := holds(ask); reason != "" {
				reasons = append(reasons, reason)
			}
			cancel()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case len(reasons) == 0:
			return nil
		case !time.Now().Before(deadline):
			if why := r.machineWhy(ctx, began); why != "" {
				return &stopped{verdict: Inconclusive, reason: strings.Join(reasons, "; ") + "; " + why, machine: true}
			}
			return &RefusedError{r.drill.Name, reasons}
		}
		if !wait.Sleep(ctx, r.poll) {
			return ctx.Err()
		}
	}
}

// machineWhy returns a sentence if the machine may be why a drill cannot begin: it
// fell short since a time, or an alert about it fires. Otherwise it returns "".
func (r *run) machineWhy(ctx context.Context, since time.Time) string {
	if why := r.rec.keptUp(since); why != "" {
		return why
	}
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state, err := r.Alerts.Active(ask)
	if err != nil {
		return ""
	}
	for _, a := range state.Alerts {
		if slices.ContainsFunc(r.Machine, func(p drill.AlertPattern) bool { return p.Matches(a.Labels) }) {
			return drill.AlertName(a.Labels) + " tells that this machine did not keep up"
		}
	}
	return ""
}

// quiet is the claim that no alert for people is pending or firing.
func (r *run) quiet(ctx context.Context) string {
	state, err := r.Alerts.Active(ctx)
	if err == nil {
		err = r.fresh(state)
	}
	if err != nil {
		return fmt.Sprintf("the state of the alerts is unknown: %v", err)
	}
	var loud []string
	for _, a := range state.Alerts {
		if forPeople(a.Labels) && !r.past(a) {
			verb := "is pending"
			if a.Firing {
				verb = "fires"
			}
			loud = append(loud, drill.AlertName(a.Labels)+" "+verb)
		}
	}
	return strings.Join(loud, "; ")
}

// past reports whether the alert fires because of something before the drill and does not
// matter to the drill.
func (r *run) past(a Alert) bool {
	matches := func(p drill.AlertPattern) bool { return p.Matches(a.Labels) }
	expected := func(e drill.AlertExpectation) bool { return e.Matches(a.Labels) }
	if !a.Firing || !slices.ContainsFunc(r.Past, matches) || slices.ContainsFunc(r.drill.Expect.Alerts, expected) {
		return false
	}
	r.rec.noteOfBefore(a.Labels)
	return true
}

// fresh returns an error if rules are no longer evaluated.
func (r *run) fresh(state AlertState) error {
	if state.AsOf.IsZero() {
		return fmt.Errorf("%w: rules have not been evaluated yet", ErrNoData)
	}
	age := time.Since(state.AsOf)
	if r.Witness != nil {
		r.rec.noteLateness(drill.NeedRules, max(0, age))
	}
	if age > r.drill.Expect.Blind {
		return fmt.Errorf("%w: rules were last evaluated %s ago", ErrNoData, age.Round(time.Second))
	}
	return nil
}

// forPeople reports whether the alert notifies anyone.
func forPeople(labels map[string]string) bool { return labels[drill.LabelSeverity] != "none" }

// steady returns the claims that must hold before the faults. They also record the baseline
// values.
func (r *run) steady() []claim {
	began := time.Now().Add(-r.drill.WarmUp)
	var all []claim
	for _, p := range r.rec.probes {
		if p.Mode != drill.During || p.Change != nil {
			all = append(all, func(ctx context.Context) string { return r.steadyProbe(ctx, p, began) })
		}
	}
	for _, s := range r.rec.sights {
		all = append(all, func(ctx context.Context) string {
			if err := r.baseline(ctx, s, began, time.Now()); err != nil {
				return noAnswer(s.Name, err)
			}
			return ""
		})
	}
	return all
}

// steadyProbe asks a probe before the faults. It returns what is wrong with the
// answer; "" if nothing is.
func (r *run) steadyProbe(ctx context.Context, p *trackedProbe, began time.Time) string {
	value, err := r.Prober.Ask(ctx, p.Query, began, time.Now())
	if err != nil {
		return noAnswer(p.Name, err)
	}
	r.rec.noteBefore(p, value)
	switch {
	case p.Change != nil && !(math.Abs(value) > 0):
		return fmt.Sprintf("%q cannot be compared: its value is %s", p.Name, drill.FormatNumber(value))
	case p.Mode != drill.During && !p.Holds(nil, value):
		return fmt.Sprintf("%q does not hold: the value is %s, want %s", p.Name, drill.FormatNumber(value), p.Want())
	}
	return ""
}

// noAnswer returns why a probe or a sight with this name cannot be judged. The name reads like a finding, so it must not
// stand beside the error alone.
func noAnswer(name string, err error) string {
	return fmt.Sprintf("cannot tell whether %q holds: %v", name, err)
}
