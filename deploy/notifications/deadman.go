package notifications

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// Watchdog is the alert that always fires. WatchdogSilent is the alert that this program creates when Watchdog
// stops arriving: if Prometheus or Alertmanager is down, neither can send an alert.
const (
	watchdog       = "Watchdog"
	watchdogSilent = "WatchdogSilent"
)

// DefaultSilence is how long Watchdog may be silent. Alertmanager repeats it every 5 to 10 s. After the last
// message of Prometheus, Alertmanager treats it as firing for another 40 s.
const DefaultSilence = 25 * time.Second

// startGrace is a factor: Watchdog may be silent for so many times longer at first, while everything starts.
const startGrace = 3

// DeadMan is a dead man's switch. It stores a notification when Watchdog has not arrived for too long, and
// another when Watchdog is back.
type DeadMan struct {
	store   *Store
	silence time.Duration
	log     *slog.Logger
	beats   chan bool // true if Watchdog fires

	since  time.Time // start of the silence in the last notification
	silent bool
}

// NewDeadMan returns a switch that does nothing until Run is called. Its state is that of the last notification
// in the store.
func NewDeadMan(store *Store, silence time.Duration, log *slog.Logger) *DeadMan {
	d := &DeadMan{store: store, silence: silence, log: log, beats: make(chan bool)}
	for _, n := range store.Since(time.Time{}, store.limits.Recent) {
		if n.Labels["alertname"] == watchdogSilent {
			d.silent, d.since = n.Status == "firing", n.StartsAt
			break
		}
	}
	return d
}

// Run watches until ctx ends.
func (d *DeadMan) Run(ctx context.Context) {
	last := time.Now()
	alarm := time.NewTimer(startGrace * d.silence)
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case fires := <-d.beats:
			if !fires { // Alertmanager gets no alerts from Prometheus any more
				alarm.Reset(0)
				continue
			}
			last = time.Now()
			alarm.Reset(d.silence)
			d.tell(false, d.since)
		case <-alarm.C:
			if !d.tell(true, last) { // such as on a full disk
				alarm.Reset(d.silence)
			}
		}
	}
}

// tell stores a notification if the state has changed. It returns false if it could not.
func (d *DeadMan) tell(silent bool, since time.Time) bool {
	if silent == d.silent {
		return true
	}
	now := time.Now().UTC()
	n := Notification{
		Received: now, Status: "firing", StartsAt: since.UTC(), Fingerprint: watchdogSilent,
		Labels: map[string]string{"alertname": watchdogSilent, "severity": "page", "job": "notifications"},
		Annotations: map[string]string{
			"summary":     "No alert can arrive",
			"description": "Watchdog, which always fires, has not arrived for " + now.Sub(since).Round(time.Second).String() + ": Prometheus, Alertmanager or the way between them is broken.",
			"runbook":     "docs/runbooks/WatchdogSilent.md",
		},
	}
	if !silent {
		n.Status, n.EndsAt = "resolved", now
	}
	if err := d.store.Add(n); err != nil {
		d.log.Error("notification not stored, which is tried again", "alert", watchdogSilent, "error", err)
		return false
	}
	d.silent, d.since = silent, since
	d.log.Info("notification", "status", n.Status, "alert", watchdogSilent)
	return true
}

// ServeHTTP receives Alertmanager's messages about Watchdog. They are not stored, because there is one every
// few seconds.
func (d *DeadMan) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&m); err != nil {
		http.Error(w, "not a message of Alertmanager: "+err.Error(), http.StatusBadRequest)
		return
	}
	for _, a := range m.Alerts {
		if a.Labels["alertname"] != watchdog {
			continue
		}
		select {
		case d.beats <- a.Status == "firing":
		case <-r.Context().Done():
			return
		}
	}
}
