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

// The counters that must grow, or must not. Health checks are left out, as
// nobody's request makes them. A histogram counts once, whether Prometheus keeps
// it as a native one, as a classic one, or both.
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

// before is what Prometheus held when no request had been sent.
type before struct {
	err     error                   // it could not be read
	scraped map[string]bool         // jobs that were scraped after the run began
	values  map[string]model.Vector // by query
}

// readBefore reads the counters as of a scrape after the run began, so that what
// others sent before is not taken for the run's.
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

// selector picks series of a counter. A value that ends in "*" is a prefix.
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

// growth is by how much a counter changed since before the first request.
type growth struct {
	by     float64
	total  float64
	series int // how many there are now
}

// grew asks for the growth of a counter. The finding is of use when ok is false:
// there is no growth to speak of.
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

// grewBy holds when the counter grew by at least what the run caused. Others may
// use the shop too, so more is fine.
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

// unix converts seconds, as PromQL's timestamp() gives them.
func unix(seconds model.SampleValue) time.Time {
	return time.UnixMilli(int64(seconds * 1000))
}
