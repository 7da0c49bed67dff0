package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Alertmanager is a client of Alertmanager's HTTP API, version 2.
type Alertmanager struct{ backend backend }

// NewAlertmanager returns a client of the server at base, such as
// http://127.0.0.1:9093. A nil client means http.DefaultClient.
func NewAlertmanager(base string, client *http.Client) (*Alertmanager, error) {
	b, err := newBackend("alertmanager", base, client)
	if err != nil {
		return nil, err
	}
	return &Alertmanager{b}, nil
}

// Alert is one alert in Alertmanager.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Status      struct {
		State       string   `json:"state"` // "active", "suppressed" or "unprocessed"
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status"`
}

// Alerts returns the alerts that are firing, with the silenced and inhibited ones. An empty list is no error.
func (a *Alertmanager) Alerts(ctx context.Context) ([]Alert, error) {
	q := question{path: "/api/v2/alerts"}
	body, err := a.backend.get(ctx, q)
	if err != nil {
		return nil, err
	}
	var all []Alert
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, a.backend.fail(q, fmt.Errorf("decode the alerts: %w", err))
	}
	return all, nil
}
