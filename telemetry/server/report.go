package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry/internal/exception"
	"firedrill/telemetry/internal/otlp"
	"firedrill/telemetry/internal/redact"
)

// outcome is the result of a request. Sizes are in bytes, or -1 if unknown.
type outcome struct {
	series   *series
	took     time.Duration
	in, out  int
	panicked *PanicError
}

// The maximum lengths of texts copied from a request, in bytes.
const (
	longPath  = 512
	longAgent = 256
	longHost  = 128
)

var (
	traceparent  = []byte("traceparent")
	forwardedFor = []byte("X-Forwarded-For")
)

// scratch is memory that requests reuse. Its contents may be overwritten after
// a request, because the span copies attributes and the log handler writes them
// out.
type scratch struct {
	text  []byte
	attrs []attribute.KeyValue
	log   []slog.Attr
	otlp  otlp.Encoder
}

var scratches = sync.Pool{New: func() any {
	return &scratch{
		text: make([]byte, 0, 512), attrs: make([]attribute.KeyValue, 0, 20), log: make([]slog.Attr, 0, 20),
	}
}}

// request holds parts of a request, copied out of Fiber's buffers.
type request struct {
	path, query, host, agent, referer string
	forwarded                         string // X-Forwarded-For, unverified: any client can set it
	client                            string // client address
	port                              int    // client port; 0 if the address is from a proxy header
	version                           string // HTTP version
}

// read copies the texts with one allocation.
func (b *scratch) read(fctx *fasthttp.RequestCtx) request {
	uri, header := fctx.URI(), &fctx.Request.Header
	parts := [...][]byte{
		clip(uri.Path(), longPath), clip(uri.QueryString(), longPath), clip(header.Host(), longHost),
		clip(header.UserAgent(), longAgent), clip(header.Referer(), longPath),
		clip(header.PeekBytes(forwardedFor), longHost),
	}
	b.text = b.text[:0]
	var ends [len(parts)]int
	for i, p := range parts {
		b.text = append(b.text, p...)
		ends[i] = len(b.text)
	}
	addr, port := remote(fctx)
	if addr.IsValid() {
		b.text = addr.AppendTo(b.text)
	}
	all := string(b.text)
	return request{
		path: valid(all[:ends[0]]), query: redact.Query(valid(all[ends[0]:ends[1]])), host: valid(all[ends[1]:ends[2]]),
		agent: valid(all[ends[2]:ends[3]]), referer: valid(all[ends[3]:ends[4]]),
		forwarded: valid(all[ends[4]:ends[5]]), client: all[ends[5]:],
		port: port, version: version(header),
	}
}

func version(header *fasthttp.RequestHeader) string {
	if header.IsHTTP11() {
		return "1.1"
	}
	return "1.0"
}

func clip(b []byte, most int) []byte { return b[:min(len(b), most)] }

// valid replaces invalid UTF-8, which OTLP and Loki reject. It returns s itself
// if s is valid.
func valid(s string) string {
	if utf8.ValidString(s) { // much faster than ToValidUTF8
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

func remote(fctx *fasthttp.RequestCtx) (netip.Addr, int) {
	if tcp, ok := fctx.RemoteAddr().(*net.TCPAddr); ok {
		addr, _ := netip.AddrFromSlice(tcp.IP)
		return addr.Unmap(), tcp.Port
	}
	return netip.Addr{}, 0
}

// report ends the span and writes the log line.
func (s *server) report(e exchange, fctx *fasthttp.RequestCtx, r *route, o outcome) {
	b := scratches.Get().(*scratch)
	defer scratches.Put(b)
	req := b.read(fctx)
	if e.client != "" {
		req.client, req.port = valid(e.client[:min(len(e.client), longHost)]), 0
	}
	if e.span.IsRecording() {
		s.endSpan(e, b, req, r, o)
	}
	level := slog.LevelInfo
	if o.series.status >= fasthttp.StatusInternalServerError {
		level = slog.LevelError
	}
	if s.log.Enabled(e.ctx, level) {
		record := slog.NewRecord(e.began.Add(o.took), level, "request", 0)
		b.logAttrs(e, req, r, o)
		if more, ok := fctx.UserValue(moreKey{}).([]slog.Attr); ok {
			b.log = append(b.log, more...)
		}
		record.AddAttrs(slog.Attr{Value: slog.GroupValue(b.log...)}) // slog inlines the group and copies nothing
		_ = s.log.Handle(e.ctx, record)                              // a log error must not fail the request
	}
	clear(b.attrs)
	clear(b.log)
}

// moreKey is the user value under which AddLogAttr stores its attributes.
type moreKey struct{}

// AddLogAttr adds a field to the log line of the current request. The key must
// differ from the line's own keys.
func AddLogAttr(c *fiber.Ctx, attr slog.Attr) {
	more, _ := c.Context().UserValue(moreKey{}).([]slog.Attr)
	c.Context().SetUserValue(moreKey{}, append(more, attr))
}

// endSpan names the span, sets its attributes and ends it.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
func (s *server) endSpan(e exchange, b *scratch, req request, r *route, o outcome) {
	e.span.SetName(r.span)
	b.spanAttrs(req, r, o)
	if s.pack && !setsAny(e.span, b.attrs) {
		e.span.SetAttributes(b.otlp.Pack(b.attrs))
	} else {
		e.span.SetAttributes(b.attrs...)
	}
	if o.series.status >= fasthttp.StatusInternalServerError {
		e.span.SetStatus(codes.Error, "")
	}
	if e.err != nil {
		recordError(e.span, e.err, o.panicked)
	}
	e.span.End()
}

// unlimited reports whether the SDK's attribute limits are the defaults.
// Operators can change them with OpenTelemetry's environment variables.
func unlimited() bool {
	limits := sdktrace.NewSpanLimits()
	return limits.AttributeValueLengthLimit == sdktrace.DefaultAttributeValueLengthLimit &&
		limits.AttributeCountLimit == sdktrace.DefaultAttributeCountLimit
}

// setsAny reports whether a handler has already set one of attrs on the span.
func setsAny(span trace.Span, attrs []attribute.KeyValue) bool {
	s, ok := span.(sdktrace.ReadOnlySpan)
	return !ok || slices.ContainsFunc(s.Attributes(), func(set attribute.KeyValue) bool {
		return slices.ContainsFunc(attrs, func(a attribute.KeyValue) bool { return a.Key == set.Key })
	})
}

func recordError(span trace.Span, err error, p *PanicError) {
	if p == nil {
		exception.Record(span, err)
		return
	}
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(
		semconv.ExceptionType("panic"),
		semconv.ExceptionMessage(valid(fmt.Sprint(p.Value))),
		semconv.ExceptionStacktrace(valid(string(p.Stack))),
	))
}

func (b *scratch) spanAttrs(req request, r *route, o outcome) {
	host, port := splitHost(req.host)
	a := append(b.attrs[:0],
		semconv.HTTPRequestMethodKey.String(r.method),
		semconv.HTTPResponseStatusCode(o.series.status),
		semconv.URLScheme(o.series.scheme),
		semconv.URLPath(req.path),
		semconv.ServerAddress(host),
		semconv.ClientAddress(req.client),
		semconv.NetworkTransportTCP,
		semconv.NetworkProtocolVersion(req.version),
	)
	if req.port > 0 {
		a = append(a, semconv.ClientPort(req.port))
	}
	if r.template != unmatchedRoute {
		a = append(a, semconv.HTTPRoute(r.template))
	}
	if port > 0 {
		a = append(a, semconv.ServerPort(port))
	}
	if req.query != "" {
		a = append(a, semconv.URLQuery(req.query))
	}
	if req.agent != "" {
		a = append(a, semconv.UserAgentOriginal(req.agent))
	}
	if o.in >= 0 {
		a = append(a, semconv.HTTPRequestBodySize(o.in))
	}
	if o.out >= 0 {
		a = append(a, semconv.HTTPResponseBodySize(o.out))
	}
	if o.series.status >= fasthttp.StatusInternalServerError {
		a = append(a, semconv.ErrorTypeKey.String(o.errorType()))
	}
	b.attrs = a
}

// errorType returns error.type of a 5xx response.
func (o outcome) errorType() string {
	if o.panicked != nil {
		return "panic"
	}
	return o.series.code
}

// logAttrs sets b.log to the fields of the log line.
func (b *scratch) logAttrs(e exchange, req request, r *route, o outcome) {
	a := append(b.log[:0],
		slog.String("method", r.method),
		slog.String("route", r.template),
		slog.Int("status", o.series.status),
		slog.Duration("duration_seconds", o.took),
		slog.String("host", req.host),
		slog.String("path", req.path),
		slog.String("client", req.client),
	)
	for _, text := range [...]slog.Attr{
		slog.String("query", req.query), slog.String("user_agent", req.agent), slog.String("referer", req.referer),
		slog.String("forwarded_for", req.forwarded),
	} {
		if text.Value.String() != "" {
			a = append(a, text)
		}
	}
	if o.in >= 0 {
		a = append(a, slog.Int("request_bytes", o.in))
	}
	if o.out >= 0 {
		a = append(a, slog.Int("response_bytes", o.out))
	}
	if e.err != nil {
		a = append(a, slog.String("error", exception.Message(e.err)))
	}
	if o.panicked != nil {
		a = append(a, slog.String("stack", string(o.panicked.Stack)))
	}
	b.log = a
}

// splitHost splits "host:port". The port is 0 if there is none.
func splitHost(hostport string) (host string, port int) {
	i := strings.LastIndexByte(hostport, ':')
	if i < 0 || strings.HasSuffix(hostport, "]") {
		return hostport, 0
	}
	port, err := strconv.Atoi(hostport[i+1:])
	if err != nil {
		return hostport, 0
	}
	return strings.Trim(hostport[:i], "[]"), port
}

// carrier reads the trace context from a request's headers. It copies values,
// because they outlive the request.
type carrier struct{ header *fasthttp.RequestHeader }

func (c carrier) Get(key string) string { return string(c.header.Peek(key)) }

func (c carrier) Set(key, value string) { c.header.Set(key, value) }

func (c carrier) Keys() []string {
	var keys []string
	c.header.VisitAll(func(key, _ []byte) { keys = append(keys, string(key)) })
	return keys
}
