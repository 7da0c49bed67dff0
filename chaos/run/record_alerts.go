package run

import (
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// beginAlerts notes that alerts and notifications are followed from now on, and
// returns since when notifications count.
func (r *record) beginAlerts() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.alerts.gaps.begin(now)
	r.deaf.begin(now)
	return r.j.Start
}

// noteOfBefore notes that an alert fires because of something before the run.
func (r *record) noteOfBefore(labels map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.alerts.run(labels); !a.Before {
		a.Before = true
		r.emit(Event{Kind: EventAlert, State: StateOfBefore, Text: drill.AlertName(labels), Alert: labels})
	}
}

// noteAlerts notes the state of all alerts.
func (r *record) noteAlerts(state AlertState) {
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
		r.noteAlert(a, alert, now)
	}
	for _, a := range r.alerts.runs {
		if episode := a.open(); episode != nil && !there[a] && !a.onlyTold {
			r.noteResolved(a, episode, now)
		}
	}
}

// noteAlert notes that an alert is pending or firing.
func (r *record) noteAlert(a *trackedAlert, alert Alert, now time.Time) {
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
			r.emit(Event{Kind: EventAlert, State: StatePending, Text: drill.AlertName(a.Labels), Alert: a.Labels})
		}
	}
	if alert.Firing && episode.Firing.IsZero() {
		episode.Firing = since
		r.emit(Event{Kind: EventAlert, State: StateFiring, Text: drill.AlertName(a.Labels), Alert: a.Labels})
	}
}

func (r *record) noteResolved(a *trackedAlert, episode *Episode, now time.Time) {
	episode.Resolved = now
	state := StateResolved
	if episode.Firing.IsZero() {
		state = StateCalm // it was pending, but never fired
	}
	r.emit(Event{Kind: EventAlert, State: state, Text: drill.AlertName(a.Labels), Alert: a.Labels})
}

// noteAlertGap notes that the state of alerts is unknown.
func (r *record) noteAlertGap(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.alerts.gaps.open
	r.alerts.gaps.note(time.Now(), err)
	if !was && r.alerts.gaps.open {
		r.emit(Event{Kind: EventProblem, State: StateBlind, Text: "the state of the alerts is unknown: " + err.Error()})
	}
}

// noteNotifications notes all notifications since the run began.
func (r *record) noteNotifications(all []Notification) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf.note(time.Now(), nil)
	slices.SortStableFunc(all, func(a, b Notification) int { return a.Received.Compare(b.Received) })
	for _, n := range all {
		if forPeople(n.Labels) && !n.Received.Before(r.j.Start) {
			r.noteNotification(n)
		}
	}
}

func (r *record) noteNotification(n Notification) {
	a := r.alerts.run(n.Labels)
	list, state := &a.Told, StateTold
	if n.Resolved {
		list, state = &a.ToldOver, StateToldResolved
	}
	if slices.ContainsFunc(*list, n.Received.Equal) {
		return
	}
	*list = append(*list, n.Received)
	r.emit(Event{Kind: EventNotification, State: state, Text: drill.AlertName(a.Labels), Alert: a.Labels})
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

// noteNotificationGap notes that notifications are unknown.
func (r *record) noteNotificationGap(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf.note(time.Now(), err)
}
