//go:build !race

package server_test

import (
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// TestAllocationsOfARequest limits the allocations that instrumentation adds to
// a request. The counts are exact and repeatable. Batches are not sent during
// the test, so only the request's own path counts.
func TestAllocationsOfARequest(t *testing.T) {
	tests := []struct {
		name    string
		sampler telemetry.Sampler
		ratio   float64
		most    float64
	}{
		{"always sampled", telemetry.SamplerParentAlways, 1, 8},
		{"10 % sampled", telemetry.SamplerParentRatio, 0.1, 5},
		{"never sampled", telemetry.SamplerNever, 0, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := telemetrytest.NewBackend(t)
			cfg := b.Config("shop")
			cfg.Traces.Sampler, cfg.Traces.Ratio = tt.sampler, tt.ratio
			cfg.Traces.Delay, cfg.Logs.Delay = time.Hour, time.Hour
			cfg.Traces.QueueSpans, cfg.Traces.BatchSpans = 1<<20, 1<<20
			cfg.Logs.QueueBytes, cfg.Logs.BatchBytes = 1<<30, 1<<30
			tel := telemetrytest.New(t, cfg)
			app := fiber.New(fiber.Config{DisableStartupMessage: true})
			bare := allocations(app)
			app = fiber.New(fiber.Config{DisableStartupMessage: true})
			if err := server.Instrument(app, tel, server.Options{}); err != nil {
				t.Fatal(err)
			}
			got := allocations(app) - bare
			t.Logf("%.2f allocations per request", got)
			if got > tt.most {
				t.Errorf("%.2f allocations per request, want at most %v", got, tt.most)
			}
		})
	}
}

func allocations(app *fiber.App) float64 {
	app.Get("/products/:id", func(*fiber.Ctx) error { return nil })
	app.Handler() // registers the routes
	handler := app.Server().Handler

	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI("/products/7?size=L")
	ctx.Request.Header.SetHost("shop.example:8000")
	ctx.Request.Header.SetUserAgent("curl/8.5.0")
	return testing.AllocsPerRun(2000, func() {
		ctx.ResetUserValues()
		ctx.Response.Reset()
		handler(&ctx)
	})
}
