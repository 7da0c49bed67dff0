package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
)

// tracker follows alerts from what Prometheus says of them and what the receiver
// was told.
type tracker struct {
	expected []drill.AlertExpectation
	gaps     gaps
	runs     map[string]*trackedAlert
}

type trackedAlert struct {
	AlertRun
	// onlyTold: Prometheus has never shown it, as it shows nothing when it is down;
	// then notifications begin and end it.
	onlyTold bool
}

// open is the episode that has not ended, nil if none.
func (a *trackedAlert) open() *Episode {
	if n := len(a.Episodes); n > 0 && a.Episodes[n-1].Resolved.IsZero() {
		return &a.Episodes[n-1]
	}
	return nil
}

// run returns what is known of the alert with these labels.
func (t *tracker) run(labels map[string]string) *trackedAlert {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&key, "%s=%q,", name, labels[name])
	}
	if t.runs == nil {
		t.runs = map[string]*trackedAlert{}
	}
	a, known := t.runs[key.String()]
	if !known {
		expected := func(e drill.AlertExpectation) bool { return e.Matches(labels) }
		a = &trackedAlert{AlertRun: AlertRun{Labels: labels, Expected: slices.ContainsFunc(t.expected, expected)}}
		t.runs[key.String()] = a
	}
	return a
}

// matching are the alerts that a pattern picks and that fired, in the order in
// which they first did.
func matching(all []AlertRun, p drill.AlertPattern) []AlertRun {
	var out []AlertRun
	for _, a := range all {
		if p.Matches(a.Labels) && !a.fired().IsZero() {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b AlertRun) int { return a.fired().Compare(b.fired()) })
	return out
}

// fired is when the alert first fired; zero if it never did.
func (a AlertRun) fired() time.Time {
	for _, e := range a.Episodes {
		if !e.Firing.IsZero() {
			return e.Firing
		}
	}
	return time.Time{}
}

// times is how often it fired.
func (a AlertRun) times() int {
	n := 0
	for _, e := range a.Episodes {
		if !e.Firing.IsZero() {
			n++
		}
	}
	return n
}

// over is when it last ceased to fire; false if it still fires.
func (a AlertRun) over() (time.Time, bool) {
	var last time.Time
	for _, e := range a.Episodes {
		switch {
		case e.Firing.IsZero():
		case e.Resolved.IsZero():
			return time.Time{}, false
		default:
			last = e.Resolved
		}
	}
	return last, true
}

// snapshot of all alerts so far, by name. The lock is held.
func (t *tracker) snapshot() []AlertRun {
	var out []AlertRun
	for _, key := range slices.Sorted(maps.Keys(t.runs)) {
		a := t.runs[key].AlertRun
		a.Episodes = slices.Clone(a.Episodes)
		out = append(out, a)
	}
	return out
}
