package fault

import (
	"context"
	"maps"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// A bad version can be found in each signal.
func TestBadDeploy(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	cfg := b.Config("payments")
	cfg.Version = "1.0.0"
	tel := telemetrytest.New(t, cfg)
	s := newSet(t, "payments")
	base := serve(t, s, tel)

	end := begin(t, s, "bad_deploy", map[string]any{"version": "1.1.0", "share": 0.25, "ratio": 0.5, "status": 503})
	const n = 400
	statuses := map[int]int{}
	for range n {
		statuses[get(t, base)]++
	}
	end()
	for range 10 {
		if status := get(t, base); status != 204 {
			t.Errorf("after the end: status %d, want 204", status)
		}
	}
	failed, served := statuses[503], telemetrytest.Series(t, tel.Registry(), "shop_served_requests_total")
	if failed < 30 || failed > 70 || failed+statuses[204] != n {
		t.Errorf("statuses %v: want about 50 of 503, the others 204", statuses)
	}
	canary := served["outcome=ok version=1.1.0"] + float64(failed)
	if canary < 70 || canary > 130 {
		t.Errorf("the new version served %v of %d requests, want about 100", canary, n)
	}
	if want := map[string]float64{
		"outcome=ok version=1.0.0": n - canary + 10, "outcome=error version=1.0.0": 0,
		"outcome=ok version=1.1.0": canary - float64(failed), "outcome=error version=1.1.0": float64(failed),
	}; !maps.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
	telemetrytest.Flush(t, tel)
	checkVersions(t, b, int(canary), failed)
}

// checkVersions checks that the spans and lines of the new version's requests
// have the version, and that no others have it.
func checkVersions(t *testing.T, b *telemetrytest.Backend, canary, failed int) {
	t.Helper()
	spans, failedSpans, lines, failedLines := 0, 0, 0, 0
	for _, span := range b.Spans() {
		for _, a := range span.Attributes {
			if a.Key == "service.version" && a.Value.GetStringValue() == "1.1.0" {
				spans++
				if span.Status.GetCode() == 2 {
					failedSpans++
				}
			}
		}
	}
	for _, line := range b.Lines() {
		if line.Fields["version"] == "1.1.0" {
			lines++
			if line.Fields["status"] == 503.0 {
				failedLines++
			}
		}
	}
	if spans != canary || lines != canary || failedSpans != failed || failedLines != failed {
		t.Errorf("spans %d, of them failed %d, lines %d, of them failed %d; want %d and %d", spans, failedSpans, lines, failedLines, canary, failed)
	}
}

// serve runs a service with one route and returns the route's URL.
func serve(t *testing.T, s *Set, tel *telemetry.Telemetry) string {
	t.Helper()
	server, err := web.New(t.Context(), web.Config{Name: "payments", Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Admin: s.Admin()}, tel)
	if err != nil {
		t.Fatal(err)
	}
	s.Router(server.App()).Get("/charges", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server.URL() + "/charges"
}

func get(t *testing.T, url string) (status int) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
