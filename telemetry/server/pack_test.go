package server_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// A handler's span attributes are exported with the middleware's, each key
// once, and the SDK's limits apply.
func TestHandlerAttributesAreExported(t *testing.T) {
	tests := []struct {
		name   string
		limits map[string]string
		set    attribute.KeyValue
		want   map[string]any
		attrs  int // number of exported attributes
	}{
		{
			name: "new key", set: attribute.String("tenant", "acme"),
			want: map[string]any{"tenant": "acme", "http.route": "/tenants"}, attrs: 12,
		},
		{
			name: "key of the middleware", set: attribute.String("http.route", "/forged"),
			want: map[string]any{"http.route": "/tenants"}, attrs: 11,
		},
		{
			name: "value length limit", limits: map[string]string{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3"},
			set:  attribute.String("tenant", "acme"),
			want: map[string]any{"tenant": "acm", "http.route": "/te"}, attrs: 12,
		},
		{
			name: "attribute count limit", limits: map[string]string{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2"},
			set:  attribute.String("tenant", "acme"),
			want: map[string]any{"tenant": "acme", "http.request.method": "GET"}, attrs: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.limits {
				t.Setenv(name, value)
			}
			b := telemetrytest.NewBackend(t)
			tel := telemetrytest.New(t, b.Config("shop"))
			app := shop(t, tel, fiber.Config{}, server.Options{})
			app.Get("/tenants", func(c *fiber.Ctx) error {
				trace.SpanFromContext(c.UserContext()).SetAttributes(tt.set)
				return nil
			})
			do(t, app, http.MethodGet, "/tenants")
			telemetrytest.Flush(t, tel)
			arrived := b.Spans()[0].GetAttributes()
			got := map[string]any{}
			for _, a := range arrived {
				got[a.GetKey()] = a.GetValue().GetStringValue()
			}
			if len(arrived) != tt.attrs || len(got) != tt.attrs {
				t.Errorf("%d attributes with %d keys arrived, want %d: %v", len(arrived), len(got), tt.attrs, got)
			}
			for key, want := range tt.want {
				if got[key] != want {
					t.Errorf("%s is %q, want %q", key, got[key], want)
				}
			}
		})
	}
}
