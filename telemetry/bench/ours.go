package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
)

// newOurs returns firedrill/telemetry, set up as its README shows.
func newOurs(ctx context.Context, ratio float64, b Backends) (*stack, error) {
	tel, err := telemetry.New(ctx, telemetry.Config{
		Service: "catalog",
		Version: "1.0.0",
		Traces: telemetry.TracesConfig{
			Endpoint: b.OTLP,
			Sampler:  telemetry.SamplerParentRatio,
			Ratio:    ratio,
		},
		Logs: telemetry.LogsConfig{LokiURL: b.Loki},
	})
	if err != nil {
		return nil, err
	}
	app := newApp()
	if err := server.Instrument(app, tel, server.Options{}); err != nil { //nolint:contextcheck // it starts nothing
		return nil, err
	}
	addRoutes(app)
	return &stack{
		app: app, registry: tel.Registry(),
		flush:   func(context.Context) error { return nil }, // it sends within a second
		sampled: func() (int, error) { return taken(tel.Registry(), "traces") },
		close:   tel.Shutdown,
	}, nil
}

// taken returns the number of items of a signal that were queued or dropped
// because the queue was full.
func taken(registry prometheus.Gatherer, signal string) (int, error) {
	families, err := registry.Gather()
	if err != nil {
		return 0, fmt.Errorf("gather metrics of %s: %w", signal, err)
	}
	total := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["signal"] != signal {
				continue
			}
			switch {
			case f.GetName() == "telemetry_enqueued_items_total",
				f.GetName() == "telemetry_dropped_items_total" && labels["reason"] == "queue_full":
				total += m.GetCounter().GetValue()
			}
		}
	}
	return int(total), nil
}
