// Package storage opens a service's database and applies its migrations. The
// database is a SQLite file or a schema in PostgreSQL.
//
// It must not know what is stored. The services write SQL that both databases
// understand: $1 placeholders, BIGINT for money and for times in microseconds
// since 1970, ON CONFLICT and RETURNING. Instead of explicit locks, which only
// one of the two supports, an UPDATE's WHERE clause states what must still be
// true.
package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"firedrill/telemetry"
	"firedrill/telemetry/db"
)

// patience is how long Open waits for a database server to start.
const patience = 15 * time.Second

// Options configure the connections between a pool and its database.
type Options struct {
	Telemetry *telemetry.Telemetry // nil: queries have no spans and no metrics
	// Dial connects to PostgreSQL. If nil, pgx dials. The address is host:port,
	// with the host as in the database's URL.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Wrap wraps the driver's connector, below telemetry. It may be nil.
	Wrap func(driver.Connector) driver.Connector
}

// Open opens the database of a service and applies its migrations, the *.sql
// files in the folder "migrations". database is a URL (postgres://…) or the
// path of a SQLite file. In PostgreSQL each service has its own schema. It is
// named after the service, with the URL's search_path as a prefix if there is
// one. Open waits up to 15 s for a database server to start.
func Open(ctx context.Context, service, database string, migrations fs.FS, opts Options) (*sql.DB, error) {
	s, err := sourceOf(service, database)
	if err != nil {
		return nil, fmt.Errorf("open database of %q: %w", service, err)
	}
	pool, err := s.open(opts)
	if err != nil {
		return nil, fmt.Errorf("open database of %q: %w", service, err)
	}
	if err := s.prepare(ctx, pool, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare database of %q: %w", service, err), pool.Close())
	}
	return pool, nil
}

// source describes where a service's data is stored.
type source struct {
	service string
	schema  string // in PostgreSQL
	dialect goose.Dialect
	system  string // OpenTelemetry's name of the database
	dsn     string
	conns   int // maximum open connections
}

func sourceOf(service, database string) (source, error) {
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		u, err := url.Parse(database)
		if err != nil {
			return source{}, errors.New("DATABASE_URL is not a valid URL") // the cause would contain the password
		}
		q, schema := u.Query(), service
		if prefix := q.Get("search_path"); prefix != "" {
			schema = prefix + "_" + service
		}
		q.Set("search_path", schema)
		u.RawQuery = q.Encode()
		return source{service, schema, goose.DialectPostgres, "postgresql", u.String(), 10}, nil
	}
	if err := os.MkdirAll(filepath.Dir(database), 0o750); err != nil {
		return source{}, fmt.Errorf("create folder of %s: %w", database, err)
	}
	// NORMAL survives a crash of the process but not a power cut. Each commit
	// is handed to the kernel, and each checkpoint is written to the disk.
	const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=foreign_keys(1)&_txlock=immediate"
	// SQLite allows one writer at a time. With one connection, writers queue in
	// Go's pool, which is first come, first served. SQLite's own queue polls.
	return source{service, "", goose.DialectSQLite3, "sqlite", "file:" + escaped(database) + pragmas, 1}, nil
}

// escaped returns a path as SQLite's URIs want it. Without this, a ? or # would
// end the path, and %41 would be an A.
// https://www.sqlite.org/uri.html#the_uri_path
func escaped(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

func (s source) open(opts Options) (pool *sql.DB, err error) {
	c, err := s.connector(opts)
	if err != nil {
		return nil, err
	}
	if opts.Wrap != nil {
		c = opts.Wrap(c)
	}
	if opts.Telemetry == nil {
		pool = sql.OpenDB(c)
	} else if pool, err = db.OpenConnector(opts.Telemetry, c, db.Options{Name: s.service, System: s.system}); err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(s.conns)
	pool.SetMaxIdleConns(s.conns)
	return pool, nil
}

func (s source) connector(opts Options) (driver.Connector, error) {
	if s.dialect == goose.DialectSQLite3 {
		return file{s.dsn}, nil
	}
	cfg, err := pgx.ParseConfig(s.dsn)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a valid PostgreSQL URL") // the cause may contain the password
	}
	if opts.Dial != nil {
		cfg.DialFunc = opts.Dial
		cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer resolves the name
	}
	return stdlib.GetConnector(*cfg), nil
}

// file is the connector of a SQLite file. It holds the data source name.
type file struct{ dsn string }

// Connect implements driver.Connector.
func (f file) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(f.dsn) }

// Driver implements driver.Connector.
func (file) Driver() driver.Driver { return &sqlite.Driver{} }

func (s source) prepare(ctx context.Context, pool *sql.DB, migrations fs.FS) error {
	if err := s.connect(ctx, pool); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.dialect == goose.DialectPostgres {
		if err := s.createSchema(ctx, pool); err != nil {
			return err
		}
		// Instances of one service wait for each other. Different services do
		// not.
		id := int64(crc32.ChecksumIEEE([]byte(s.schema)))
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(id), lock.WithLockTimeout(1, 30))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(s.dialect, pool, folder, opts...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// connect waits for a database server to start. A file that cannot be opened, as on
// a full disk, does not get better by waiting.
func (s source) connect(ctx context.Context, pool *sql.DB) error {
	if s.dialect == goose.DialectSQLite3 {
		return pool.PingContext(ctx)
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, pool.PingContext(ctx) },
		backoff.WithMaxElapsedTime(patience))
	return err
}

func (s source) createSchema(ctx context.Context, pool *sql.DB) error {
	name := pgx.Identifier{s.schema}.Sanitize()
	if _, err := pool.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+name); err != nil {
		return fmt.Errorf("create schema %s: %w", name, err)
	}
	return nil
}

// InTx runs do in a transaction. It commits if do returns nil, else it rolls
// back and returns do's error. do must use only tx, because SQLite's pool has
// no second connection.
func InTx(ctx context.Context, pool *sql.DB, do func(tx *sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) { // ErrTxDone: ctx ended it
			err = errors.Join(err, undo)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Changed reports whether a statement changed any row. result and err are the
// results of Exec.
func Changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
