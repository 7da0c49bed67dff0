package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// tracker follows alerts from what Prometheus says of them and what the receiver
// was told.
type tracker struct {
	expected []AlertExpectation
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
		expected := func(e AlertExpectation) bool { return e.Matches(labels) }
		a = &trackedAlert{AlertRun: AlertRun{Labels: labels, Expected: slices.ContainsFunc(t.expected, expected)}}
		t.runs[key.String()] = a
	}
	return a
}

// before notes that an alert fires for what was before the run.
func (r *record) before(labels map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.alerts.run(labels); !a.Before {
		a.Before = true
		r.emit(Event{Kind: EventAlert, State: "of before", Text: alertName(labels), Alert: labels})
	}
}

// saw notes the state of all alerts.
func (r *record) saw(state AlertState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.alerts.gaps.note(now, nil)
	there := map[*trackedAlert]bool{}
	for _, alert := range state.Alerts {
		if !forPeople(alert.Labels) {
			continue
		}
		a := r.alerts.run(alert.Labels)
		there[a], a.onlyTold = true, false
		r.seen(a, alert, now)
	}
	for _, a := range r.alerts.runs {
		if episode := a.open(); episode != nil && !there[a] && !a.onlyTold {
			r.resolved(a, episode, now)
		}
	}
}

// seen notes that an alert is pending or firing.
func (r *record) seen(a *trackedAlert, alert Alert, now time.Time) {
	since := alert.Since
	if since.Before(r.j.Start) || since.After(now) {
		since = now
	}
	episode := a.open()
	if episode == nil {
		a.Episodes = append(a.Episodes, Episode{})
		episode = a.open()
		if !alert.Firing {
			episode.Pending = since
			r.emit(Event{Kind: EventAlert, State: "pending", Text: alertName(a.Labels), Alert: a.Labels})
		}
	}
	if alert.Firing && episode.Firing.IsZero() {
		episode.Firing = since
		r.emit(Event{Kind: EventAlert, State: "firing", Text: alertName(a.Labels), Alert: a.Labels})
	}
}

func (r *record) resolved(a *trackedAlert, episode *Episode, now time.Time) {
	episode.Resolved = now
	state := "resolved"
	if episode.Firing.IsZero() {
		state = "calm" // it was pending, and never fired
	}
	r.emit(Event{Kind: EventAlert, State: state, Text: alertName(a.Labels), Alert: a.Labels})
}

// blind notes that nobody knows what alerts do.
func (r *record) blind(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.alerts.gaps.open
	r.alerts.gaps.note(time.Now(), err)
	if !was && r.alerts.gaps.open {
		r.emit(Event{Kind: EventProblem, State: "blind", Text: "nobody can see what alerts do: " + err.Error()})
	}
}

// told notes all notifications since the run began.
func (r *record) told(all []Notification) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf.note(time.Now(), nil)
	slices.SortStableFunc(all, func(a, b Notification) int { return a.Received.Compare(b.Received) })
	for _, n := range all {
		if forPeople(n.Labels) && !n.Received.Before(r.j.Start) {
			r.toldOne(n)
		}
	}
}

func (r *record) toldOne(n Notification) {
	a := r.alerts.run(n.Labels)
	list, state := &a.Told, "told"
	if n.Resolved {
		list, state = &a.ToldOver, "told resolved"
	}
	if slices.ContainsFunc(*list, n.Received.Equal) {
		return
	}
	*list = append(*list, n.Received)
	r.emit(Event{Kind: EventNotification, State: state, Text: alertName(a.Labels), Alert: a.Labels})
	switch episode := a.open(); {
	case !n.Resolved && len(a.Episodes) == 0:
		a.onlyTold = true
		a.Episodes = []Episode{{Firing: n.Received}}
	case !n.Resolved && episode == nil && a.onlyTold:
		a.Episodes = append(a.Episodes, Episode{Firing: n.Received})
	case n.Resolved && episode != nil && a.onlyTold:
		episode.Resolved = n.Received
	}
}

// untold notes that nobody knows who was told.
func (r *record) untold(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf.note(time.Now(), err)
}

// matching are the alerts that a pattern picks and that fired, in the order in
// which they first did.
func matching(all []AlertRun, p AlertPattern) []AlertRun {
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
