// Package server instruments a Fiber v2 application. One middleware creates a
// server span, metrics and one log line for each request.
//
// It records what the client receives: the status after the error handler ran,
// and 500 after a panic. It also records 404s and unknown methods. Names and
// attributes follow OpenTelemetry's stable HTTP semantic conventions. Labels
// are bounded: they contain the route's template, never the path.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
)

// Options configure Instrument. The zero value is valid.
type Options struct {
	// Statuses are the status codes whose series are created with value 0 for
	// every route before the first request, so that rate() counts the first
	// request. The default is 200 and 500.
	Statuses []int
	// Quiet lists paths, such as health checks, that get metrics but no span.
	// They get a log line only if the status is 5xx.
	Quiet []string
}

// Instrument adds telemetry for every request to app. Call it once, before any
// other middleware or route, because requests handled by earlier ones are not
// recorded. It returns an error if its metrics are already registered.
func Instrument(app *fiber.App, tel *telemetry.Telemetry, opts Options) error {
	if opts.Statuses == nil {
		opts.Statuses = []int{fiber.StatusOK, fiber.StatusInternalServerError}
	}
	m, err := newMetrics(tel.Registry())
	if err != nil {
		return fmt.Errorf("instrument HTTP server of %q: %w", tel.Service(), err)
	}
	s := &server{
		app:     app,
		log:     tel.Logger().Handler(),
		tracer:  tel.TracerProvider().Tracer("firedrill/telemetry/server"),
		prop:    tel.Propagator(),
		start:   []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		metrics: m,
		routes:  newRoutes(app, m, opts.Statuses),
		quiet:   make(map[string]bool, len(opts.Quiet)),
		proxied: app.Config().ProxyHeader != "",
		pack:    unlimited(),
	}
	for _, path := range opts.Quiet {
		s.quiet[path] = true
	}
	app.Hooks().OnRoute(func(fiber.Route) error {
		s.routes.precreate()
		return nil
	})
	app.Use(s.handle)
	s.observeRejected()
	return nil
}

type server struct {
	app     *fiber.App
	log     slog.Handler
	tracer  trace.Tracer
	prop    propagation.TextMapPropagator
	start   []trace.SpanStartOption
	metrics *metrics
	routes  *routes
	quiet   map[string]bool
	proxied bool // Fiber takes the client's address from a header
	pack    bool // span attributes may be packed
}

// handle is the middleware. It runs the error handler itself to get the final
// status, and returns nil so that Fiber does not run it again.
func (s *server) handle(c *fiber.Ctx) error {
	method := methodOf(c.Method())
	e := s.begin(c.UserContext(), c.Context(), method, s.quiet[c.Path()])
	c.SetUserContext(e.ctx)
	if s.proxied {
		e.client = strings.Clone(c.IP())
	}
	e.err = s.next(c)
	if e.err != nil {
		s.answer(c, e.err)
	}
	s.end(e, c.Context(), s.routes.of(c.Route(), method))
	return nil
}

// next runs the next handlers and turns a panic into an error.
func (s *server) next(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return c.Next()
}

// answer calls the application's error handler, which writes the response.
func (s *server) answer(c *fiber.Ctx, err error) {
	defer func() {
		if r := recover(); r != nil { // the error handler panicked
			c.Response().Reset()
			c.Response().SetStatusCode(fiber.StatusInternalServerError)
		}
	}()
	if panicOf(err) != nil {
		// The response may be half written. Only the log may contain the
		// panic's value.
		c.Response().ResetBody()
		err = fiber.ErrInternalServerError
	}
	if err := s.app.ErrorHandler(c, err); err != nil {
		_ = c.SendStatus(fiber.StatusInternalServerError) // as Fiber does; it cannot fail
	}
}

// PanicError is the error that a handler's panic becomes.
type PanicError struct {
	Value any
	Stack []byte // from debug.Stack
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func panicOf(err error) *PanicError {
	if err == nil {
		return nil // avoids the allocation below
	}
	var p *PanicError
	errors.As(err, &p)
	return p
}

// exchange is one request in progress.
type exchange struct {
	ctx    context.Context //nolint:containedctx // lives for one request
	span   trace.Span
	began  time.Time
	method *method
	quiet  bool
	client string // client address from a proxy header, else ""
	err    error
}

func (s *server) begin(ctx context.Context, fctx *fasthttp.RequestCtx, m *method, quiet bool) exchange {
	e := exchange{ctx: ctx, span: trace.SpanFromContext(ctx), began: time.Now(), method: m, quiet: quiet}
	s.metrics.active[m.index][schemeOf(fctx.IsTLS())].Inc()
	if quiet {
		return e
	}
	if header := &fctx.Request.Header; len(header.PeekBytes(traceparent)) > 0 {
		e.ctx = s.prop.Extract(ctx, carrier{header})
	}
	e.ctx, e.span = s.tracer.Start(e.ctx, m.name, s.start...)
	return e
}

func (s *server) end(e exchange, fctx *fasthttp.RequestCtx, r *route) {
	took := time.Since(e.began)
	s.metrics.active[e.method.index][schemeOf(fctx.IsTLS())].Dec()
	status := fctx.Response.StatusCode()
	in, out := sizes(fctx)

	series := r.series(status, fctx.IsTLS())
	series.observe(took, in, out, e.span.SpanContext())
	p := panicOf(e.err)
	if p != nil {
		r.panics.Inc()
	}
	if e.quiet && status < fiber.StatusInternalServerError {
		return
	}
	s.report(e, fctx, r, outcome{series: series, took: took, in: in, out: out, panicked: p})
}

// observeRejected instruments the requests that Fiber answers before any
// middleware: unknown methods and malformed requests.
func (s *server) observeRejected() {
	srv := s.app.Server()
	known := make(map[string]bool)
	for _, m := range s.app.Config().RequestMethods {
		known[m] = true
	}
	handler, failed := srv.Handler, srv.ErrorHandler
	other := methodOf(otherMethod)
	srv.Handler = func(fctx *fasthttp.RequestCtx) {
		if known[string(fctx.Method())] {
			handler(fctx)
			return
		}
		e := s.begin(context.Background(), fctx, other, false)
		handler(fctx)
		s.end(e, fctx, s.routes.unmatched(other))
	}
	srv.ErrorHandler = func(fctx *fasthttp.RequestCtx, err error) {
		e := s.begin(context.Background(), fctx, other, false)
		if failed != nil {
			failed(fctx, err)
		}
		e.err = err
		s.end(e, fctx, s.routes.unmatched(other))
	}
}

// sizes returns the sizes of the request and response bodies in bytes, or -1
// for a stream of unknown length.
func sizes(fctx *fasthttp.RequestCtx) (in, out int) {
	in, out = fctx.Request.Header.ContentLength(), 0
	if !fctx.Request.IsBodyStream() {
		in = len(fctx.Request.Body())
	}
	switch {
	case fctx.IsHead():
	case fctx.Response.IsBodyStream(): // reading the stream would take it from the client
		out = fctx.Response.Header.ContentLength()
	default:
		out = len(fctx.Response.Body())
	}
	return max(in, -1), max(out, -1)
}
