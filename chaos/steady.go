package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A claim is one part of the steady state. It returns why it does not hold, "" if
// it does.
type claim func(ctx context.Context) string

// await returns when all claims hold, and a RefusedError if they do not in time.
func (r *run) await(ctx context.Context, patience time.Duration, claims []claim) error {
	deadline := time.Now().Add(patience)
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
			return &RefusedError{r.drill.Name, reasons}
		}
		if !sleep(ctx, r.poll) {
			return ctx.Err()
		}
	}
}

// quiet is the claim that no alert for people is pending or firing.
func (r *run) quiet(ctx context.Context) string {
	state, err := r.Alerts.Active(ctx)
	if err == nil {
		err = r.fresh(state)
	}
	if err != nil {
		return fmt.Sprintf("nobody can see what alerts do: %v", err)
	}
	var loud []string
	for _, a := range state.Alerts {
		if forPeople(a.Labels) && !r.past(a) {
			verb := "is pending"
			if a.Firing {
				verb = "fires"
			}
			loud = append(loud, alertName(a.Labels)+" "+verb)
		}
	}
	return strings.Join(loud, "; ")
}

// past is whether the alert fires for what was before the drill and does not matter
// to it.
func (r *run) past(a Alert) bool {
	matches := func(p AlertPattern) bool { return p.Matches(a.Labels) }
	expected := func(e AlertExpectation) bool { return e.Matches(a.Labels) }
	if !a.Firing || !slices.ContainsFunc(r.Past, matches) || slices.ContainsFunc(r.drill.Expect.Alerts, expected) {
		return false
	}
	r.rec.before(a.Labels)
	return true
}

// fresh is an error if rules are not evaluated any more.
func (r *run) fresh(state AlertState) error {
	if age := time.Since(state.AsOf); age > r.drill.Expect.Blind {
		return fmt.Errorf("%w: rules were last evaluated %s ago", ErrNoData, age.Round(time.Second))
	}
	return nil
}

// forPeople is whether somebody would be told of the alert.
func forPeople(labels map[string]string) bool { return labels[labelSeverity] != "none" }

// steady are the claims that must hold before anything is broken. They also take
// the values that the faults' time is compared with.
func (r *run) steady() []claim {
	began := time.Now().Add(-r.drill.WarmUp)
	var all []claim
	for _, p := range r.rec.probes {
		if p.Mode != During {
			all = append(all, func(ctx context.Context) string {
				value, err := r.Prober.Ask(ctx, p.Query, began, time.Now())
				if err != nil {
					return fmt.Sprintf("%q: %v", p.Name, err)
				}
				if r.rec.first(p, value); !p.Is.Holds(value) {
					return fmt.Sprintf("%q: it is %s, want %s", p.Name, formatNumber(value), p.Is)
				}
				return ""
			})
		}
	}
	for _, s := range r.rec.sights {
		all = append(all, func(ctx context.Context) string {
			if err := r.baseline(ctx, s, began, time.Now()); err != nil {
				return fmt.Sprintf("%q: %v", s.Name, err)
			}
			return ""
		})
	}
	return all
}
