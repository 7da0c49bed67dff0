package db_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"modernc.org/sqlite"

	"firedrill/telemetry"
	"firedrill/telemetry/db"
	"firedrill/telemetry/telemetrytest"
)

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func open(t testing.TB, tel *telemetry.Telemetry, name string) *sql.DB {
	t.Helper()
	pool, err := db.Open(tel, "sqlite", "file:"+filepath.Join(t.TempDir(), name), db.Options{Name: name, System: "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

// products returns a database with a table. It creates no spans.
func products(t testing.TB, tel *telemetry.Telemetry) *sql.DB {
	t.Helper()
	pool := open(t, tel, "catalog")
	if _, err := pool.ExecContext(t.Context(), "CREATE TABLE products (id TEXT PRIMARY KEY, stock BIGINT)"); err != nil {
		t.Fatal(err)
	}
	return pool
}

// TestOpenConnector checks that a connector's pool has the same spans and
// metrics as a named driver's.
func TestOpenConnector(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool, err := db.OpenConnector(tel, memory{}, db.Options{Name: "catalog", System: "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx, parent := tel.TracerProvider().Tracer("test").Start(t.Context(), "request")
	if _, err := pool.ExecContext(ctx, "CREATE TABLE products (id TEXT)"); err != nil {
		t.Fatal(err)
	}
	parent.End()
	equal(t, names(recorder.Ended()), []string{"CREATE catalog", "request"})
	equal(t, telemetrytest.Series(t, tel.Registry(), "go_sql_open_connections"), map[string]float64{"db_name=catalog": 1})
	if _, err := db.OpenConnector(tel, memory{}, db.Options{}); err == nil {
		t.Error("a database without a name was opened")
	}
}

// memory connects to a database in memory.
type memory struct{}

func (memory) Connect(context.Context) (driver.Conn, error) {
	return memory{}.Driver().Open(":memory:")
}
func (memory) Driver() driver.Driver { return &sqlite.Driver{} }

func names(spans []sdktrace.ReadOnlySpan) (all []string) {
	for _, s := range spans {
		all = append(all, s.Name())
	}
	return all
}

func TestQueriesInATraceHaveSpans(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool := products(t, tel)
	ctx, parent := tel.TracerProvider().Tracer("test").Start(t.Context(), "request")

	const insert = "INSERT INTO products (id, stock) VALUES ($1, $2)"
	if _, err := pool.ExecContext(ctx, insert, "secret-id", 4711); err != nil {
		t.Fatal(err)
	}
	var stock int
	const query = "\n\tselect stock FROM products WHERE id = $1"
	if err := pool.QueryRowContext(ctx, query, "secret-id").Scan(&stock); err != nil {
		t.Fatal(err)
	}
	equal(t, stock, 4711)

	spans := recorder.Ended()
	equal(t, names(spans), []string{"INSERT catalog", "SELECT catalog"})
	for i, text := range []string{insert, query} {
		s := spans[i]
		verb, _, _ := strings.Cut(s.Name(), " ")
		equal(t, s.Parent().SpanID(), parent.SpanContext().SpanID())
		equal(t, []any{s.SpanKind(), s.Status().Code}, []any{trace.SpanKindClient, codes.Unset})
		equal(t, telemetrytest.Attributes(s.Attributes()), map[string]any{ // no arguments
			"db.system.name": "sqlite", "db.namespace": "catalog", "db.query.text": text, "db.operation.name": verb,
			"service.peer.name": "catalog-db", "peer.service": "catalog-db",
		})
	}
}

func TestTransaction(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool := products(t, tel)
	ctx, _ := tel.TracerProvider().Tracer("test").Start(t.Context(), "request")
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := pool.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE products SET stock = 0"); err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, names(recorder.Ended()), []string{
		"BEGIN catalog", "UPDATE catalog", "COMMIT catalog", "BEGIN catalog", "UPDATE catalog", "ROLLBACK catalog",
	})
}

func TestErrorIsRecordedWithoutArguments(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool := products(t, tel)
	ctx, _ := tel.TracerProvider().Tracer("test").Start(t.Context(), "request")
	for range 2 {
		_, _ = pool.ExecContext(ctx, "INSERT INTO products (id) VALUES ($1)", "secret-id")
	}
	s := recorder.Ended()[1]
	equal(t, s.Status().Code, codes.Error)
	text := s.Status().Description
	for _, e := range s.Events() {
		for _, a := range e.Attributes {
			text += " " + a.Value.AsString()
		}
	}
	if !strings.Contains(text, "UNIQUE constraint failed: products.id") || strings.Contains(text, "secret") {
		t.Errorf("the span has error %q, want the constraint and no argument", text)
	}
}

func TestQueriesOutsideATraceHaveNoSpans(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool := products(t, tel)
	if err := pool.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, len(recorder.Started()), 0)
}

func TestUnsampledTraceStaysUnsampled(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	recorder := telemetrytest.Record(t, tel)
	pool := products(t, tel)
	ctx := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1},
	}))
	if _, err := pool.ExecContext(ctx, "DELETE FROM products"); err != nil {
		t.Fatal(err)
	}
	equal(t, len(recorder.Started()), 0)
}

func TestPoolMetrics(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	open(t, tel, "archive")
	pool := products(t, tel)
	pool.SetMaxOpenConns(3)
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	want := map[string]map[string]float64{}
	for name, catalog := range map[string]float64{
		"max_open_connections": 3, "open_connections": 1, "in_use_connections": 1, "idle_connections": 0,
		"wait_count_total": 0, "wait_duration_seconds_total": 0,
		"max_idle_closed_total": 0, "max_idle_time_closed_total": 0, "max_lifetime_closed_total": 0,
	} {
		want["go_sql_"+name] = map[string]float64{"db_name=catalog": catalog, "db_name=archive": 0}
	}
	got := map[string]map[string]float64{}
	families, err := tel.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "go_sql_") {
			got[f.GetName()] = telemetrytest.Series(t, tel.Registry(), f.GetName())
		}
	}
	equal(t, got, want)
}

func TestOpenErrors(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "catalog"})
	open(t, tel, "catalog")
	tests := []struct {
		name, driver, want string
		opts               db.Options
	}{
		{"no name", "sqlite", "the name is empty", db.Options{}},
		{"unknown driver", "oracle", `open database "x": sql: unknown driver "oracle"`, db.Options{Name: "x"}},
		{"name taken", "sqlite", `register metrics of database "catalog"`, db.Options{Name: "catalog"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := db.Open(tel, tt.driver, ":memory:", tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
