// Package telemetry gives one service its metrics, logs and traces: a slog
// logger whose lines go to Loki, a Prometheus registry, an OpenTelemetry tracer
// provider that exports over OTLP, and the handler of its admin listener.
//
// The sub-packages instrument what a service is made of: server (Fiber v2),
// client (net/http), db (database/sql), messaging (NATS).
//
// It holds no global state, so that two instances in one process do not meet,
// and it must not know what the service does: it imports nothing of this module.
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

// Telemetry is what one service tells about itself. Its methods are safe for
// concurrent use.
type Telemetry struct {
	cfg        Config
	registry   *prometheus.Registry
	logger     *slog.Logger
	level      *slog.LevelVar
	provider   *sdktrace.TracerProvider
	propagator propagation.TextMapPropagator
	closers    []func(context.Context) error
}

// New starts the telemetry of one service. An empty Config is valid: it then
// writes JSON lines to standard output and exports nothing.
//
// Backends need not be up: what cannot be sent waits in bounded queues.
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
		return nil, fmt.Errorf("prepare the push of logs to %s: %w", t.cfg.Logs.LokiURL, err)
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
			return fmt.Errorf("prepare the export of spans to %s: %w", t.cfg.Traces.Endpoint, err)
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

// Service returns the name of the service, as given to New.
func (t *Telemetry) Service() string { return t.cfg.Service }

// Version returns the service's version, as given to New.
func (t *Telemetry) Version() string { return t.cfg.Version }

// Logger returns the service's logger. Log with a context (InfoContext) so that
// the line carries the ids of the span in it.
func (t *Telemetry) Logger() *slog.Logger { return t.logger }

// Level is the least level that is logged. It may be set at any time; the admin
// listener's /log/level does.
func (t *Telemetry) Level() *slog.LevelVar { return t.level }

// Registry holds every metric of the service. Nothing is registered elsewhere.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }

// TracerProvider makes the tracers of the service.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.provider }

// Propagator carries the trace context over process borders.
func (t *Telemetry) Propagator() propagation.TextMapPropagator { return t.propagator }

// Shutdown sends what is queued and stops. It returns when all is sent or ctx
// ends, whichever is first; what was not sent by then is counted as dropped.
// Lines logged and spans ended afterwards are dropped and counted as well.
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
