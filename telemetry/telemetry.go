// Package telemetry provides metrics, logs and traces for one service: a slog
// logger that pushes lines to Loki, a Prometheus registry, an OpenTelemetry
// tracer provider that exports over OTLP, and the handler of an admin listener.
//
// The sub-packages instrument the parts of a service: server (Fiber v2), client
// (net/http), db (database/sql) and messaging (NATS).
//
// The package has no global state, so two instances can run in one process. It
// must not know what the service does, so it imports nothing of this module.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry holds the metrics, logs and traces of one service. Its methods are
// safe for concurrent use.
type Telemetry struct {
	cfg        Config
	registry   *prometheus.Registry
	logger     *slog.Logger
	level      *slog.LevelVar
	provider   *sdktrace.TracerProvider
	propagator propagation.TextMapPropagator
	closers    []func(context.Context) error
}

// New starts the telemetry of one service. An empty Config is valid: it writes
// JSON lines to standard output and exports nothing. New returns an error if
// cfg is invalid or an exporter cannot be set up.
//
// The backends need not be up. Items that cannot be sent wait in bounded
// queues.
func New(ctx context.Context, cfg Config) (*Telemetry, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure telemetry of %q: %w", cfg.Service, err)
	}
	t := &Telemetry{
		cfg:        cfg,
		registry:   prometheus.NewRegistry(),
		level:      new(slog.LevelVar),
		propagator: cfg.propagator(),
	}
	t.level.Set(cfg.Logs.Level)
	registerProcess(t.registry, cfg)
	self := newSelf(t.registry)

	logs, err := t.startLogs(self)
	if err != nil {
		return nil, err
	}
	t.logger = slog.New(logs)

	if err := t.startTraces(ctx, self); err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	logLimits(t.logger)
	return t, nil
}

func (t *Telemetry) startLogs(self *selfMetrics) (*Handler, error) {
	h := newHandler(t.level, t.cfg.Service, t.cfg.Logs.Output)
	if t.cfg.Logs.LokiURL == "" {
		return h, nil
	}
	sender, err := newLokiSender(t.cfg)
	if err != nil {
		return nil, fmt.Errorf("set up log push to %s: %w", t.cfg.Logs.LokiURL, err)
	}
	fence := newFence(fenceConfig{
		Limit:   t.cfg.Logs.QueueBytes,
		Batch:   t.cfg.Logs.BatchBytes,
		Delay:   t.cfg.Logs.Delay,
		Timeout: t.cfg.Logs.Timeout,
	}, sender.send, self.signal("logs"))
	self.watch("logs", t.cfg.Logs.QueueBytes, fence.snapshot)
	h.push = fence.put
	t.closers = append(t.closers, func(ctx context.Context) error {
		defer sender.close()
		return fence.close(ctx)
	})
	return h, nil
}

func (t *Telemetry) startTraces(ctx context.Context, self *selfMetrics) error {
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(t.cfg.resource()),
		sdktrace.WithSampler(t.cfg.sampler()),
	}
	if t.cfg.Traces.Endpoint != "" {
		exporter, err := newSpanExporter(ctx, t.cfg)
		if err != nil {
			return fmt.Errorf("set up span export to %s: %w", t.cfg.Traces.Endpoint, err)
		}
		fence := newFence(fenceConfig{
			Limit:   t.cfg.Traces.QueueSpans,
			Batch:   t.cfg.Traces.BatchSpans,
			Delay:   t.cfg.Traces.Delay,
			Timeout: t.cfg.Traces.Timeout,
		}, exporter.send, self.signal("traces"))
		self.watch("traces", t.cfg.Traces.QueueSpans, fence.snapshot)
		opts = append(opts, sdktrace.WithSpanProcessor(spanProcessor{fence}))
		t.closers = append(t.closers, func(ctx context.Context) error {
			return errors.Join(fence.close(ctx), exporter.client.Stop(ctx))
		})
	}
	t.provider = sdktrace.NewTracerProvider(opts...)
	return nil
}

// Service returns the service's name. It is never empty.
func (t *Telemetry) Service() string { return t.cfg.Service }

// Version returns the service's version, which may be empty.
func (t *Telemetry) Version() string { return t.cfg.Version }

// Logger returns the service's logger. Log with a context (InfoContext) so that
// the line carries the trace and span ids of that context.
func (t *Telemetry) Logger() *slog.Logger { return t.logger }

// Level returns the minimum level that is logged. It may be changed at any
// time; the admin listener's /log/level changes it.
func (t *Telemetry) Level() *slog.LevelVar { return t.level }

// Registry returns the registry that holds every metric of the service.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }

// TracerProvider returns the provider of the service's tracers.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.provider }

// Propagator returns the propagator that carries the trace context between
// processes.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { return t.propagator }

// Shutdown sends the queued items and stops. It returns when everything is sent
// or ctx ends, whichever is first. Items that are not sent by then, and lines
// and spans that come later, are counted as dropped.
//
// It returns an error that says how many items were dropped when ctx ended.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	errs := make(chan error, len(t.closers))
	for _, stop := range t.closers {
		go func() { errs <- stop(ctx) }()
	}
	var all []error
	for range t.closers {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
