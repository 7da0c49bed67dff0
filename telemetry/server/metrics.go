package server

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// DurationBuckets are the upper bounds of http_server_request_duration_seconds,
// as OpenTelemetry's semantic conventions advise.
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
func DurationBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
}

const (
	nativeFactor  = 1.1
	nativeBuckets = 100

	// One exemplar a bucket and this time is as good as one a request: a scrape
	// takes the last one only, and making one costs ten allocations.
	exemplarEvery = 100 * time.Millisecond
)

// method is a request method as label and index.
type method struct {
	name  string
	index int
}

const otherMethod = "_OTHER"

var methods = func() (all []*method) {
	for i, name := range []string{
		fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodDelete, fiber.MethodPatch,
		fiber.MethodHead, fiber.MethodOptions, fiber.MethodConnect, fiber.MethodTrace, otherMethod,
	} {
		all = append(all, &method{name, i})
	}
	return all
}()

func methodOf(name string) *method {
	for _, m := range methods {
		if m.name == name {
			return m
		}
	}
	return methods[len(methods)-1]
}

// metrics are those of one server. Their labels are what the semantic
// conventions require and nothing that a client chooses.
type metrics struct {
	duration, in, out *prometheus.HistogramVec
	panics            *prometheus.CounterVec
	active            []prometheus.Gauge // by method
	bounds            []float64
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	labels := []string{"http_request_method", "http_route", "http_response_status_code", "url_scheme", "error_type"}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor:     nativeFactor,
			NativeHistogramMaxBucketNumber:  nativeBuckets,
			NativeHistogramMinResetDuration: time.Hour,
		}, labels)
	}
	sizes := []float64{0, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20}
	m := &metrics{
		duration: histogram("http_server_request_duration_seconds", "Duration of HTTP requests.", DurationBuckets()),
		in:       histogram("http_server_request_body_size_bytes", "Size of the bodies of HTTP requests.", sizes),
		out:      histogram("http_server_response_body_size_bytes", "Size of the bodies of HTTP responses.", sizes),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_panics_total", Help: "Panics in handlers, answered with 500.",
		}, []string{"http_request_method", "http_route"}),
		bounds: DurationBuckets(),
	}
	active := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "http_server_active_requests", Help: "HTTP requests under way.",
	}, []string{"http_request_method"})
	var errs []error
	for _, c := range []prometheus.Collector{m.duration, m.in, m.out, m.panics, active} {
		errs = append(errs, registry.Register(c))
	}
	for _, method := range methods {
		m.active = append(m.active, active.WithLabelValues(method.name))
	}
	return m, errors.Join(errs...)
}

// series are the histograms of one route and status.
type series struct {
	status            int
	tls               bool
	code, scheme      string
	duration, in, out prometheus.Observer
	bounds            []float64
	exemplars         []atomic.Int64 // when each bucket got its last, in ns
}

func (m *metrics) series(r *route, status int, tls bool) *series {
	scheme, code, errorType := "http", strconv.Itoa(status), ""
	if tls {
		scheme = "https"
	}
	if status >= fiber.StatusInternalServerError {
		errorType = code
	}
	labels := []string{r.method, r.template, code, scheme, errorType}
	return &series{
		status: status, tls: tls, code: code, scheme: scheme,
		duration:  m.duration.WithLabelValues(labels...),
		in:        m.in.WithLabelValues(labels...),
		out:       m.out.WithLabelValues(labels...),
		bounds:    m.bounds,
		exemplars: make([]atomic.Int64, len(m.bounds)+1),
	}
}

func (s *series) observe(took time.Duration, in, out int, sc trace.SpanContext) {
	s.observeDuration(took, sc)
	if in >= 0 {
		s.in.Observe(float64(in))
	}
	if out >= 0 {
		s.out.Observe(float64(out))
	}
}

// observeDuration adds an exemplar when the trace can be found: when it is sampled.
func (s *series) observeDuration(took time.Duration, sc trace.SpanContext) {
	seconds := took.Seconds()
	if !sc.IsSampled() {
		s.duration.Observe(seconds)
		return
	}
	bucket := 0
	for bucket < len(s.bounds) && seconds > s.bounds[bucket] {
		bucket++
	}
	now, last := time.Now().UnixNano(), s.exemplars[bucket].Load()
	if now-last < int64(exemplarEvery) || !s.exemplars[bucket].CompareAndSwap(last, now) {
		s.duration.Observe(seconds)
		return
	}
	s.duration.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{
		"trace_id": sc.TraceID().String(),
		"span_id":  sc.SpanID().String(),
	})
}
