package server_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

func TestAddLogAttr(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	app.Get("/canary", func(c *fiber.Ctx) error {
		server.AddLogAttr(c, slog.String("version", "2.0.0"))
		server.AddLogAttr(c, slog.Int("basket", 3))
		return c.SendStatus(http.StatusNoContent)
	})
	do(t, app, http.MethodGet, "/canary")
	do(t, app, http.MethodGet, "/products/7")
	telemetrytest.Flush(t, tel)
	got := map[any]map[string]any{}
	for _, line := range b.Lines() {
		got[line.Fields["route"]] = line.Fields
	}
	if l := got["/canary"]; l["version"] != "2.0.0" || l["basket"] != 3.0 {
		t.Errorf("the line of /canary is %v, want both attributes", l)
	}
	if l := got["/products/:id"]; l == nil || l["version"] != nil {
		t.Errorf("the line of /products/:id is %v, want no version", l)
	}
}
