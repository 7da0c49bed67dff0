package capacity

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
)

// senders is the number of synthetic services that send lines or spans. Each has one stream of lines.
const senders = 16

// beat is how often a sender sends.
const beat = 10 * time.Millisecond

// signals is a load of log lines or spans. It sends them as the shop does, with the telemetry library.
type signals struct {
	rate atomic.Uint64 // bits of a float64: units per second of each sender
	sent atomic.Uint64 // units
	done sync.WaitGroup
	stop func() // stops the senders and sends what is queued
}

// Lines returns a load for the Loki at a URL. Its rate is in lines per second. Each line has the fields of a
// request's line.
func Lines(ctx context.Context, loki string) (Drive, error) {
	return newSignals(ctx, telemetry.Config{Logs: telemetry.LogsConfig{LokiURL: loki, Output: io.Discard, QueueBytes: 64 << 20}}, sendLine)
}

// Spans returns a load for the Tempo with the OTLP gRPC receiver at a URL. Its rate is in spans per second; a
// trace has four spans.
func Spans(ctx context.Context, otlp string) (Drive, error) {
	return newSignals(ctx, telemetry.Config{
		Logs:   telemetry.LogsConfig{Output: io.Discard},
		Traces: telemetry.TracesConfig{Endpoint: otlp, Sampler: telemetry.SamplerAlways, QueueSpans: 1 << 16},
	}, sendTrace)
}

// newSignals starts the senders at rate 0. send sends once and returns the number of units.
func newSignals(ctx context.Context, cfg telemetry.Config, send func(context.Context, *telemetry.Telemetry) int) (Drive, error) {
	sending, cancel := context.WithCancel(ctx)
	s := &signals{}
	var tels []*telemetry.Telemetry
	s.stop = func() {
		cancel()
		s.done.Wait()
		flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		for _, tel := range tels {
			_ = tel.Shutdown(flushing) // a program at its limit may refuse the rest
		}
	}
	for i := range senders {
		cfg.Service = fmt.Sprintf("ramp-%d", i+1)
		tel, err := telemetry.New(ctx, cfg)
		if err != nil {
			s.stop()
			return nil, fmt.Errorf("prepare a load of signals: %w", err)
		}
		tels = append(tels, tel)
		s.done.Go(func() { s.send(sending, tel, send) })
	}
	return s, nil
}

// send sends at the current rate until the context ends.
func (s *signals) send(ctx context.Context, tel *telemetry.Telemetry, once func(context.Context, *telemetry.Telemetry) int) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	last, due := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			due += now.Sub(last).Seconds() * math.Float64frombits(s.rate.Load())
			last = now
			for due >= 1 && ctx.Err() == nil {
				n := once(ctx, tel)
				s.sent.Add(uint64(n))
				due -= float64(n)
			}
		}
	}
}

// Set implements Drive.
func (s *signals) Set(_ context.Context, rate float64) error {
	s.rate.Store(math.Float64bits(rate / senders))
	return nil
}

// Sent implements Drive.
func (s *signals) Sent() float64 { return float64(s.sent.Load()) }

// Close implements Drive.
func (s *signals) Close() error {
	s.stop()
	return nil
}

// sendLine logs the line of one request.
func sendLine(ctx context.Context, tel *telemetry.Telemetry) int {
	tel.Logger().InfoContext(ctx, "request served",
		slog.String("method", "POST"), slog.String("route", "/orders"), slog.String("path", "/orders"), slog.Int("status", 201),
		slog.Float64("duration_seconds", 0.0234), slog.Int("request_bytes", 64), slog.Int("response_bytes", 512),
		slog.String("user", "user-0001"), slog.String("client", "192.0.2.1"), slog.String("user_agent", "firedrill"),
		slog.String("request_id", "00000000-0000-4000-8000-000000000000"))
	return 1
}

// sendTrace creates the spans of a request that calls other services.
func sendTrace(ctx context.Context, tel *telemetry.Telemetry) int {
	tracer := tel.TracerProvider().Tracer("firedrill/deploy/capacity")
	attributes := trace.WithAttributes(
		attribute.String("http.request.method", "POST"), attribute.String("http.route", "/orders"), attribute.Int("http.response.status_code", 201),
		attribute.String("url.scheme", "http"), attribute.String("server.address", "orders"), attribute.Int("server.port", 8002),
		attribute.String("client.address", "192.0.2.1"), attribute.String("user_agent.original", "firedrill"),
	)
	ctx, served := tracer.Start(ctx, "POST /orders", trace.WithSpanKind(trace.SpanKindServer), attributes)
	for _, name := range []string{"POST", "INSERT orders", "publish orders.confirmed"} {
		_, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), attributes)
		span.End()
	}
	served.End()
	return 4
}
