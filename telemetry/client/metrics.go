package client

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry/internal/latency"
)

// metrics records the requests to one peer. All clients of a service share the
// metric families.
type metrics struct {
	peer     string
	duration *prometheus.HistogramVec
	resends  *prometheus.CounterVec

	mu     sync.Mutex
	series map[seen]*latency.Observer
}

// seen holds the label values of one request. The number of combinations is
// bounded: the status has three digits, method and failure have fixed sets of
// values.
type seen struct {
	method, failure string // 0 without a response
	status          int    // 0 without an answer
}

func newMetrics(registry *prometheus.Registry, peer string) (*metrics, error) {
	m := &metrics{
		peer: peer,
		duration: prometheus.NewHistogramVec(
			latency.Options("http_client_request_duration_seconds", "seconds",
				"Duration of HTTP client requests, until the response headers arrive.", latency.Buckets()),
			[]string{"peer", "http_request_method", "http_response_status_code", "error_type"}),
		resends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_client_resends_total", Help: "HTTP client requests that retry an earlier one.",
		}, []string{"peer", "http_request_method"}),
		series: map[seen]*latency.Observer{},
	}
	err := errors.Join(shared(registry, &m.duration), shared(registry, &m.resends))
	return m, err
}

// shared registers *c, or sets it to the collector that an earlier client
// registered.
func shared[C prometheus.Collector](registry *prometheus.Registry, c *C) error {
	var known prometheus.AlreadyRegisteredError
	err := registry.Register(*c)
	if !errors.As(err, &known) {
		return err
	}
	earlier, ok := known.ExistingCollector.(C)
	if !ok {
		return err
	}
	*c = earlier
	return nil
}

func (m *metrics) observe(s seen, resends int, took time.Duration, sc trace.SpanContext) {
	if resends > 0 {
		m.resends.WithLabelValues(m.peer, s.method).Inc()
	}
	m.observer(s).Observe(took, sc)
}

func (m *metrics) observer(s seen) *latency.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.series[s]
	if !ok {
		code := ""
		if s.status > 0 {
			code = strconv.Itoa(s.status)
		}
		found = latency.NewObserver(m.duration.WithLabelValues(m.peer, s.method, code, s.failure))
		m.series[s] = found
	}
	return found
}
