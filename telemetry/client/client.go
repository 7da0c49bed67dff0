// Package client makes HTTP clients that carry the trace on, and measure each
// request: a client span, a duration, and which attempt it was.
//
// Names and attributes are those of OpenTelemetry's HTTP semantic conventions.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
)

// Options describe the peer and bound a request.
type Options struct {
	// Peer names what is called, as service.peer.name and as a label; it must
	// come from the program, never from a request.
	Peer string
	// Timeout bounds a whole request, the reading of the body included. 0: none.
	Timeout time.Duration
	// Base sends the requests; default a clone of http.DefaultTransport.
	Base http.RoundTripper
}

// New returns a client for one peer. Several clients of one service may share a
// Telemetry, each with its own peer or not.
func New(tel *telemetry.Telemetry, opts Options) (*http.Client, error) {
	if opts.Peer == "" {
		return nil, errors.New("make an HTTP client: its peer has no name")
	}
	m, err := newMetrics(tel.Registry())
	if err != nil {
		return nil, fmt.Errorf("make an HTTP client for %q: %w", opts.Peer, err)
	}
	if opts.Base == nil {
		opts.Base = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &http.Client{
		Timeout: opts.Timeout,
		Transport: &transport{
			peer:    opts.Peer,
			next:    opts.Base,
			tracer:  tel.TracerProvider().Tracer("firedrill/telemetry/client"),
			prop:    tel.Propagator(),
			metrics: m,
		},
	}, nil
}

type attemptKey struct{}

// WithAttempt marks the requests made with the context as the n-th repetition of
// a request; 0 is the first try. It becomes http.request.resend_count.
func WithAttempt(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, attemptKey{}, n)
}

func attempt(ctx context.Context) int {
	n, _ := ctx.Value(attemptKey{}).(int)
	return n
}

type transport struct {
	peer    string
	next    http.RoundTripper
	tracer  trace.Tracer
	prop    propagation.TextMapPropagator
	metrics *metrics
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	method, resends := methodOf(req.Method), attempt(req.Context())
	ctx, span := t.tracer.Start(req.Context(), method, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	if span.IsRecording() {
		span.SetAttributes(t.attributes(req, method, resends)...)
	}
	req = req.Clone(ctx) // a transport must not change the request
	t.prop.Inject(ctx, propagation.HeaderCarrier(req.Header))

	resp, err := t.next.RoundTrip(req)
	status := 0
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.RecordError(err)
	} else {
		status = resp.StatusCode
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	failure := errorType(status, err)
	if failure != "" {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(failure))
	}
	t.metrics.observe(ctx, seen{
		peer: t.peer, method: method, status: status, failure: failure, resends: resends, took: time.Since(began),
	})
	return resp, err
}

// attributes are those of
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
func (t *transport) attributes(req *http.Request, method string, resends int) []attribute.KeyValue {
	full := *req.URL
	full.User = nil // credentials stay out
	attrs := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method),
		semconv.URLFull(full.String()),
		semconv.ServerAddress(req.URL.Hostname()),
		semconv.ServerPort(port(req)),
		peerName.String(t.peer),
	}
	if resends > 0 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(resends))
	}
	return attrs
}

// peerName is what Tempo's service graph takes for the name of a peer that has
// no telemetry of its own.
const peerName = attribute.Key("peer.service")

func port(req *http.Request) int {
	if n, err := strconv.Atoi(req.URL.Port()); err == nil {
		return n
	}
	if req.URL.Scheme == "https" {
		return 443
	}
	return 80
}

// errorType is error.type: the status where the answer was an error, else a
// class of what went wrong; empty when nothing did. It is bounded.
func errorType(status int, err error) string {
	var netErr net.Error
	var dns *net.DNSError
	switch {
	case err == nil && status >= http.StatusBadRequest:
		return strconv.Itoa(status)
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "name_resolution"
	default:
		return "connection"
	}
}

func methodOf(name string) string {
	switch name {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch,
		http.MethodHead, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return name
	default:
		return "_OTHER"
	}
}

// metrics are shared by all the clients of a service.
type metrics struct {
	duration *prometheus.HistogramVec
	resends  *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "http_client_request_duration_seconds",
			Help:                            "Duration of HTTP requests to a peer, until its answer's headers.",
			Buckets:                         []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"peer", "http_request_method", "http_response_status_code", "error_type"}),
		resends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_client_resends_total", Help: "Requests to a peer that repeat an earlier one.",
		}, []string{"peer", "http_request_method"}),
	}
	err := errors.Join(shared(registry, &m.duration), shared(registry, &m.resends))
	return m, err
}

// shared registers the collector or takes the one that an earlier client did.
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

// seen is one request as the metrics see it.
type seen struct {
	peer, method, failure string
	status, resends       int
	took                  time.Duration
}

func (m *metrics) observe(ctx context.Context, s seen) {
	code := ""
	if s.status > 0 {
		code = strconv.Itoa(s.status)
	}
	if s.resends > 0 {
		m.resends.WithLabelValues(s.peer, s.method).Inc()
	}
	duration := m.duration.WithLabelValues(s.peer, s.method, code, s.failure)
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsSampled() {
		duration.Observe(s.took.Seconds())
		return
	}
	duration.(prometheus.ExemplarObserver).ObserveWithExemplar(s.took.Seconds(), prometheus.Labels{
		"trace_id": sc.TraceID().String(), "span_id": sc.SpanID().String(),
	})
}
