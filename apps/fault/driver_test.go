package fault

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
)

// fakeDriver connects to nothing. Bare connections have only the required
// methods.
type fakeDriver struct{ bare bool }

func (d *fakeDriver) Connect(context.Context) (driver.Conn, error) {
	if d.bare {
		return bareConn{}, nil
	}
	return fullConn{}, nil
}
func (d *fakeDriver) Driver() driver.Driver            { return d }
func (d *fakeDriver) Open(string) (driver.Conn, error) { return d.Connect(context.Background()) }

type bareConn struct{}

func (bareConn) Prepare(string) (driver.Stmt, error) { return fakeStmt{}, nil }
func (bareConn) Close() error                        { return nil }
func (bareConn) Begin() (driver.Tx, error)           { return fakeTx{}, nil }

type fullConn struct{ bareConn }

func (fullConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}
func (fullConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return noRows{}, nil
}
func (fullConn) PrepareContext(context.Context, string) (driver.Stmt, error) { return fakeStmt{}, nil }
func (fullConn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.ReadOnly {
		return nil, errors.New("full: read-only")
	}
	return fakeTx{}, nil
}
func (fullConn) Ping(context.Context) error                 { return errors.New("full: ping") }
func (fullConn) ResetSession(context.Context) error         { return nil }
func (fullConn) IsValid() bool                              { return false }
func (fullConn) CheckNamedValue(v *driver.NamedValue) error { v.Value = int64(7); return nil }

type fakeStmt struct{}

func (fakeStmt) Close() error                               { return nil }
func (fakeStmt) NumInput() int                              { return -1 }
func (fakeStmt) Exec([]driver.Value) (driver.Result, error) { return driver.RowsAffected(2), nil }
func (fakeStmt) Query([]driver.Value) (driver.Rows, error)  { return noRows{}, nil }

type fakeTx struct{}

func (fakeTx) Commit() error   { return nil }
func (fakeTx) Rollback() error { return nil }

type noRows struct{}

func (noRows) Columns() []string         { return []string{"a"} }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }

// A driver behaves the same with and without the wrapper.
func TestConnectorPassesCallsOn(t *testing.T) {
	for _, bare := range []bool{true, false} {
		direct, wrapped := sql.OpenDB(&fakeDriver{bare}), sql.OpenDB(newSet(t, "orders").Connector(&fakeDriver{bare}))
		defer direct.Close()
		defer wrapped.Close()
		for name, do := range map[string]func(*sql.DB) (int64, error){
			"exec": func(db *sql.DB) (int64, error) { return affected(db.ExecContext(t.Context(), "UPDATE x", 1)) },
			"query": func(db *sql.DB) (int64, error) {
				return 0, db.QueryRowContext(t.Context(), "SELECT x", struct{}{}).Scan(new(int))
			},
			"prepare": func(db *sql.DB) (int64, error) {
				stmt, err := db.PrepareContext(t.Context(), "UPDATE x")
				if err != nil {
					return 0, err
				}
				defer stmt.Close()
				return affected(stmt.ExecContext(t.Context()))
			},
			"begin": func(db *sql.DB) (int64, error) {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					return 0, err
				}
				return 0, tx.Commit()
			},
			"read-only": func(db *sql.DB) (int64, error) {
				_, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
				return 0, err
			},
			"isolation": func(db *sql.DB) (int64, error) {
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
				if err != nil {
					return 0, err
				}
				return 0, tx.Rollback()
			},
			"ping": func(db *sql.DB) (int64, error) { return 0, db.PingContext(t.Context()) },
			"pool": func(db *sql.DB) (int64, error) { return int64(db.Stats().OpenConnections), nil },
		} {
			a, errA := do(direct)
			b, errB := do(wrapped)
			if a != b || (errA == nil) != (errB == nil) {
				t.Errorf("bare %v, %s: %d, %v; with the wrapper %d, %v", bare, name, a, errA, b, errB)
			}
		}
	}
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
