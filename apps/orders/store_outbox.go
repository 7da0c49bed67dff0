package orders

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// event is a message in the outbox.
type event struct {
	id      string
	subject string
	payload string
	trace   map[string]string
}

// emit adds an event to the outbox.
func (s store) emit(ctx context.Context, tx *sql.Tx, subject string, payload any, trace map[string]string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		"INSERT INTO outbox (id, subject, payload, trace, created_at, published_at) VALUES ($1, $2, $3, $4, $5, 0)",
		id.String(), subject, toJSON(payload), toJSON(trace), s.now().UnixMicro())
	return err
}

// unpublished returns the oldest events that are not recorded as published.
func (s store) unpublished(ctx context.Context, limit int) ([]event, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, subject, payload, trace FROM outbox WHERE published_at = 0 ORDER BY id LIMIT $1", limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	defer rows.Close()
	var all []event
	for rows.Next() {
		var e event
		var trace string
		if err := rows.Scan(&e.id, &e.subject, &e.payload, &trace); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		e.trace = traceOf(trace)
		all = append(all, e)
	}
	return all, rows.Err()
}

// traceOf decodes a trace context. It returns nil for one that cannot be decoded:
// the event or order is then in no trace, but it must not keep the others from
// being handled.
func traceOf(text string) map[string]string {
	var trace map[string]string
	if json.Unmarshal([]byte(text), &trace) != nil {
		return nil
	}
	return trace
}

func (s store) published(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE outbox SET published_at = $1 WHERE id = $2", s.now().UnixMicro(), id)
	if err != nil {
		return fmt.Errorf("mark event %s as published: %w", id, err)
	}
	return nil
}

// backlog is the number of waiting rows and the age of the oldest.
type backlog struct {
	count  int64
	oldest time.Duration
}

// backlogs returns the backlogs of unsettled orders and of the outbox.
func (s store) backlogs(ctx context.Context) (orders, events backlog, err error) {
	measure := func(table, where string) backlog {
		var b backlog
		var first int64
		e := s.db.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MIN(created_at), 0) FROM "+table+" WHERE "+where).Scan(&b.count, &first)
		err = errors.Join(err, e)
		if first > 0 {
			b.oldest = s.now().Sub(time.UnixMicro(first))
		}
		return b
	}
	orders, events = measure("orders", unsettled), measure("outbox", "published_at = 0")
	if err != nil {
		err = fmt.Errorf("measure backlogs: %w", err)
	}
	return orders, events, err
}

// forget deletes events that were published, and keys that were used, longer
// ago than the given durations.
func (s store) forget(ctx context.Context, events, keys time.Duration) error {
	now := s.now()
	_, err := s.db.ExecContext(ctx, "DELETE FROM outbox WHERE published_at > 0 AND published_at < $1", now.Add(-events).UnixMicro())
	_, err2 := s.db.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE created_at < $1", now.Add(-keys).UnixMicro())
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("delete old events and keys: %w", err)
	}
	return nil
}
