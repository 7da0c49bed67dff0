package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
)

// tracker follows alerts by the state in Prometheus and by the notifications that the
// receiver got.
type tracker struct {
	expected []drill.AlertExpectation
	gaps     gaps
	runs     map[string]*trackedAlert
}

type trackedAlert struct {
	AlertRun
	// onlyTold is true as long as only notifications have shown the alert, as while
	// Prometheus is down. Then they begin and end its episodes.
	onlyTold bool
}

// open returns the episode that has not ended; nil if there is none.
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

// matching returns the alerts that a pattern picks and that fired, sorted by when they
// first fired.
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

// fired returns when the alert first fired; zero if it never did.
func (a AlertRun) fired() time.Time {
	for _, e := range a.Episodes {
		if !e.Firing.IsZero() {
			return e.Firing
		}
	}
	return time.Time{}
}

// times returns how often the alert fired.
func (a AlertRun) times() int {
	n := 0
	for _, e := range a.Episodes {
		if !e.Firing.IsZero() {
			n++
		}
	}
	return n
}

// over returns when the alert last stopped firing; false if it still fires.
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

// snapshot returns all alerts so far, sorted by their labels. The lock is held.
func (t *tracker) snapshot() []AlertRun {
	var out []AlertRun
	for _, key := range slices.Sorted(maps.Keys(t.runs)) {
		a := t.runs[key].AlertRun
		a.Episodes = slices.Clone(a.Episodes)
		out = append(out, a)
	}
	return out
}
