package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// wire is a connection on which the client has sent everything.
type wire struct {
	io.Reader
	io.Writer
}

func (wire) Close() error                     { return nil }
func (wire) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000} }
func (wire) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711} }
func (wire) SetDeadline(time.Time) error      { return nil }
func (wire) SetReadDeadline(time.Time) error  { return nil }
func (wire) SetWriteDeadline(time.Time) error { return nil }

// rig is an instrumented application that serves all inputs of a fuzz test, so
// that state left behind by one request is found.
type rig struct {
	app   *fiber.App
	tel   *telemetry.Telemetry
	log   bytes.Buffer
	spans *tracetest.SpanRecorder

	total  uint64 // requests counted so far
	series int    // number of http_ series so far
}

func newRig(f *testing.F) *rig {
	f.Helper()
	r := &rig{}
	r.tel = telemetrytest.New(f, telemetry.Config{Service: "shop", Logs: telemetry.LogsConfig{Output: &r.log}})
	r.spans = telemetrytest.Record(f, r.tel)
	r.app = fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 1 << 10})
	if err := server.Instrument(r.app, r.tel, server.Options{}); err != nil {
		f.Fatal(err)
	}
	r.app.Use(func(c *fiber.Ctx) error { return c.Next() })
	r.app.Get("/products/:id", func(c *fiber.Ctx) error {
		r.tel.Logger().InfoContext(c.UserContext(), c.Path(), "id", c.Params("id"), c.Get("X-Key"), c.Get("X-Value"))
		return c.SendString(c.Params("id"))
	})
	r.app.Post("/orders", func(c *fiber.Ctx) error { return fmt.Errorf("bad order %s: %w", c.Body(), errNoStock) })
	r.app.All("/panic/*", func(c *fiber.Ctx) error { panic(errors.New(c.Params("*"))) })
	r.app.Group("/v1").Delete("/:a/:b?", func(c *fiber.Ctx) error { return fiber.NewError(409, c.Params("b")) })
	r.app.Handler() // registers the routes
	return r
}

// serve serves the bytes of one connection and checks metrics, logs and spans.
func (r *rig) serve(t *testing.T, sent []byte) {
	t.Helper()
	r.log.Reset()
	r.spans.Reset()
	_ = r.app.Server().ServeConn(wire{bytes.NewReader(sent), io.Discard}) // the error says only how the connection ended
	counted := r.checkMetrics(t)
	r.checkLog(t, counted)
	r.checkSpans(t, counted)
}

// checkMetrics returns the number of requests since the last call.
func (r *rig) checkMetrics(t *testing.T) int {
	t.Helper()
	families, err := r.tel.Registry().Gather() // Gather fails if a series occurs twice
	if err != nil {
		t.Fatal(err)
	}
	families = slices.DeleteFunc(families, func(f *dto.MetricFamily) bool {
		return !strings.HasPrefix(f.GetName(), "http_") // requests do not change the other metrics
	})
	var total uint64
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "http_server_request_duration_seconds":
				checkLabels(t, labels(m))
				total += m.GetHistogram().GetSampleCount()
			case "http_server_active_requests":
				if m.GetGauge().GetValue() != 0 {
					t.Errorf("%v requests are still active: %v", m.GetGauge().GetValue(), labels(m))
				}
			}
		}
	}
	if series != r.series { // label values change only when a series is added
		checkExposition(t, families)
	}
	counted := int(total - r.total)
	r.total, r.series = total, series
	return counted
}

func checkExposition(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	var exposition bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&exposition, f); err != nil {
			t.Fatal(err)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(&exposition)
	if err != nil || len(parsed) != len(families) {
		t.Fatalf("parsed %d of %d metrics: %v", len(parsed), len(families), err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Fatalf("lint: %v %v", problems, err)
	}
}

// checkLabels checks that each label has one of the program's own values, so
// the number of series is bounded.
func checkLabels(t *testing.T, l map[string]string) {
	t.Helper()
	bounds := map[string][]string{
		"http_request_method":       {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "_OTHER"},
		"http_route":                {"/products/:id", "/orders", "/panic/*", "/v1/:a/:b?", "unmatched"},
		"http_response_status_code": {"200", "400", "404", "405", "408", "409", "413", "417", "431", "500", "501"},
		"url_scheme":                {"http"},
		"error_type":                {"", "500", "501"},
	}
	for key, value := range l {
		if !slices.Contains(bounds[key], value) {
			t.Errorf("label %s is %q", key, value)
		}
	}
}

func (r *rig) checkLog(t *testing.T, counted int) {
	t.Helper()
	requests := 0
	for line := range bytes.Lines(r.log.Bytes()) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil || !utf8.Valid(line) {
			t.Fatalf("a line is not JSON: %v: %q", err, line)
		}
		if fields["msg"] == "request" && fields["route"] != nil {
			requests++
		}
	}
	if requests != counted {
		t.Errorf("%d log lines for %d requests", requests, counted)
	}
}

func (r *rig) checkSpans(t *testing.T, counted int) {
	t.Helper()
	text := func(s string) {
		if !utf8.ValidString(s) {
			t.Errorf("a span contains %q, which is not UTF-8", s)
		}
	}
	sampled := 0
	for _, span := range r.spans.Ended() {
		sampled++
		text(span.Name())
		text(span.SpanContext().TraceState().String())
		all := span.Attributes()
		for _, e := range span.Events() {
			all = append(all, e.Attributes...)
		}
		for _, a := range all {
			text(string(a.Key))
			if a.Value.Type() == attribute.STRING {
				text(a.Value.AsString())
			}
		}
	}
	if sampled > counted { // a client may ask not to be sampled
		t.Errorf("%d spans for %d requests", sampled, counted)
	}
}

// FuzzRequest sends any method, path, header and trace context.
func FuzzRequest(f *testing.F) {
	const sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, s := range [][]string{ // method, target, host, header, value, traceparent, body
		{"GET", "/products/7?size=L", "shop.example:8000", "X-Value", "v", sampled, ""},
		{"GET", "/products/%ff%00%22", "[::1]:x", "X-Key", "\xff\xfe", sampled[:54] + "0", ""},
		{"HEAD", "/products/ü", "", "Referer", "\x00", "00-00000000000000000000000000000000-0000000000000000-01", ""},
		{"POST", "/orders", "a:b:c", "Content-Type", "x", "ff-" + sampled[3:], "\xc3\x28"},
		{"POST", "/orders", "shop", "Expect", "100-continue", sampled, strings.Repeat("x", 2000)},
		{"BREW", "/products/7", "shop", "User-Agent", strings.Repeat("\xf0", 300), "", ""},
		{"get", "/panic/\xed\xa0\x80", "shop", "X-Forwarded-For", "1.2.3.4", "-", ""},
		{"PUT", "/panic/x", "shop", "Tracestate", "a=b,\xff=c", sampled, ""},
		{"DELETE", "/v1/a/\xff?q=\xff", "shop", "Baggage", "a=\xff", sampled, ""},
		{"OPTIONS", "*", "shop", "Transfer-Encoding", "chunked", sampled, "5\r\nhello\r\n0\r\n\r\n"},
		{"CONNECT", "shop.example:443", "shop", "Connection", "close", "", ""},
		{"", "", "", "", "", "", ""},
		{"GET", "http://u:p@other.example/products/7#f", "shop", "Host", "x", "", ""},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4], s[5], []byte(s[6]))
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, method, target, host, header, value, traceparent string, body []byte) {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nTraceparent: %s\r\n", method, target, host, header, value, traceparent)
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
		r.serve(t, b.Bytes())
	})
}

// FuzzConnection sends any bytes, which are mostly not HTTP.
func FuzzConnection(f *testing.F) {
	for _, s := range []string{
		"", "\r\n", "GET", "GET / HTTP/1.1\r\n\r\n", "GET /products/1 HTTP/1.0\r\n\r\n",
		"GET /products/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /products/2 HTTP/1.1\r\nHost: a\r\n\r\nBREW / HTTP/1.1\r\n\r\n",
		"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nshort", "POST /orders HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"POST /orders HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		f.Add([]byte(s))
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, sent []byte) { r.serve(t, sent) })
}
