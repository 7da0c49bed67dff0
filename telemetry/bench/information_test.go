package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"firedrill/telemetry/telemetrytest"
)

// recorded is the telemetry of one request, as the backends and a scraper see
// it.
type recorded struct {
	span   *tracepb.Span
	attrs  map[string]string
	line   map[string]string
	series []sample // http_ metrics only
}

// record makes one request to a stack and returns its telemetry.
func record(t *testing.T, name string, edit func(*fasthttp.Request)) recorded {
	t.Helper()
	b := telemetrytest.NewBackend(t)
	s, err := newStack(t.Context(), name, 1, Backends{OTLP: b.GRPC(t), Loki: b.URL})
	if err != nil {
		t.Fatal(err)
	}
	s.app.Post("/orders", func(c *fiber.Ctx) error { return c.SendStatus(201) })
	s.app.Get("/broken", func(*fiber.Ctx) error { return fiber.NewError(503, "bank is down") })
	c := newCaller(s.app)
	var req fasthttp.Request
	prepare(&req, "http://shop.example:8001")
	edit(&req)
	c.ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 51234}, nil)
	c.call()
	if err := s.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := recorded{line: map[string]string{}, series: samples(t, s.registry)}
	spans := b.Spans()
	if len(spans) != 1 {
		t.Fatalf("%s: %d spans, want 1", name, len(spans))
	}
	got.span, got.attrs = spans[0], attributes(spans[0].GetAttributes())
	for _, l := range b.Lines() {
		if l.Fields["msg"] == "telemetry started" {
			continue
		}
		if len(got.line) > 0 {
			t.Fatalf("%s: a second line: %v", name, l.Fields)
		}
		flatten(got.line, "", l.Fields)
	}
	return got
}

func attributes(attrs []*commonpb.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attrs {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			all[a.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[a.GetKey()] = fmt.Sprint(v.IntValue)
		}
	}
	return all
}

func flatten(into map[string]string, prefix string, fields map[string]any) {
	for k, v := range fields {
		if group, ok := v.(map[string]any); ok {
			flatten(into, prefix+k+".", group)
		} else {
			into[prefix+k] = fmt.Sprint(v)
		}
	}
}

// sample is the value of one series. The value of a histogram is its count.
type sample struct {
	metric string
	labels map[string]string
	value  float64
}

func samples(t *testing.T, from prometheus.Gatherer) []sample {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "http_") {
			continue
		}
		for _, m := range f.GetMetric() {
			s := sample{
				metric: f.GetName(), labels: map[string]string{},
				value: m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()),
			}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			all = append(all, s)
		}
	}
	return all
}

// rule finds the value of the usual stack in the telemetry of ours. It returns
// the expected value, and whether ours has it at all.
type rule func(ours map[string]string) (string, bool)

func as(key string) rule {
	return func(ours map[string]string) (string, bool) { v, ok := ours[key]; return v, ok }
}

func prefixed(prefix, key string) rule {
	return func(ours map[string]string) (string, bool) { v, ok := ours[key]; return prefix + v, ok }
}

func joined(a, sep, b string) rule {
	return func(ours map[string]string) (string, bool) {
		v, ok := ours[a]
		if ours[b] != "" {
			v += sep + ours[b]
		}
		return v, ok
	}
}

// present is a rule for values that cannot be equal, such as times.
func present(key string) rule {
	return func(ours map[string]string) (string, bool) { _, ok := ours[key]; return "", ok }
}

// spanRules map otelfiber's attributes, which follow the conventions of 2022,
// to the stable conventions.
var spanRules = map[string]rule{
	"http.method":                  as("http.request.method"),
	"http.scheme":                  as("url.scheme"),
	"http.flavor":                  as("network.protocol.version"),
	"http.target":                  joined("url.path", "?", "url.query"),
	"http.url":                     joined("url.path", "?", "url.query"),
	"http.user_agent":              as("user_agent.original"),
	"http.client_ip":               as("client.address"),
	"http.request_content_length":  as("http.request.body.size"),
	"http.response_content_length": as("http.response.body.size"),
	"http.route":                   as("http.route"),
	"http.status_code":             as("http.response.status_code"),
	"net.host.name":                joined("server.address", ":", "server.port"),
	"net.transport":                prefixed("ip_", "network.transport"),
}

// clientOrForwarded returns what slog-fiber logs as the client's address. It
// trusts the client's header.
func clientOrForwarded(ours map[string]string) (string, bool) {
	if first, _, _ := strings.Cut(ours["forwarded_for"], ","); first != "" {
		return first, true
	}
	v, ok := ours["client"]
	return v, ok
}

// lineRules map the fields of slog-fiber's log line to ours.
var lineRules = map[string]rule{
	"time": present("time"), "level": present("level"), "msg": present("msg"),
	"request.time":    present("time"), // the end; the start is duration_seconds earlier
	"response.time":   present("time"),
	"request.method":  as("method"),
	"request.host":    as("host"),
	"request.path":    as("path"),
	"request.query":   as("query"),
	"request.route":   as("route"),
	"request.ip":      clientOrForwarded,
	"request.referer": as("referer"),
	"request.length":  as("request_bytes"),
	// A parameter is the part of the path that differs from the route.
	"request.params.id": func(ours map[string]string) (string, bool) { return strings.CutPrefix(ours["path"], "/products/") },
	"request.x-forwarded-for": func(ours map[string]string) (string, bool) {
		v, ok := ours["forwarded_for"]
		return "[" + strings.ReplaceAll(v, ", ", " ") + "]", ok
	},
	"request.user-agent": as("user_agent"),
	"response.latency":   present("duration_seconds"),
	"response.status":    as("status"),
	"response.length":    as("response_bytes"),
	"trace_id":           present("trace_id"), "span_id": present("span_id"),
}

// leftOut lists the fields that ours omits on purpose, with the reason.
var leftOut = map[string]string{
	"enduser.id": "a user's name is personal data",
}

// requests are the requests whose telemetry is compared.
var requests = map[string]func(*fasthttp.Request){
	"plain": func(*fasthttp.Request) {},
	"with a body": func(r *fasthttp.Request) {
		r.Header.SetMethod("POST")
		r.SetRequestURI("http://shop.example:8001/orders")
		r.SetBodyString(`{"count":2}`)
		r.Header.SetContentLength(len(r.Body())) // as for a request from a network
	},
	"HTTP/1.0":        func(r *fasthttp.Request) { r.Header.SetProtocol("HTTP/1.0") },
	"through a proxy": func(r *fasthttp.Request) { r.Header.Set("X-Forwarded-For", "198.51.100.4, 203.0.113.7") },
	"failing":         func(r *fasthttp.Request) { r.SetRequestURI("http://shop.example:8001/broken") },
	"with basic auth": func(r *fasthttp.Request) { r.Header.Set("Authorization", "Basic YW5uYTpzZWNyZXQ=") },
}

func TestOursHasAllInformationOfUsualStack(t *testing.T) {
	missing := map[string]bool{}
	for name, edit := range requests {
		t.Run(name, func(t *testing.T) {
			usual, ours := record(t, "usual", edit), record(t, "ours", edit)
			compare(t, missing, "span attribute", usual.attrs, ours.attrs, spanRules)
			compare(t, missing, "log field", usual.line, ours.line, lineRules)
			compareSeries(t, usual.series, ours.series)
			if len(ours.span.GetEvents()) < len(usual.span.GetEvents()) {
				t.Errorf("span events: the usual stack has %v, ours %v", usual.span.GetEvents(), ours.span.GetEvents())
			}
			if usual.span.GetStatus().GetCode() != ours.span.GetStatus().GetCode() {
				t.Errorf("span status: the usual stack has %v, ours %v", usual.span.GetStatus(), ours.span.GetStatus())
			}
		})
	}
	if len(missing) > 0 {
		t.Errorf("ours lacks %v", slices.Sorted(maps.Keys(missing)))
	}
}

// compare adds to missing the keys of the usual stack that ours lacks or has
// with another value.
func compare(t *testing.T, missing map[string]bool, what string, usual, ours map[string]string, rules map[string]rule) {
	t.Helper()
	for key, value := range usual {
		if value == "" || value == "[]" || leftOut[key] != "" {
			continue // empty, or omitted on purpose
		}
		rule, ok := rules[key]
		if !ok {
			t.Errorf("%s %s=%q of the usual stack: no rule for it", what, key, value)
			continue
		}
		if got, ok := rule(ours); !ok || got != "" && got != value {
			t.Logf("%s %s=%q of the usual stack: ours has %q", what, key, value, got)
			missing[what+" "+key] = true
		}
	}
}

// metricNames map the usual stack's HTTP metrics to ours. Both of its libraries
// measure the duration.
var metricNames = map[string]string{
	"http_requests_total":               "http_server_request_duration_seconds",
	"http_request_duration_seconds":     "http_server_request_duration_seconds",
	"http_server_duration_milliseconds": "http_server_request_duration_seconds",
	"http_server_request_size_bytes":    "http_server_request_body_size_bytes",
	"http_server_response_size_bytes":   "http_server_response_body_size_bytes",
	"http_requests_in_progress_total":   "http_server_active_requests",
	"http_server_active_requests":       "http_server_active_requests",
}

// labelNames map the usual stack's labels to ours. "" means that ours omits it.
var labelNames = map[string]string{
	"method": "http_request_method", "http_method": "http_request_method",
	"path": "http_route", "http_route": "http_route",
	"status_code": "http_response_status_code", "http_status_code": "http_response_status_code",
	"http_scheme":     "url_scheme",
	"net_host_name":   "", // the client's Host header: unbounded
	"http_flavor":     "", // on the span; not useful for alerts
	"service":         "", // same as the scrape's job
	"otel_scope_name": "", "otel_scope_version": "", "otel_scope_schema_url": "",
}

// compareSeries checks that ours has a series for each series of the usual
// stack, with the same value and at least the same labels.
func compareSeries(t *testing.T, usual, ours []sample) {
	t.Helper()
	for _, u := range usual {
		want := map[string]string{}
		for label, value := range u.labels {
			name, ok := labelNames[label]
			if !ok {
				t.Errorf("label %s of %s of the usual stack: no rule for it", label, u.metric)
			}
			if name != "" {
				want[name] = value
			}
		}
		if !slices.ContainsFunc(ours, func(o sample) bool {
			return o.metric == metricNames[u.metric] && o.value == u.value && contains(o.labels, want)
		}) {
			t.Errorf("%v of the usual stack: ours has no %s%v with that value", u, metricNames[u.metric], want)
		}
	}
}

func contains(all, some map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return true
}
