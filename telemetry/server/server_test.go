package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

func TestCountsByFinalStatus(t *testing.T) {
	tests := []struct {
		name, method, target string
		status               int
		series               string
	}{
		{"found", "GET", "/products/7?size=L", 200, "GET /products/:id 200"},
		{"HEAD of a GET route", "HEAD", "/products/7", 200, "HEAD /products/:id 200"},
		{"handler's own 404", "GET", "/missing", 404, "GET /missing 404"},
		{"wrapped error mapped to 409", "POST", "/orders", 409, "POST /orders 409"},
		{"returned 503", "GET", "/broken", 503, "GET /broken 503"},
		{"panic", "GET", "/panic", 500, "GET /panic 500"},
		{"unknown route", "GET", "/nowhere/at/all", 404, "GET unmatched 404"},
		{"wrong method for route", "DELETE", "/orders", 405, "DELETE unmatched 405"},
		{"unknown method", "BREW", "/products/7", 400, "_OTHER unmatched 400"},
		{"stream", "GET", "/stream", 200, "GET /stream 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
			app := shop(t, tel, fiber.Config{ErrorHandler: mapped}, server.Options{})
			status, _ := do(t, app, tt.method, tt.target)
			equal(t, status, tt.status)
			equal(t, counted(t, tel), map[string]uint64{tt.series: 1})
			for _, m := range family(t, tel, "http_server_active_requests").GetMetric() {
				equal(t, m.GetGauge().GetValue(), 0.0)
			}
		})
	}
}

func TestErrorHandlerRunsOnce(t *testing.T) {
	ran := 0
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	app := shop(t, tel, fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		ran++
		return mapped(c, err)
	}}, server.Options{})
	status, body := do(t, app, "POST", "/orders")
	equal(t, []any{status, body, ran}, []any{409, "sold out", 1})
}

func TestFailingErrorHandlerGives500(t *testing.T) {
	for name, handler := range map[string]fiber.ErrorHandler{
		"fails":  func(_ *fiber.Ctx, err error) error { return err },
		"panics": func(*fiber.Ctx, error) error { panic("in the error handler") },
	} {
		t.Run(name, func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
			app := shop(t, tel, fiber.Config{ErrorHandler: handler}, server.Options{})
			status, _ := do(t, app, "POST", "/orders")
			equal(t, status, 500)
			equal(t, counted(t, tel), map[string]uint64{"POST /orders 500": 1})
		})
	}
}

func TestPanicIsInLogAndSpanNotInResponse(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	status, body := do(t, app, "GET", "/panic")
	equal(t, []any{status, body}, []any{500, "Internal Server Error"})
	telemetrytest.Flush(t, tel)

	line := request(t, b)
	equal(t, line.Fields["error"], "panic: kaboom")
	if stack, _ := line.Fields["stack"].(string); !strings.Contains(stack, "harness_test.go") {
		t.Errorf("the stack does not contain the handler's file: %q", stack)
	}
	span := b.Spans()[0]
	equal(t, span.GetStatus().GetCode(), tracepb.Status_STATUS_CODE_ERROR)
	equal(t, attrs(span)["error.type"], any("panic"))
	equal(t, span.GetEvents()[0].GetName(), "exception")

	panics := family(t, tel, "http_server_panics_total")
	for _, m := range panics.GetMetric() {
		want := 0.0
		if labels(m)["http_route"] == "/panic" && labels(m)["http_request_method"] == "GET" {
			want = 1
		}
		equal(t, m.GetCounter().GetValue(), want)
	}
}

func TestSeriesExistFromTheStart(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	shop(t, tel, fiber.Config{}, server.Options{Statuses: []int{200, 503}})
	want := map[string]uint64{}
	for _, route := range []string{
		"GET /products/:id", "GET /missing", "POST /orders", "GET /panic", "GET /broken", "GET /healthz", "GET /stream",
	} {
		want[route+" 200"], want[route+" 503"] = 0, 0
	}
	equal(t, counts(t, tel), want)
}

func TestSeriesAreBounded(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	app := shop(t, tel, fiber.Config{}, server.Options{})
	for i := range 200 {
		do(t, app, "GET", fmt.Sprintf("/products/%d?q=%d", i, i), func(r *http.Request) {
			r.Host = fmt.Sprintf("host-%d.example", i)
			r.Header.Set("User-Agent", fmt.Sprint("agent ", i))
		})
		do(t, app, "GET", fmt.Sprintf("/scan/%d.php", i))
	}
	equal(t, counted(t, tel), map[string]uint64{"GET /products/:id 200": 200, "GET unmatched 404": 200})
}

func TestSpanAndLogLineOfARequest(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	do(t, app, "GET", "/products/7?size=L&sig=secret", func(r *http.Request) {
		r.Host = "shop.example:8443"
		r.Header.Set("User-Agent", "curl/8")
		r.Header.Set("Referer", "http://there.example/")
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	})
	telemetrytest.Flush(t, tel)

	span := b.Spans()[0]
	equal(t, span.GetName(), "GET /products/:id")
	equal(t, span.GetKind(), tracepb.Span_SPAN_KIND_SERVER)
	equal(t, fmt.Sprintf("%x", span.GetTraceId()), "0af7651916cd43dd8448eb211c80319c")
	equal(t, fmt.Sprintf("%x", span.GetParentSpanId()), "b7ad6b7169203331")
	equal(t, attrs(span), map[string]any{
		"http.request.method": "GET", "http.response.status_code": int64(200), "http.route": "/products/:id",
		"url.scheme": "http", "url.path": "/products/7", "url.query": "size=L&sig=REDACTED",
		"server.address": "shop.example", "server.port": int64(8443),
		"client.address": "0.0.0.0", "network.transport": "tcp",
		"network.protocol.version": "1.1", "user_agent.original": "curl/8",
		"http.request.body.size": int64(0), "http.response.body.size": int64(10),
	})

	line := request(t, b)
	equal(t, line.Labels, `{level="info", service_name="shop"}`)
	equal(t, line.Metadata, map[string]string{
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": fmt.Sprintf("%x", span.GetSpanId()),
	})
	for _, changing := range []string{"time", "duration_seconds"} {
		if line.Fields[changing] == nil {
			t.Errorf("the line has no %s", changing)
		}
		delete(line.Fields, changing)
	}
	equal(t, line.Fields, map[string]any{
		"level": "info", "msg": "request", "service": "shop",
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": fmt.Sprintf("%x", span.GetSpanId()),
		"method": "GET", "route": "/products/:id", "status": 200.0, "host": "shop.example:8443",
		"path": "/products/7", "query": "size=L&sig=REDACTED", "client": "0.0.0.0", "user_agent": "curl/8",
		"referer": "http://there.example/", "request_bytes": 0.0, "response_bytes": 10.0,
	})
}

// request returns the log line of the only request.
func request(t *testing.T, b *telemetrytest.Backend) telemetrytest.Line {
	t.Helper()
	var found []telemetrytest.Line
	for _, l := range b.Lines() {
		if l.Fields["msg"] == "request" {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d request lines, want 1: %v", len(found), found)
	}
	return found[0]
}

func TestClientBehindAProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg    fiber.Config
		client string
	}{
		"header is logged but not trusted": {fiber.Config{}, "0.0.0.0"},
		"ProxyHeader is set":               {fiber.Config{ProxyHeader: "X-Forwarded-For"}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			b := telemetrytest.NewBackend(t)
			tel := telemetrytest.New(t, b.Config("shop"))
			app := shop(t, tel, tt.cfg, server.Options{})
			do(t, app, "GET", "/products/7", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") })
			telemetrytest.Flush(t, tel)
			equal(t, attrs(b.Spans()[0])["client.address"], any(tt.client))
			equal(t, request(t, b).Fields["client"], any(tt.client))
			equal(t, request(t, b).Fields["forwarded_for"], any("203.0.113.9"))
		})
	}
}

func TestLogContainsTheRootCause(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{ErrorHandler: mapped}, server.Options{})
	do(t, app, "POST", "/orders")
	telemetrytest.Flush(t, tel)
	line := request(t, b)
	equal(t, line.Fields["error"], any("place order: no stock left"))
	equal(t, line.Fields["status"], any(409.0))
	event := b.Spans()[0].GetEvents()[0]
	equal(t, event.GetName(), "exception")
}

func TestUnsampledRequests(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	cfg := b.Config("shop")
	cfg.Traces.Sampler = telemetry.SamplerNever
	tel := telemetrytest.New(t, cfg)
	app := shop(t, tel, fiber.Config{}, server.Options{})
	do(t, app, "GET", "/products/7")
	telemetrytest.Flush(t, tel)

	equal(t, len(b.Spans()), 0)
	if id := request(t, b).Metadata["trace_id"]; len(id) != 32 {
		t.Errorf("the log line of an unsampled request has trace id %q", id)
	}
	equal(t, exemplars(t, tel), 0) // the trace is not stored, so an exemplar would lead nowhere
}

func TestSampledRequestHasAnExemplar(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	do(t, app, "GET", "/products/7")
	telemetrytest.Flush(t, tel)
	equal(t, exemplars(t, tel), 1)
	for _, m := range family(t, tel, "http_server_request_duration_seconds").GetMetric() {
		for _, bucket := range m.GetHistogram().GetBucket() {
			if e := bucket.GetExemplar(); e != nil {
				got := map[string]string{}
				for _, l := range e.GetLabel() {
					got[l.GetName()] = l.GetValue()
				}
				span := b.Spans()[0]
				equal(t, got, map[string]string{
					"trace_id": fmt.Sprintf("%x", span.GetTraceId()), "span_id": fmt.Sprintf("%x", span.GetSpanId()),
				})
			}
		}
	}
}

func exemplars(t *testing.T, tel *telemetry.Telemetry) int {
	n := 0
	for _, m := range family(t, tel, "http_server_request_duration_seconds").GetMetric() {
		for _, bucket := range m.GetHistogram().GetBucket() {
			if bucket.GetExemplar() != nil {
				n++
			}
		}
	}
	return n
}

func TestQuietPathsAreOnlyCounted(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{Quiet: []string{"/healthz", "/broken"}})
	do(t, app, "GET", "/healthz")
	do(t, app, "GET", "/broken")
	telemetrytest.Flush(t, tel)
	equal(t, len(b.Spans()), 0)
	equal(t, request(t, b).Fields["path"], any("/broken"))
	equal(t, counted(t, tel), map[string]uint64{"GET /healthz 200": 1, "GET /broken 503": 1})
}

func TestStreamedResponse(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	app := shop(t, tel, fiber.Config{}, server.Options{})
	_, body := do(t, app, "GET", "/stream")
	equal(t, body, "streamed")
	for _, m := range family(t, tel, "http_server_response_body_size_bytes").GetMetric() {
		equal(t, m.GetHistogram().GetSampleCount(), uint64(0)) // the size is unknown, so it is not recorded as 0
	}
}

func TestTwoServersInOneProcess(t *testing.T) {
	one := telemetrytest.New(t, telemetry.Config{Service: "one"})
	two := telemetrytest.New(t, telemetry.Config{Service: "two"})
	a := shop(t, one, fiber.Config{}, server.Options{})
	shop(t, two, fiber.Config{}, server.Options{})
	do(t, a, "GET", "/products/7")
	equal(t, counted(t, one), map[string]uint64{"GET /products/:id 200": 1})
	equal(t, counted(t, two), map[string]uint64{})
}

func TestInstrumentTwiceFails(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	shop(t, tel, fiber.Config{}, server.Options{})
	if err := server.Instrument(fiber.New(), tel, server.Options{}); err == nil {
		t.Error("no error for a second server on one registry")
	}
}
