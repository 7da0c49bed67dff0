package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
)

var errNoStock = errors.New("no stock left")

// shop returns an instrumented application with routes for each kind of
// response.
func shop(t testing.TB, tel *telemetry.Telemetry, cfg fiber.Config, opts server.Options) *fiber.App {
	t.Helper()
	cfg.DisableStartupMessage = true
	app := fiber.New(cfg)
	if err := server.Instrument(app, tel, opts); err != nil {
		t.Fatal(err)
	}
	app.Use("/", func(c *fiber.Ctx) error { return c.Next() }) // like CORS and similar middleware
	app.Get("/products/:id", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"id": c.Params("id")}) })
	app.Get("/missing", func(*fiber.Ctx) error { return fiber.ErrNotFound })
	app.Post("/orders", func(*fiber.Ctx) error { return fmt.Errorf("place order: %w", errNoStock) })
	app.Get("/panic", func(*fiber.Ctx) error { panic("kaboom") })
	app.Get("/broken", func(*fiber.Ctx) error { return fiber.NewError(http.StatusServiceUnavailable, "bank is down") })
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/stream", func(c *fiber.Ctx) error {
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { fmt.Fprint(w, "streamed") })
		return nil
	})
	return app
}

// mapped is an error handler that maps a domain error to a status.
func mapped(c *fiber.Ctx, err error) error {
	if errors.Is(err, errNoStock) {
		return c.Status(http.StatusConflict).SendString("sold out")
	}
	return fiber.DefaultErrorHandler(c, err)
}

func do(t testing.TB, app *fiber.App, method, target string, edit ...func(*http.Request)) (int, string) {
	t.Helper()
	req := httptest.NewRequest(method, target, nil)
	for _, f := range edit {
		f(req)
	}
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// counts returns the number of requests of each series, keyed by "METHOD route
// status".
func counts(t testing.TB, tel *telemetry.Telemetry) map[string]uint64 {
	t.Helper()
	got := map[string]uint64{}
	for _, m := range family(t, tel, "http_server_request_duration_seconds").GetMetric() {
		l := labels(m)
		got[l["http_request_method"]+" "+l["http_route"]+" "+l["http_response_status_code"]] = m.GetHistogram().GetSampleCount()
	}
	return got
}

func counted(t testing.TB, tel *telemetry.Telemetry) map[string]uint64 {
	got := counts(t, tel)
	for k, n := range got {
		if n == 0 {
			delete(got, k)
		}
	}
	return got
}

func family(t testing.TB, tel *telemetry.Telemetry, name string) *dto.MetricFamily {
	t.Helper()
	families, err := tel.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

func labels(m *dto.Metric) map[string]string {
	l := map[string]string{}
	for _, p := range m.GetLabel() {
		l[p.GetName()] = p.GetValue()
	}
	return l
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func attrs(s *tracepb.Span) map[string]any {
	got := map[string]any{}
	for _, a := range s.GetAttributes() {
		switch v := a.GetValue(); {
		case v.GetStringValue() != "":
			got[a.GetKey()] = v.GetStringValue()
		default:
			got[a.GetKey()] = v.GetIntValue()
		}
	}
	return got
}
