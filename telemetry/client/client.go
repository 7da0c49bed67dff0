// Package client makes HTTP clients that propagate the trace context and
// measure each request. A request gets a client span, a duration and a retry
// count.
//
// Metric and attribute names follow OpenTelemetry's HTTP semantic conventions.
// The package must not know what is called, and it must not retry.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/internal/exception"
	"firedrill/telemetry/internal/redact"
)

// Options describe the peer and limit the duration of a request.
type Options struct {
	// Peer is the name of the called service. It is the attribute
	// service.peer.name and the label peer. It must be a constant of the
	// program, never part of a request. It must not be empty.
	Peer string
	// Timeout limits a whole request including reading the body. 0 means no
	// limit.
	Timeout time.Duration
	// Base sends the requests. The default is a clone of http.DefaultTransport.
	Base http.RoundTripper
}

// New returns a client for one peer. Several clients may share a Telemetry,
// with equal or different peers. New returns an error if the peer has no name.
func New(tel *telemetry.Telemetry, opts Options) (*http.Client, error) {
	if opts.Peer == "" {
		return nil, errors.New("create HTTP client: the peer has no name")
	}
	m, err := newMetrics(tel.Registry(), opts.Peer)
	if err != nil {
		return nil, fmt.Errorf("create HTTP client for %q: %w", opts.Peer, err)
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

// Uninstrumented returns a client like hc that creates no spans, sends no trace
// context and records no metrics. It is meant for health checks. A client that
// New did not make is returned unchanged.
func Uninstrumented(hc *http.Client) *http.Client {
	t, ok := hc.Transport.(*transport)
	if !ok {
		return hc
	}
	plain := *hc
	plain.Transport = t.next
	return &plain
}

type attemptKey struct{}

// WithAttempt returns a context whose requests are marked as the n-th retry of
// a request. 0 is the first attempt. n becomes http.request.resend_count.
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
	req = req.Clone(ctx) // a RoundTripper must not modify the request
	t.prop.Inject(ctx, propagation.HeaderCarrier(req.Header))

	resp, err := t.next.RoundTrip(req)
	s := seen{method: method}
	if err != nil {
		exception.Record(span, err)
	} else {
		s.status = resp.StatusCode
		span.SetAttributes(semconv.HTTPResponseStatusCode(s.status))
	}
	s.failure = errorType(s.status, err)
	if s.failure != "" {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(s.failure))
	}
	t.metrics.observe(s, resends, time.Since(began), span.SpanContext())
	return resp, err
}

// attributes returns the span attributes of
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
func (t *transport) attributes(req *http.Request, method string, resends int) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method),
		semconv.URLFull(strings.ToValidUTF8(withoutSecrets(req.URL), "\ufffd")),
		semconv.ServerAddress(req.URL.Hostname()),
		semconv.ServerPort(port(req)),
		semconv.ServicePeerName(t.peer),
		peerService.String(t.peer),
	}
	if resends > 0 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(resends))
	}
	return attrs
}

// peerService is the old name of service.peer.name. Tempo's service graph reads
// it to name a peer that has no telemetry.
const peerService = attribute.Key("peer.service")

// withoutSecrets returns the URL without user, password and signatures, as
// url.full requires.
// https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/
func withoutSecrets(u *url.URL) string {
	full := *u
	if full.User != nil {
		full.User = url.UserPassword(redact.Text, redact.Text)
	}
	full.RawQuery = redact.Query(full.RawQuery)
	return full.String()
}

func port(req *http.Request) int {
	if n, err := strconv.Atoi(req.URL.Port()); err == nil {
		return n
	}
	if req.URL.Scheme == "https" {
		return 443
	}
	return 80
}

// errorType returns error.type: the status code of an error response, or the
// class of a transport error, or "" on success. The number of values is
// bounded.
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
