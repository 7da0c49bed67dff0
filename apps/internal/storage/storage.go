// Package storage opens a service's database, a SQLite file or a schema in
// PostgreSQL, and brings it up to date.
//
// It must not know what is stored. The services write SQL that both understand:
// $1 placeholders, BIGINT for money and for times in microseconds since 1970,
// ON CONFLICT, RETURNING, and updates whose WHERE says what must still hold,
// so that nobody needs a lock that only one of the two has.
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

// patience is how long Open waits for a database server to come up.
const patience = 15 * time.Second

// Options say who stands between a pool and its database.
type Options struct {
	Telemetry *telemetry.Telemetry // nil: queries go untold
	// Dial connects to PostgreSQL; nil: as pgx does. The address is host:port, the
	// host as the database's URL has it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Wrap stands around the driver, below telemetry; nil: nothing does.
	Wrap func(driver.Connector) driver.Connector
}

// Open opens the database of the named service and applies its migrations, the
// *.sql files of the folder "migrations". The database is either a URL
// (postgres://…), where each service has the schema of its name, after that of the
// URL's search_path if it has one, or the path of a SQLite file.
func Open(ctx context.Context, service, database string, migrations fs.FS, opts Options) (*sql.DB, error) {
	s, err := sourceOf(service, database)
	if err != nil {
		return nil, fmt.Errorf("open the database of %q: %w", service, err)
	}
	pool, err := s.open(opts)
	if err != nil {
		return nil, fmt.Errorf("open the database of %q: %w", service, err)
	}
	if err := s.prepare(ctx, pool, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the database of %q: %w", service, err), pool.Close())
	}
	return pool, nil
}

// source is where a service's data lives.
type source struct {
	service string
	schema  string // PostgreSQL's
	dialect goose.Dialect
	system  string // as OpenTelemetry names it
	dsn     string
	conns   int // most at a time
}

func sourceOf(service, database string) (source, error) {
	if strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://") {
		u, err := url.Parse(database)
		if err != nil {
			return source{}, errors.New("DATABASE_URL is not a URL") // the cause would show its password
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
		return source{}, fmt.Errorf("make its folder: %w", err)
	}
	// NORMAL survives the death of the process, though not a power cut: the log
	// is in the kernel's hands at each commit, on the disk at each checkpoint.
	const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=foreign_keys(1)&_txlock=immediate"
	// SQLite writes one at a time. A pool of one makes the queue for it Go's,
	// which is first come first served, and not SQLite's, which polls.
	return source{service, "", goose.DialectSQLite3, "sqlite", "file:" + database + pragmas, 1}, nil
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
		return nil, errors.New("DATABASE_URL cannot be used") // the cause may show its password
	}
	if opts.Dial != nil {
		cfg.DialFunc = opts.Dial
		cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer's business
	}
	return stdlib.GetConnector(*cfg), nil
}

// file is the connector of a SQLite file.
type file struct{ dsn string }

// Connect implements driver.Connector.
func (f file) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(f.dsn) }

// Driver implements driver.Connector.
func (file) Driver() driver.Driver { return &sqlite.Driver{} }

func (s source) prepare(ctx context.Context, pool *sql.DB, migrations fs.FS) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, pool.PingContext(ctx) },
		backoff.WithMaxElapsedTime(patience))
	if err != nil {
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
		// Instances of a service wait for each other, services do not.
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

func (s source) createSchema(ctx context.Context, pool *sql.DB) error {
	name := pgx.Identifier{s.schema}.Sanitize()
	if _, err := pool.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+name); err != nil {
		return fmt.Errorf("create schema %s: %w", name, err)
	}
	return nil
}

// InTx runs do in a transaction, which it commits if do returns nil and rolls
// back otherwise. Inside, use tx only: SQLite's pool has no second connection.
func InTx(ctx context.Context, pool *sql.DB, do func(tx *sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) { // done: ctx ended it
			err = errors.Join(err, undo)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Changed is whether a statement changed anything: result and err are Exec's.
func Changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
