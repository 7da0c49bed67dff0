// Package db opens database/sql pools that tell what they do: a span for each
// query in a traced request, and the pool's metrics.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/XSAM/otelsql"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
)

// Options describe the database.
type Options struct {
	Name   string // of the database, for spans and metrics
	System string // db.system.name: "sqlite", "postgresql", …
}

// Open opens a pool through the named driver. As with sql.Open, nothing connects
// before the first use.
func Open(tel *telemetry.Telemetry, driver, dsn string, opts Options) (*sql.DB, error) {
	if opts.Name == "" {
		return nil, errors.New("open a database: it has no name")
	}
	pool, err := otelsql.Open(driver, dsn,
		otelsql.WithTracerProvider(tel.TracerProvider()),
		otelsql.WithMeterProvider(noop.NewMeterProvider()), // metrics go to the registry
		otelsql.WithAttributes(
			semconv.DBSystemNameKey.String(opts.System),
			semconv.DBNamespace(opts.Name),
			attribute.String("peer.service", opts.Name+"-db"),
		),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true,
			OmitConnectorConnect: true,
			OmitRows:             true,
			SpanFilter:           traced,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", opts.Name, err)
	}
	if err := tel.Registry().Register(collectors.NewDBStatsCollector(pool, opts.Name)); err != nil {
		return nil, errors.Join(fmt.Errorf("watch database %q: %w", opts.Name, err), pool.Close())
	}
	return pool, nil
}

// traced keeps queries that belong to a trace; a polling loop's do not make one each.
func traced(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}
