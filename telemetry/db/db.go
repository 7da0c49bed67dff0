// Package db opens database/sql pools with tracing and metrics: a span for each
// query in a traced request, and the pool's metrics.
//
// Spans contain the text of a statement, never its arguments. The package must
// not know what is stored.
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
	Name   string // database name in spans and metrics; required
	System string // db.system.name: "sqlite", "postgresql", …
}

// peerService is the old name of service.peer.name. Tempo's service graph still
// reads it.
const peerService = attribute.Key("peer.service")

// Open opens a pool with the named driver. As with sql.Open, nothing connects
// before the first use. A Telemetry accepts one pool per name: Open returns an
// error if the name is empty or in use.
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

// OpenConnector is like Open, but takes a driver's connector.
func OpenConnector(tel *telemetry.Telemetry, c driver.Connector, opts Options) (*sql.DB, error) {
	if opts.Name == "" {
		return nil, errNoName
	}
	return watched(tel, otelsql.OpenDB(c, opts.tracing(tel)...), opts)
}

var errNoName = errors.New("open database: the name is empty")

// watched registers the pool's metrics.
func watched(tel *telemetry.Telemetry, pool *sql.DB, opts Options) (*sql.DB, error) {
	if err := tel.Registry().Register(collectors.NewDBStatsCollector(pool, opts.Name)); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics of database %q: %w", opts.Name, err), pool.Close())
	}
	return pool, nil
}

func (o Options) tracing(tel *telemetry.Telemetry) []otelsql.Option {
	peer := o.Name + "-db"
	return []otelsql.Option{
		otelsql.WithTracerProvider(tel.TracerProvider()),
		otelsql.WithMeterProvider(noop.NewMeterProvider()), // the Prometheus registry has the metrics instead
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
			DisableErrSkip:       true, // ErrSkip means "use another method" and is not an error
			OmitConnResetSession: true,
			OmitConnectorConnect: true,
			OmitRows:             true,
			SpanFilter:           traced,
		}),
	}
}

// traced reports whether ctx belongs to a trace. A polling loop's queries do
// not start a trace each.
func traced(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}

func operationName(_ context.Context, m otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.DBOperationName(operation(m, query))}
}

// operation returns the statement's verb, such as SELECT. A span is named
// "{operation} {database}".
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
		return verb(query, string(m)) // a ping has no query, and a query may start with a comment
	}
}

// verb returns the query's first word in capitals, or def if the query does not
// start with a letter.
func verb(query, def string) string {
	query = strings.TrimSpace(query)
	rest := strings.TrimLeftFunc(query, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	if len(rest) == len(query) {
		return def
	}
	return strings.ToUpper(strings.TrimSuffix(query, rest))
}
