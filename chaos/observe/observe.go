// Package observe asks the backends of a stack for a drill. It answers probes with the
// APIs of Prometheus, Loki, Tempo and the services, follows alerts through Prometheus
// and the receiver of notifications, and fetches the charts of a report.
//
// It must not know how a drill runs, nor judge what it finds.
package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/backend"
)

// Limits of queries.
const (
	mostLines  = 1000
	mostTraces = 20 // maximum number of traces that a search returns
	wholeTrees = 5  // maximum number of traces that are fetched
	// httpTimeout is shorter than a run's time limit for a query. So a service that hangs
	// gives an answer, which is 0.
	httpTimeout = 4 * time.Second
)

// Config has the addresses of a stack. All URLs are base URLs.
type Config struct {
	Prometheus, Loki, Tempo string
	Notifications           string
	Places                  map[string]string // values of ${NAME} in HTTP probes
	// Fresh is the maximum age of a sample that counts as current; 0 means 15 s.
	Fresh  time.Duration
	Charts []Chart // nil: DefaultCharts
	Client *http.Client
}

// Eyes ask the backends of a stack. They implement run.Prober, run.Alerts and
// run.Charter, and are safe for concurrent use.
type Eyes struct {
	prometheus *backend.Prometheus
	loki       *backend.Loki
	tempo      *backend.Tempo
	config     Config
}

// New returns Eyes for a stack. It sends no request yet.
func New(c Config) (*Eyes, error) {
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Fresh == 0 {
		c.Fresh = 15 * time.Second
	}
	if c.Charts == nil {
		c.Charts = DefaultCharts()
	}
	prometheus, err := backend.NewPrometheus(c.Prometheus, c.Client)
	if err != nil {
		return nil, err
	}
	loki, err := backend.NewLoki(c.Loki, c.Client)
	if err != nil {
		return nil, err
	}
	tempo, err := backend.NewTempo(c.Tempo, c.Client)
	if err != nil {
		return nil, err
	}
	return &Eyes{prometheus, loki, tempo, c}, nil
}

// Ask implements run.Prober.
func (e *Eyes) Ask(ctx context.Context, q drill.Query, from, to time.Time) (float64, error) {
	switch q.Language {
	case drill.PromQL:
		vector, err := e.prometheus.QueryFresh(ctx, q.Text, to, e.config.Fresh)
		if err != nil {
			return 0, err
		}
		return one(q.Text, len(vector), func() float64 { return float64(vector[0].Value) })
	case drill.LogQL:
		return e.logs(ctx, q.Text, from, to)
	case drill.TraceQL:
		found, err := e.tempo.Search(ctx, q.Text, from, until(to), mostTraces)
		return float64(len(found)), err
	case drill.HTTP:
		return e.status(ctx, q.Text)
	}
	return 0, fmt.Errorf("ask %q: %q is no language", q.Text, q.Language)
}

// one returns the only number of an answer.
func one(text string, n int, value func() float64) (float64, error) {
	switch n {
	case 0:
		return 0, run.ErrNoData
	case 1:
		return value(), nil
	}
	return 0, fmt.Errorf("ask %q: %d series came: want one, so sum or take the worst of them", text, n)
}

// until returns the end of a search. Tempo takes whole seconds.
func until(to time.Time) time.Time { return to.Add(time.Second) }

// logs counts log lines, or evaluates a query that returns numbers.
func (e *Eyes) logs(ctx context.Context, logql string, from, to time.Time) (float64, error) {
	if strings.HasPrefix(strings.TrimSpace(logql), "{") {
		lines, err := e.loki.Lines(ctx, logql, from, to, mostLines)
		return float64(len(lines)), err
	}
	vector, err := e.loki.Query(ctx, logql, to)
	if err != nil {
		return 0, err
	}
	return one(logql, len(vector), func() float64 { return float64(vector[0].Value) })
}

var place = regexp.MustCompile(`\$\{([^}]*)\}`)

// status returns the HTTP status of the answer to a request; 0 if there is none.
func (e *Eyes) status(ctx context.Context, text string) (float64, error) {
	method, address, _ := strings.Cut(text, " ")
	for _, found := range place.FindAllStringSubmatch(address, -1) {
		base, known := e.config.Places[found[1]]
		if !known {
			return 0, fmt.Errorf("ask %q: nobody knows where %q is", text, found[1])
		}
		address = strings.ReplaceAll(address, found[0], base)
	}
	limited, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, method, address, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ask %q: %w", text, err)
	}
	resp, err := e.config.Client.Do(req)
	if ctx.Err() != nil {
		return 0, ctx.Err() // the query was cancelled
	}
	if err != nil {
		return 0, nil // no answer counts as the status 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be reused
	return float64(resp.StatusCode), nil
}

// Traces implements run.Prober. It fetches those of the found traces that have the most
// matching spans.
func (e *Eyes) Traces(ctx context.Context, traceql string, from, to time.Time) ([]backend.Trace, error) {
	found, err := e.tempo.Search(ctx, traceql, from, until(to), mostTraces)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b backend.Found) int { return b.Matched - a.Matched })
	var traces []backend.Trace
	for _, f := range found[:min(len(found), wholeTrees)] {
		trace, err := e.tempo.Trace(ctx, f.TraceID)
		if errors.Is(err, backend.ErrNotFound) {
			continue // not complete yet
		}
		if err != nil {
			return nil, err
		}
		traces = append(traces, trace)
	}
	return traces, nil
}

// Notified implements run.Alerts.
func (e *Eyes) Notified(ctx context.Context, since time.Time) ([]run.Notification, error) {
	address := e.config.Notifications + "/notifications?since=" + url.QueryEscape(since.Format(time.RFC3339Nano)) +
		"&limit=" + strconv.Itoa(mostLines)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask for notifications: %w", err)
	}
	resp, err := e.config.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for notifications: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s for notifications: %s", e.config.Notifications, resp.Status)
	}
	var all []struct {
		Received time.Time
		Status   string
		Labels   map[string]string
	}
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return nil, fmt.Errorf("read notifications from %s: %w", e.config.Notifications, err)
	}
	out := make([]run.Notification, len(all))
	for i, n := range all {
		out[i] = run.Notification{Labels: n.Labels, Resolved: n.Status == "resolved", Received: n.Received}
	}
	return out, nil
}
