package telemetry_test

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// parent returns a context with a span that another process started.
func parent(ctx context.Context, flags trace.TraceFlags) context.Context {
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: true,
	}))
}

// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
func TestSamplers(t *testing.T) {
	tests := []struct {
		sampler telemetry.Sampler
		ratio   float64

		root, afterSampled, afterUnsampled bool
	}{
		{"", 0, true, true, false}, // the default; ratio does not matter
		{telemetry.SamplerAlways, 0, true, true, true},
		{telemetry.SamplerNever, 1, false, false, false},
		{telemetry.SamplerRatio, 1, true, true, true},
		{telemetry.SamplerRatio, 0, false, false, false},
		{telemetry.SamplerParentAlways, 0, true, true, false},
		{telemetry.SamplerParentNever, 1, false, true, false},
		{telemetry.SamplerParentRatio, 1, true, true, false},
		{telemetry.SamplerParentRatio, 0, false, true, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.sampler), func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Traces: telemetry.TracesConfig{Sampler: tt.sampler, Ratio: tt.ratio}})
			for name, c := range map[string]struct {
				ctx  context.Context
				want bool
			}{
				"root":                   {t.Context(), tt.root},
				"after a sampled span":   {parent(t.Context(), trace.FlagsSampled), tt.afterSampled},
				"after an unsampled one": {parent(t.Context(), 0), tt.afterUnsampled},
			} {
				_, span := tel.TracerProvider().Tracer("test").Start(c.ctx, "span")
				if got := span.SpanContext().IsSampled(); got != c.want {
					t.Errorf("%s with ratio %v: sampled %v, want %v", name, tt.ratio, got, c.want)
				}
			}
		})
	}
}

func TestRatioSamplerKeepsRatio(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Traces: telemetry.TracesConfig{Sampler: telemetry.SamplerParentRatio, Ratio: .25}})
	const traces = 10_000
	kept := 0
	for range traces {
		if _, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "span"); span.SpanContext().IsSampled() {
			kept++
		}
	}
	// The slack is ten standard deviations of a binomial distribution. The test
	// fails by chance once in 10^23 runs.
	if slack := 10 * math.Sqrt(traces*.25*.75); math.Abs(float64(kept)-traces*.25) > slack {
		t.Errorf("kept %d of %d traces, want %d ± %.0f", kept, traces, traces/4, slack)
	}
}

func TestPropagators(t *testing.T) {
	tests := []struct {
		propagators []string
		want        string
	}{
		{nil, "traceparent tracestate baggage"},
		{[]string{"tracecontext"}, "traceparent tracestate"},
		{[]string{"baggage"}, "baggage"},
		{[]string{"none"}, ""},
	}
	for _, tt := range tests {
		tel := telemetrytest.New(t, telemetry.Config{Propagators: tt.propagators})
		fields := map[string]bool{}
		for _, f := range tel.Propagator().Fields() {
			fields[f] = true
		}
		want := strings.Fields(tt.want)
		for _, f := range want {
			if !fields[f] {
				t.Errorf("%v: field %s is missing", tt.propagators, f)
			}
		}
		if len(fields) != len(want) {
			t.Errorf("%v: fields %v, want %v", tt.propagators, fields, want)
		}
	}
}

func TestInvalidConfigs(t *testing.T) {
	traces := func(c telemetry.TracesConfig) telemetry.Config { return telemetry.Config{Service: "orders", Traces: c} }
	logs := func(c telemetry.LogsConfig) telemetry.Config { return telemetry.Config{Service: "orders", Logs: c} }
	tests := []struct {
		cfg  telemetry.Config
		want string
	}{
		{traces(telemetry.TracesConfig{Protocol: "udp"}), `OTLP protocol "udp"`},
		{traces(telemetry.TracesConfig{Endpoint: "tempo:4317"}), `OTLP endpoint "tempo:4317"`},
		{traces(telemetry.TracesConfig{Sampler: "dice"}), `sampler "dice"`},
		{traces(telemetry.TracesConfig{Sampler: telemetry.SamplerRatio, Ratio: 2}), "sampling ratio 2"},
		{traces(telemetry.TracesConfig{Sampler: telemetry.SamplerRatio, Ratio: math.NaN()}), "sampling ratio NaN"},
		{traces(telemetry.TracesConfig{QueueSpans: 1, BatchSpans: 2}), "span queue of 1, batch of 2"},
		{traces(telemetry.TracesConfig{BatchSpans: -1}), "batch of -1"},
		{traces(telemetry.TracesConfig{Delay: -time.Second}), "must be greater than 0"},
		{logs(telemetry.LogsConfig{LokiURL: "loki"}), `Loki URL "loki"`},
		{logs(telemetry.LogsConfig{QueueBytes: 1, BatchBytes: 2}), "log queue of 1 bytes, batch of 2"},
		{logs(telemetry.LogsConfig{Timeout: -1}), "must be greater than 0"},
		{telemetry.Config{Service: "orders", Propagators: []string{"b3"}}, `propagator "b3"`},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			_, err := telemetry.New(t.Context(), tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `configure telemetry of "orders"`) {
				t.Errorf("error %v, want a configuration error for orders with %q", err, tt.want)
			}
		})
	}
	for name, cfg := range map[string]telemetry.Config{
		"small span queue": traces(telemetry.TracesConfig{QueueSpans: 10}),
		"small log queue":  logs(telemetry.LogsConfig{QueueBytes: 1000, Level: slog.LevelDebug}),
	} {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
