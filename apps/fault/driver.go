package fault

import (
	"context"
	"database/sql/driver"
	"errors"
)

// querier is a fault that acts on SQL statements. An error becomes the
// statement's error.
type querier interface {
	statement(ctx context.Context) error
}

// Connector wraps a database connector so that faults can act on statements.
// Use it below the instrumentation, so that the faults are measured.
func (s *Set) Connector(c driver.Connector) driver.Connector {
	if s == nil {
		return c
	}
	return connector{c, s}
}

type connector struct {
	driver.Connector
	set *Set
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{inner, c.set}, nil
}

// conn passes all calls to the driver's connection. If the driver lacks an
// optional method, conn returns what database/sql expects in that case.
type conn struct {
	driver.Conn
	set *Set
}

func (c *conn) statement(ctx context.Context) error {
	for _, q := range c.set.statements.load() {
		if err := q.statement(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	inner, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	if err := c.statement(ctx); err != nil {
		return nil, err
	}
	return inner.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	inner, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	if err := c.statement(ctx); err != nil {
		return nil, err
	}
	return inner.QueryContext(ctx, query, args)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if inner, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return inner.PrepareContext(ctx, query)
	}
	return c.Conn.Prepare(query)
}

// BeginTx implements driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if inner, ok := c.Conn.(driver.ConnBeginTx); ok {
		return inner.BeginTx(ctx, opts)
	}
	if opts != (driver.TxOptions{}) {
		return nil, errors.New("begin transaction: the driver does not support options")
	}
	return c.Conn.Begin() //nolint:staticcheck // the driver has no BeginTx
}

// Ping implements driver.Pinger.
func (c *conn) Ping(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.Pinger); ok {
		return inner.Ping(ctx)
	}
	return nil
}

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *conn) IsValid() bool {
	inner, ok := c.Conn.(driver.Validator)
	return !ok || inner.IsValid()
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if inner, ok := c.Conn.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(v)
	}
	return driver.ErrSkip
}
