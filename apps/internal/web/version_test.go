package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

func TestServedByVersion(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Version: "1.0.0"})
	s, err := New(t.Context(), Config{Name: "test", AdminAddr: "127.0.0.1:0"}, tel)
	if err != nil {
		t.Fatal(err)
	}
	defer s.private.Close()
	s.App().Get("/ok", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	s.App().Get("/refused", func(*fiber.Ctx) error { return Errorf(OutOfStock, "no") })
	s.App().Get("/failed", func(*fiber.Ctx) error { return errors.New("no") })
	s.App().Get("/strange", func(*fiber.Ctx) error { return Errorf("no such code", "no") })
	s.App().Get("/panic", func(*fiber.Ctx) error { panic("no") })
	s.App().Get("/canary/:version", func(c *fiber.Ctx) error {
		ServedBy(c, c.Params("version"))
		return nil
	})
	paths := []string{"/ok", "/refused", "/missing", "/failed", "/strange", "/panic", "/healthz", "/readyz"}
	for i := range mostVersions + 2 {
		paths = append(paths, fmt.Sprintf("/canary/2.%d.0", i))
	}
	for _, path := range paths {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.App().Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	want := map[string]float64{
		"outcome=ok version=1.0.0": 3, "outcome=error version=1.0.0": 3,
		"outcome=ok version=other": 2, "outcome=error version=other": 0,
	}
	for i := range mostVersions {
		want[fmt.Sprintf("outcome=ok version=2.%d.0", i)], want[fmt.Sprintf("outcome=error version=2.%d.0", i)] = 1, 0
	}
	if got := telemetrytest.Series(t, tel.Registry(), "shop_served_requests_total"); !maps.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}
