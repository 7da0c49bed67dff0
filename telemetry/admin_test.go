package telemetry_test

import (
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// ask sends a request to the admin handler of tel and returns the response.
func ask(t testing.TB, tel *telemetry.Telemetry, method, target, accept, body string) *http.Response {
	t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	tel.AdminHandler().ServeHTTP(rec, req)
	return rec.Result()
}

func text(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// served returns the telemetry of a service that has served one sampled
// request.
func served(t testing.TB) *telemetry.Telemetry {
	t.Helper()
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog", Version: "1.2"})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if err := server.Instrument(app, tel, server.Options{}); err != nil {
		t.Fatal(err)
	}
	app.Get("/products/:id", func(*fiber.Ctx) error { return nil })
	resp, err := app.Test(httptest.NewRequest(http.MethodGet, "/products/7", nil), -1)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return tel
}

func TestOpenMetricsHasExemplars(t *testing.T) {
	resp := ask(t, served(t), http.MethodGet, "/metrics", "application/openmetrics-text;version=1.0.0", "")
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/openmetrics-text" {
		t.Errorf("content type %q", resp.Header.Get("Content-Type"))
	}
	body := text(t, resp)
	exemplar := regexp.MustCompile(`(?m)^http_server_request_duration_seconds_bucket\{.*http_route="/products/:id".*\} 1 # \{(span_id="[0-9a-f]{16}",trace_id="[0-9a-f]{32}"|trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}")\} `)
	if !exemplar.MatchString(body) {
		t.Error("no exemplar with a trace id")
	}
	if !strings.HasSuffix(body, "# EOF\n") {
		t.Error("the body does not end with # EOF")
	}
}

func TestProtobufHasNativeHistograms(t *testing.T) {
	const accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	resp := ask(t, served(t), http.MethodGet, "/metrics", accept, "")
	dec := expfmt.NewDecoder(resp.Body, expfmt.ResponseFormat(resp.Header))
	native := map[string]bool{}
	for {
		var f dto.MetricFamily
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h.GetSampleCount() > 0 && len(h.GetPositiveSpan())+int(h.GetZeroCount()) > 0 && len(h.GetBucket()) > 0 {
				native[f.GetName()] = true
			}
		}
	}
	for _, name := range []string{
		"http_server_request_duration_seconds", "http_server_request_body_size_bytes", "http_server_response_body_size_bytes",
	} {
		if !native[name] {
			t.Errorf("%s is not both a classic and a native histogram", name)
		}
	}
}

func TestProcessMetrics(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog", Version: "1.2"})
	value := func(name string) float64 {
		t.Helper()
		all := telemetrytest.Series(t, tel.Registry(), name)
		if len(all) != 1 {
			t.Fatalf("%s has %d series, want 1", name, len(all))
		}
		for _, v := range all {
			return v
		}
		return 0
	}
	if got := value("go_sched_gomaxprocs_threads"); got != float64(runtime.GOMAXPROCS(0)) {
		t.Errorf("GOMAXPROCS is %v, want %d", got, runtime.GOMAXPROCS(0))
	}
	for _, name := range []string{
		"go_gc_gomemlimit_bytes", "go_goroutines", "process_memory_limit_bytes", "process_cpu_seconds_total",
		"process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds",
	} {
		if got := value(name); got <= 0 {
			t.Errorf("%s is %v, want more than 0", name, got)
		}
	}
	for series, v := range telemetrytest.Series(t, tel.Registry(), "telemetry_build_info") {
		want := "goversion=" + runtime.Version() + " revision="
		if !strings.HasPrefix(series, want) || !strings.HasSuffix(series, " service=catalog version=1.2") || v != 1 {
			t.Errorf("build info is %v with labels %s", v, series)
		}
	}
}

func TestLogLevelChangesAtRunTime(t *testing.T) {
	var out strings.Builder
	tel := telemetrytest.New(t, telemetry.Config{Logs: telemetry.LogsConfig{Output: &out}})
	steps := []struct {
		method, body string
		status       int
		answer       string
		level        slog.Level
	}{
		{http.MethodGet, "", 200, "info\n", slog.LevelInfo},
		{http.MethodPut, "debug\n", 200, "debug\n", slog.LevelDebug},
		{http.MethodGet, "", 200, "debug\n", slog.LevelDebug},
		{http.MethodPut, "loud", 400, "log level \"loud\": want debug, info, warn or error\n", slog.LevelDebug},
		{http.MethodPut, "", 400, "log level \"\": want debug, info, warn or error\n", slog.LevelDebug},
		{http.MethodPut, strings.Repeat("x", 1000), 400, "read the log level: http: request body too large\n", slog.LevelDebug},
		{http.MethodPut, "ERROR", 200, "error\n", slog.LevelError},
		{http.MethodPost, "info", 405, "Method Not Allowed\n", slog.LevelError},
	}
	for _, s := range steps {
		resp := ask(t, tel, s.method, "/log/level", "", s.body)
		if got := text(t, resp); resp.StatusCode != s.status || got != s.answer || tel.Level().Level() != s.level {
			t.Errorf("%s %q: %d %q and level %v, want %d %q and %v", s.method, s.body, resp.StatusCode, got, tel.Level().Level(), s.status, s.answer, s.level)
		}
	}
	out.Reset()
	tel.Logger().Warn("below the level")
	tel.Logger().Error("at the level")
	if lines := out.String(); strings.Contains(lines, "below the level") || !strings.Contains(lines, "at the level") {
		t.Errorf("logged %q at level error", lines)
	}
}

func TestProfiles(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{})
	for target, want := range map[string]string{
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile:",
		"/debug/pprof/heap?debug=1":      "heap profile:",
		"/debug/pprof/cmdline":           "test",
		"/debug/pprof/symbol":            "num_symbols",
	} {
		resp := ask(t, tel, http.MethodGet, target, "", "")
		if body := text(t, resp); resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, body without %q", target, resp.StatusCode, want)
		}
	}
}
