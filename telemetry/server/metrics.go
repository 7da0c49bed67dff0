package server

import (
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry/internal/latency"
)

// method is a request method: its label value and its index in methods.
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

// metrics are the metrics of one server. The labels are the ones that the
// semantic conventions require. Clients cannot choose their values.
type metrics struct {
	duration, in, out *prometheus.HistogramVec
	panics            *prometheus.CounterVec
	active            [][2]prometheus.Gauge // by method, then by scheme
}

// schemes are the label values of url_scheme. schemeOf returns the index.
var schemes = [...]string{"http", "https"}

func schemeOf(tls bool) int {
	if tls {
		return 1
	}
	return 0
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	labels := []string{"http_request_method", "http_route", "http_response_status_code", "url_scheme", "error_type"}
	histogram := func(name, unit, help string, buckets []float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(latency.Options(name, unit, help, buckets), labels)
	}
	sizes := []float64{0, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20}
	m := &metrics{
		duration: histogram("http_server_request_duration_seconds", "seconds", "Duration of HTTP server requests.", latency.Buckets()),
		in:       histogram("http_server_request_body_size_bytes", "bytes", "Size of HTTP server request bodies.", sizes),
		out:      histogram("http_server_response_body_size_bytes", "bytes", "Size of HTTP server response bodies.", sizes),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_panics_total", Help: "Panics in handlers, answered with 500.",
		}, []string{"http_request_method", "http_route"}),
	}
	active := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "http_server_active_requests", Help: "Number of active HTTP server requests.",
	}, []string{"http_request_method", "url_scheme"})
	var errs []error
	for _, c := range []prometheus.Collector{m.duration, m.in, m.out, m.panics, active} {
		errs = append(errs, registry.Register(c))
	}
	for _, method := range methods {
		m.active = append(m.active, [...]prometheus.Gauge{
			active.WithLabelValues(method.name, schemes[0]), active.WithLabelValues(method.name, schemes[1]),
		})
	}
	return m, errors.Join(errs...)
}

// series holds the histograms of one route and status.
type series struct {
	status       int
	tls          bool
	code, scheme string
	duration     *latency.Observer
	in, out      prometheus.Observer
}

func (m *metrics) series(r *route, status int, tls bool) *series {
	scheme, code, errorType := schemes[schemeOf(tls)], strconv.Itoa(status), ""
	if status >= fiber.StatusInternalServerError {
		errorType = code
	}
	labels := []string{r.method, r.template, code, scheme, errorType}
	return &series{
		status: status, tls: tls, code: code, scheme: scheme,
		duration: latency.NewObserver(m.duration.WithLabelValues(labels...)),
		in:       m.in.WithLabelValues(labels...),
		out:      m.out.WithLabelValues(labels...),
	}
}

func (s *series) observe(took time.Duration, in, out int, sc trace.SpanContext) {
	s.duration.Observe(took, sc)
	if in >= 0 {
		s.in.Observe(float64(in))
	}
	if out >= 0 {
		s.out.Observe(float64(out))
	}
}
