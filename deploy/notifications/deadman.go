package notifications

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// The alert that always fires, and the one that this program makes of its silence:
// when Prometheus or Alertmanager is away, neither can tell.
const (
	watchdog       = "Watchdog"
	watchdogSilent = "WatchdogSilent"
)

// DefaultSilence is how long Watchdog may be silent. Alertmanager repeats it every
// 5 to 10 s; for 40 s after Prometheus's last word it still holds it to be firing.
const DefaultSilence = 25 * time.Second

// startGrace is how many times longer it may be silent at first, while everything starts.
const startGrace = 3

// DeadMan is a dead man's switch: it keeps a notification when Watchdog has not
// arrived for too long, and one when it is back.
type DeadMan struct {
	store   *Store
	silence time.Duration
	log     *slog.Logger
	beats   chan bool // whether Watchdog fires

	since  time.Time // of the silence that was told
	silent bool
}

// NewDeadMan returns a switch that does nothing until Run. It takes up the state
// that the store tells of.
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
			if !fires { // Alertmanager has not heard of Prometheus any more
				alarm.Stop()
				d.tell(true, last)
				continue
			}
			last = time.Now()
			alarm.Reset(d.silence)
			d.tell(false, d.since)
		case <-alarm.C:
			d.tell(true, last)
		}
	}
}

// tell keeps a notification if there is news.
func (d *DeadMan) tell(silent bool, since time.Time) {
	if silent == d.silent {
		return
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
		d.log.Error("notification lost", "alert", watchdogSilent, "error", err)
		return
	}
	d.silent, d.since = silent, since
	d.log.Info("notification", "status", n.Status, "alert", watchdogSilent)
}

// ServeHTTP takes Alertmanager's messages about Watchdog. They are not kept: there
// is one every few seconds.
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
