package telemetry_test

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/gofiber/fiber/v2"
	_ "modernc.org/sqlite"

	"firedrill/internal/contract"
	"firedrill/telemetry"
	"firedrill/telemetry/client"
	"firedrill/telemetry/db"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

var update = flag.Bool("update", false, "write the golden files")

// everything is the telemetry of a service that uses all of the library, after
// whatever gives a metric its labels has happened once.
func everything(t testing.TB) *telemetry.Telemetry {
	t.Helper()
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("catalog"))
	tel.AdminHandler() // it counts what goes wrong with it

	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if err := server.Instrument(app, tel, server.Options{}); err != nil {
		t.Fatal(err)
	}
	app.Get("/products/:id", func(*fiber.Ctx) error { return errors.New("no product") })
	resp, err := app.Test(httptest.NewRequest(http.MethodGet, "/products/7", nil), -1)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	peer, err := client.New(tel, client.Options{Peer: "bank"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.CloseIdleConnections()
	req, err := http.NewRequestWithContext(client.WithAttempt(t.Context(), 1), http.MethodGet, b.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = peer.Do(req); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	dsn := "file:" + filepath.Join(t.TempDir(), "catalog.db")
	pool, err := db.Open(tel, "sqlite", dsn, db.Options{Name: "catalog", System: "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	if err := pool.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tel
}

func TestMetricsAreThoseOfTheContract(t *testing.T) {
	got, err := contract.Describe(everything(t).Registry())
	if err != nil {
		t.Fatal(err)
	}
	telemetrytest.Contract(t, "metrics.json", *update, got)
}

func TestMetricsPassPrometheusLint(t *testing.T) {
	telemetrytest.Lint(t, everything(t).Registry())
}
