package notifications

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxBody is the largest message of Alertmanager that is accepted, in bytes.
const maxBody = 4 << 20

// defaultLimit is the number of notifications in an answer to a request without a limit.
const defaultLimit = 1000

// message is the part of Alertmanager's webhook format (version 4) that is stored.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type message struct {
	Alerts []struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	} `json:"alerts"`
}

type server struct {
	store    *Store
	now      func() time.Time
	log      *slog.Logger
	received *prometheus.CounterVec
}

// Handler returns a handler for these routes:
//
//	POST /webhook         messages of Alertmanager; 200 when they are stored, otherwise Alertmanager sends them again
//	POST /watchdog        messages of Alertmanager about Watchdog, for the dead man's switch
//	GET  /notifications   a JSON array, newest first; ?since= takes RFC 3339 or Unix seconds, ?limit= a count
//	GET  /healthz         200
//	GET  /metrics         notifications_received_total by status
func Handler(store *Store, deadMan *DeadMan, registry *prometheus.Registry, now func() time.Time, log *slog.Logger) (http.Handler, error) {
	s := server{store: store, now: now, log: log, received: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "notifications_received_total", Help: "Alerts in messages from Alertmanager that were kept.",
	}, []string{"status"})}
	if err := registry.Register(s.received); err != nil {
		return nil, fmt.Errorf("register metrics of notifications: %w", err)
	}
	for _, status := range []string{"firing", "resolved"} {
		s.received.WithLabelValues(status)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", s.receive)
	mux.Handle("POST /watchdog", deadMan)
	mux.HandleFunc("GET /notifications", s.list)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux, nil
}

func (s server) receive(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&m); err != nil {
		http.Error(w, "not a message of Alertmanager: "+err.Error(), http.StatusBadRequest)
		return
	}
	now := s.now().UTC()
	var all []Notification
	for _, a := range m.Alerts {
		if !known(a.Status) {
			http.Error(w, fmt.Sprintf("unknown status %q", a.Status), http.StatusBadRequest)
			return
		}
		n := Notification{
			Received: now, Status: a.Status, Labels: a.Labels, Annotations: a.Annotations,
			StartsAt: a.StartsAt, Fingerprint: a.Fingerprint, GeneratorURL: a.GeneratorURL,
		}
		if a.Status == "resolved" { // for a firing alert, EndsAt is the time at which it would expire
			n.EndsAt = a.EndsAt
		}
		all = append(all, n)
	}
	if err := s.store.Add(all...); err != nil {
		s.log.Error("notifications lost unless sent again", "notifications", len(all), "error", err)
		http.Error(w, "cannot keep notifications", http.StatusInternalServerError)
		return
	}
	for _, a := range all {
		s.received.WithLabelValues(a.Status).Inc()
		s.log.Info("notification", "status", a.Status, "alert", a.Labels["alertname"], "labels", a.Labels)
	}
}

func (s server) list(w http.ResponseWriter, r *http.Request) {
	since, err := parseSince(r.URL.Query().Get("since"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	limit := defaultLimit
	if text := r.URL.Query().Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			http.Error(w, fmt.Sprintf("limit %q is not a count", text), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(s.store.Since(since, limit)); err != nil {
		s.log.Warn("notifications not sent to a client", "error", err)
	}
}

func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("since %q is neither RFC 3339 nor Unix seconds", text)
	}
	return time.UnixMilli(int64(seconds * 1000)), nil
}
