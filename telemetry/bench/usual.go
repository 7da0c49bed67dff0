package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/ansrivas/fiberprometheus/v2"
	"github.com/go-kit/kit/log"
	"github.com/gofiber/contrib/otelfiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/grafana/loki-client-go/loki"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	slogfiber "github.com/samber/slog-fiber"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

type usualConfig struct {
	Backends
	ratio   float64
	metrics bool // give otelfiber a meter provider
}

// newUsual returns what Fiber users commonly combine today. Each part is set up
// as its documentation says. Where the documentation leaves a choice, this
// takes the cheaper one that loses no information: slog's JSON handler writes
// directly into Loki's client, there is one constant label set, and no request
// ids in addition to trace ids.
func newUsual(ctx context.Context, cfg usualConfig) (*stack, error) {
	registry := prometheus.NewRegistry()
	tp, ended, err := usualTraces(ctx, cfg)
	if err != nil {
		return nil, err
	}
	client, logger, err := usualLogs(cfg.Loki)
	if err != nil {
		return nil, err
	}
	opts := []otelfiber.Option{
		otelfiber.WithTracerProvider(tp),
		otelfiber.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})),
	}
	if cfg.metrics {
		exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
		if err != nil {
			return nil, fmt.Errorf("set up export of otelfiber's metrics: %w", err)
		}
		opts = append(opts, otelfiber.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))))
	}
	app := newApp()
	app.Use(otelfiber.Middleware(opts...))
	fp := fiberprometheus.NewWithRegistry(registry, "catalog", "http", "", nil)
	fp.RegisterAt(app, "/metrics")
	app.Use(fp.Middleware)
	app.Use(slogfiber.NewWithConfig(logger, slogfiber.Config{
		DefaultLevel:     slog.LevelInfo,
		ClientErrorLevel: slog.LevelWarn,
		ServerErrorLevel: slog.LevelError,
		WithUserAgent:    true,
		WithSpanID:       true,
		WithTraceID:      true,
	}))
	app.Use(recover.New())
	addRoutes(app)
	return &stack{
		app: app, registry: registry,
		flush:   tp.ForceFlush,
		sampled: func() (int, error) { return int(ended.Load()), nil },
		close: func(ctx context.Context) error {
			client.Stop()
			return errors.Join(tp.Shutdown(ctx))
		},
	}, nil
}

func usualTraces(ctx context.Context, cfg usualConfig) (*sdktrace.TracerProvider, *endCounter, error) {
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(cfg.OTLP))
	if err != nil {
		return nil, nil, fmt.Errorf("set up span export to %s: %w", cfg.OTLP, err)
	}
	ended := &endCounter{}
	tp := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.ratio))),
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSpanProcessor(ended),
		sdktrace.WithResource(resource.NewWithAttributes(semconv.SchemaURL,
			semconv.ServiceName("catalog"), semconv.ServiceVersion("1.0.0"))),
	)
	return tp, ended, nil
}

// endCounter counts sampled spans, because the batch processor does not report
// what it drops. It costs a few nanoseconds per span.
type endCounter struct{ atomic.Int64 }

func (*endCounter) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (c *endCounter) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.Add(1)
	}
}
func (*endCounter) Shutdown(context.Context) error   { return nil }
func (*endCounter) ForceFlush(context.Context) error { return nil }

func usualLogs(url string) (*loki.Client, *slog.Logger, error) {
	cfg, err := loki.NewDefaultConfig(url + "/loki/api/v1/push")
	if err != nil {
		return nil, nil, fmt.Errorf("set up log push to %s: %w", url, err)
	}
	client, err := loki.NewWithLogger(cfg, log.NewLogfmtLogger(os.Stderr))
	if err != nil {
		return nil, nil, fmt.Errorf("set up log push to %s: %w", url, err)
	}
	w := lokiWriter{client, model.LabelSet{"service_name": "catalog"}}
	return client, slog.New(slog.NewJSONHandler(w, nil)), nil
}

// lokiWriter pushes each line that slog writes as one entry.
type lokiWriter struct {
	client *loki.Client
	labels model.LabelSet
}

func (w lokiWriter) Write(line []byte) (int, error) {
	return len(line), w.client.Handle(w.labels, time.Now(), string(line[:len(line)-1]))
}
