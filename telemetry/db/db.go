// Package db opens database/sql pools that tell what they do: a span for each
// query in a traced request, and the pool's metrics.
//
// Spans hold the text of a statement, never its arguments. The package must not
// know what is stored.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

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

// peerService is the former name of service.peer.name, which Tempo's service
// graph still reads.
const peerService = attribute.Key("peer.service")

// Open opens a pool through the named driver. As with sql.Open, nothing connects
// before the first use. A Telemetry watches one pool of a name.
func Open(tel *telemetry.Telemetry, driver, dsn string, opts Options) (*sql.DB, error) {
	if opts.Name == "" {
		return nil, errNoName
	}
	pool, err := otelsql.Open(driver, dsn, opts.tracing(tel)...)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", opts.Name, err)
	}
	return watched(tel, pool, opts)
}

// OpenConnector is Open for a driver's connector.
func OpenConnector(tel *telemetry.Telemetry, c driver.Connector, opts Options) (*sql.DB, error) {
	if opts.Name == "" {
		return nil, errNoName
	}
	return watched(tel, otelsql.OpenDB(c, opts.tracing(tel)...), opts)
}

var errNoName = errors.New("open a database: it has no name")

// watched adds the pool's metrics.
func watched(tel *telemetry.Telemetry, pool *sql.DB, opts Options) (*sql.DB, error) {
	if err := tel.Registry().Register(collectors.NewDBStatsCollector(pool, opts.Name)); err != nil {
		return nil, errors.Join(fmt.Errorf("watch database %q: %w", opts.Name, err), pool.Close())
	}
	return pool, nil
}

func (o Options) tracing(tel *telemetry.Telemetry) []otelsql.Option {
	peer := o.Name + "-db"
	return []otelsql.Option{
		otelsql.WithTracerProvider(tel.TracerProvider()),
		otelsql.WithMeterProvider(noop.NewMeterProvider()), // metrics go to the registry
		otelsql.WithAttributes(
			semconv.DBSystemNameKey.String(o.System),
			semconv.DBNamespace(o.Name),
			semconv.ServicePeerName(peer),
			peerService.String(peer),
		),
		otelsql.WithSpanNameFormatter(func(_ context.Context, m otelsql.Method, query string) string {
			return operation(m, query) + " " + o.Name
		}),
		otelsql.WithAttributesGetter(operationName),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			DisableErrSkip:       true, // it asks for another way and is no error
			OmitConnResetSession: true,
			OmitConnectorConnect: true,
			OmitRows:             true,
			SpanFilter:           traced,
		}),
	}
}

// traced keeps queries that belong to a trace; a polling loop's do not make one each.
func traced(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}

func operationName(_ context.Context, m otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.DBOperationName(operation(m, query))}
}

// operation is the statement's verb. A span is named "{operation} {database}".
// https://opentelemetry.io/docs/specs/semconv/db/database-spans/#name
func operation(m otelsql.Method, query string) string {
	switch m {
	case otelsql.MethodConnBeginTx:
		return "BEGIN"
	case otelsql.MethodTxCommit:
		return "COMMIT"
	case otelsql.MethodTxRollback:
		return "ROLLBACK"
	default:
		return verb(query, string(m)) // a ping has no query, and a query may begin with a comment
	}
}

// verb is the query's first word, or def where it begins with none.
func verb(query, def string) string {
	query = strings.TrimSpace(query)
	rest := strings.TrimLeftFunc(query, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	if len(rest) == len(query) {
		return def
	}
	return strings.ToUpper(strings.TrimSuffix(query, rest))
}
