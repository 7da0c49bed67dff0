package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// An error often quotes what the client sent. An OTLP receiver rejects a whole
// batch if one text is not valid UTF-8.
func TestErrorWithInvalidUTF8LosesNoSpans(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	app.Get("/quote/:text", func(*fiber.Ctx) error {
		return fmt.Errorf("no product %s", []byte{'a', 0xff, 'b'})
	})
	do(t, app, "GET", "/quote/x")
	telemetrytest.Flush(t, tel)
	if n := len(b.Spans()); n != 1 {
		t.Fatalf("%d spans arrived, want 1", n)
	}
	event := b.Spans()[0].GetEvents()[0]
	for _, a := range event.GetAttributes() {
		if a.GetKey() == "exception.message" {
			equal(t, a.GetValue().GetStringValue(), "no product a\ufffdb")
		}
		if !utf8.ValidString(a.GetValue().GetStringValue()) {
			t.Errorf("%s is not UTF-8", a.GetKey())
		}
	}
	equal(t, request(t, b).Fields["error"], any("no product a\ufffdb"))
}

// A function that returns a nil *fiber.Error through an error result gives an
// error that is not nil and whose methods panic.
func TestErrorWhoseMethodsPanic(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("shop"))
	app := shop(t, tel, fiber.Config{}, server.Options{})
	app.Get("/nil", func(*fiber.Ctx) error { return (*fiber.Error)(nil) })
	status, _ := do(t, app, "GET", "/nil")
	equal(t, status, http.StatusInternalServerError)
	telemetrytest.Flush(t, tel)
	equal(t, counted(t, tel), map[string]uint64{"GET /nil 500": 1})
	equal(t, request(t, b).Fields["error"], any("!PANIC: runtime error: invalid memory address or nil pointer dereference"))
	equal(t, len(b.Spans()), 1)
}

func TestProtocolVersion(t *testing.T) {
	for version, want := range map[string]string{"HTTP/1.0": "1.0", "HTTP/1.1": "1.1"} {
		tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
		recorder := telemetrytest.Record(t, tel)
		app := shop(t, tel, fiber.Config{}, server.Options{})
		app.Handler() // registers the routes
		if err := app.Server().ServeConn(wire{strings.NewReader("GET /healthz " + version + "\r\nHost: shop\r\n\r\n"), io.Discard}); err != nil {
			t.Fatal(err)
		}
		span := recorder.Ended()[0]
		equal(t, telemetrytest.Attributes(span.Attributes())["network.protocol.version"], any(want))
	}
}
