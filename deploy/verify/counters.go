package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/internal/wait"
)

// Queries of the counters that must grow, or must not. Health checks are left out, because they do not come
// from requests of users. A histogram is counted once, whether Prometheus stores it as native, as classic, or
// as both.
const (
	serverRequests = `sum by (job, http_request_method, http_response_status_code) (` +
		`histogram_count(http_server_request_duration_seconds{http_route!~"/healthz|/readyz"})` +
		` or http_server_request_duration_seconds_count{http_route!~"/healthz|/readyz"})`
	clientRequests = `sum by (job, peer, http_request_method, http_response_status_code) (` +
		`histogram_count(http_client_request_duration_seconds) or http_client_request_duration_seconds_count)`
	graphRequests = `sum by (client, server, connection_type) (traces_service_graph_request_total)`
	spanCalls     = `sum by (service) (traces_spanmetrics_calls_total)`
	droppedItems  = `sum by (job, signal) (telemetry_dropped_items_total)`
)

func counters() []string {
	return []string{serverRequests, clientRequests, graphRequests, spanCalls, droppedItems}
}

// scrapeWait is how long the first reading waits for a scrape of every service.
const scrapeWait = 10 * time.Second

// before holds the values in Prometheus before the first request was sent.
type before struct {
	err     error                   // why the values could not be read
	scraped map[string]bool         // jobs that were scraped after the run began
	values  map[string]model.Vector // by query
}

// readBefore reads the counters after a scrape that followed the start of the run. Requests that others sent
// earlier are thus not counted as the run's.
func (r *run) readBefore(ctx context.Context) before {
	ctx, cancel := context.WithTimeout(ctx, min(scrapeWait, r.cfg.Timeout/4))
	defer cancel()
	var b before
	for {
		next, err := r.readOnce(ctx)
		if err == nil {
			b = next
		} else if b.values == nil {
			b.err = err
		}
		if b.err == nil && len(b.scraped) >= len(services()) || !wait.Sleep(ctx, pause/2) {
			return b
		}
	}
}

func (r *run) readOnce(ctx context.Context) (before, error) {
	b := before{scraped: map[string]bool{}, values: map[string]model.Vector{}}
	at, err := r.on.prometheus.Query(ctx, "min by (job) (timestamp(up))", time.Now())
	if err != nil {
		return before{}, err
	}
	for _, s := range services() {
		for _, sample := range at {
			if string(sample.Metric["job"]) == s && !unix(sample.Value).Before(r.began) {
				b.scraped[s] = true
			}
		}
	}
	for _, q := range counters() {
		if b.values[q], err = r.on.prometheus.Query(ctx, q, time.Now()); err != nil {
			return before{}, err
		}
	}
	return b, nil
}

// selector selects series of a counter by their labels. A value that ends in "*" is a prefix.
type selector map[model.LabelName]string

func (s selector) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, s[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (s selector) matches(m model.Metric) bool {
	for name, want := range s {
		got := string(m[name])
		if prefix, ok := strings.CutSuffix(want, "*"); ok && strings.HasPrefix(got, prefix) {
			continue
		}
		if got != want {
			return false
		}
	}
	return true
}

func (s selector) sum(v model.Vector) (total float64, series int) {
	for _, sample := range v {
		if s.matches(sample.Metric) {
			total += float64(sample.Value)
			series++
		}
	}
	return total, series
}

// growth is how much a counter has changed since before the first request.
type growth struct {
	by     float64
	total  float64
	series int // number of series now
}

// grew queries the growth of a counter. If ok is false, no growth is known, and the finding says why.
func (r *run) grew(ctx context.Context, counter string, sel selector) (g growth, f finding, ok bool) {
	asked := fmt.Sprintf("prometheus: %s, of it %v", counter, sel)
	if r.before.err != nil {
		return g, moot("the counters could not be read before the requests: %v", r.before.err), false
	}
	if job, scraped := sel["job"]; scraped && !r.before.scraped[job] {
		return g, moot("prometheus had no scrape of %s between the start and the first request", job), false
	}
	now, err := r.on.prometheus.Query(ctx, counter, time.Now())
	if err != nil {
		return g, lacks(asked, "%v", err), false
	}
	g.total, g.series = sel.sum(now)
	earlier, _ := sel.sum(r.before.values[counter])
	g.by = g.total - earlier
	if g.series == 0 {
		return g, lacks(asked, "no such series"), false
	}
	return g, finding{asked: asked}, true
}

// grewBy checks that the counter grew by at least what the run caused. More is fine, because others may use the
// shop too.
func (r *run) grewBy(ctx context.Context, counter string, sel selector, least int) finding {
	if least == 0 {
		return moot("the run sent nothing that would count here")
	}
	g, f, ok := r.grew(ctx, counter, sel)
	if !ok {
		return f
	}
	if g.by < float64(least) {
		return lacks(f.asked, "it grew by %g to %g, want at least %d", g.by, g.total, least)
	}
	return holds(f.asked, "it grew by %g to %g, want at least %d", g.by, g.total, least)
}

// unix converts seconds since 1970, as PromQL's timestamp() returns them, to a time.
func unix(seconds model.SampleValue) time.Time {
	return time.UnixMilli(int64(seconds * 1000))
}
