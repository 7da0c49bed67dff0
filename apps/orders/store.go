package orders

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
)

// store holds orders and their leases.
type store struct {
	db    *sql.DB
	now   func() time.Time
	lease time.Duration // duration of a lease
}

const (
	orderColumns = `id, user_id, card, state, reason, lines, total_minor, currency, trace, attempts,
		created_at, confirmed_at, shipped_at`
	unsettled = "state IN ('placed', 'reserved', 'refunding', 'releasing')"
)

func (o *order) scan(row interface{ Scan(...any) error }) error {
	var lines, trace string
	var created, confirmed, shipped int64
	err := row.Scan(&o.id, &o.userID, &o.card, &o.state, &o.reason, &lines, &o.totalMinor, &o.currency, &trace, &o.attempts,
		&created, &confirmed, &shipped)
	if err != nil {
		return err
	}
	o.createdAt, o.confirmedAt, o.shippedAt = instant(created), instant(confirmed), instant(shipped)
	o.lines, o.trace = nil, traceOf(trace)
	return json.Unmarshal([]byte(lines), &o.lines)
}

// instant converts a column to a time. 0 is the zero time.
func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// micros converts a time to a column.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func toJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // cannot fail for the structs and maps used here
	}
	return string(data)
}

// querier is the common method of *sql.DB and *sql.Tx.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func read(ctx context.Context, q querier, id string) (*order, error) {
	o := new(order)
	err := o.scan(q.QueryRowContext(ctx, "SELECT "+orderColumns+" FROM orders WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, web.Errorf(web.NotFound, "no order %q", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read order %q: %w", id, err)
	}
	return o, nil
}

func (s store) find(ctx context.Context, id string) (*order, error) { return read(ctx, s.db, id) }

// place stores a new order and leases it to the caller. If the user has used
// the key before, it returns the earlier order and false. Another driver may be
// working on that order.
func (s store) place(ctx context.Context, o *order, key, fingerprint string) (placed *order, mine bool, err error) {
	placed = o
	err = storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		earlier, err := s.earlier(ctx, tx, o.userID, key, fingerprint)
		if err != nil {
			return err
		}
		if earlier != nil {
			placed = earlier
			return nil
		}
		mine = true
		return s.insert(ctx, tx, o, key, fingerprint)
	})
	if err != nil {
		return nil, false, fmt.Errorf("place order of user %q: %w", o.userID, err)
	}
	return placed, mine, nil
}

// earlier returns the order for which the user's key was used, or nil.
func (s store) earlier(ctx context.Context, tx *sql.Tx, userID, key, fingerprint string) (*order, error) {
	var id, of string
	err := tx.QueryRowContext(ctx, "SELECT order_id, fingerprint FROM idempotency_keys WHERE user_id = $1 AND key = $2", userID, key).
		Scan(&id, &of)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if of != fingerprint {
		return nil, web.Errorf(web.KeyReused, "the key was used for another order; use a new key")
	}
	return read(ctx, tx, id)
}

func (s store) insert(ctx context.Context, tx *sql.Tx, o *order, key, fingerprint string) error {
	now := s.now()
	o.createdAt = now
	_, err := tx.ExecContext(ctx,
		`INSERT INTO orders (id, user_id, card, state, reason, lines, total_minor, currency, trace, attempts,
			due_at, leased_until, created_at, confirmed_at, shipped_at)
		 VALUES ($1, $2, $3, $4, '', $5, 0, $6, $7, 0, $8, $9, $8, 0, 0)`,
		o.id, o.userID, o.card, o.state, toJSON(o.lines), o.currency, toJSON(o.trace), now.UnixMicro(), now.Add(s.lease).UnixMicro())
	if err != nil {
		return err
	}
	claimed, err := storage.Changed(tx.ExecContext(ctx,
		`INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, created_at)
		 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		o.userID, key, fingerprint, o.id, now.UnixMicro()))
	if err == nil && !claimed { // the same request arrived concurrently
		err = inProgress("")
	}
	return err
}

// inProgress returns an error that asks the client to try again. path is the
// order's path, or "" if it is unknown.
func inProgress(path string) error {
	return &web.Error{Code: web.InProgress, Instance: path, RetryAfter: time.Second}
}

// claim leases an unfinished order to the caller. It returns false if another
// driver has it.
func (s store) claim(ctx context.Context, id string) (bool, error) { return s.lend(ctx, id, 0) }

// claimAgain is like claim, but counts the attempt. It is for background work.
func (s store) claimAgain(ctx context.Context, id string) (bool, error) { return s.lend(ctx, id, 1) }

func (s store) lend(ctx context.Context, id string, attempts int) (bool, error) {
	now := s.now()
	mine, err := storage.Changed(s.db.ExecContext(ctx,
		"UPDATE orders SET leased_until = $1, attempts = attempts + $2 WHERE id = $3 AND leased_until <= $4 AND "+unsettled,
		now.Add(s.lease).UnixMicro(), attempts, id, now.UnixMicro()))
	if err != nil {
		return false, fmt.Errorf("claim order %q: %w", id, err)
	}
	return mine, nil
}

// park ends a lease and makes the order due again after pause.
func (s store) park(ctx context.Context, id string, pause time.Duration) error {
	_, err := s.db.ExecContext(ctx, "UPDATE orders SET leased_until = 0, due_at = $1 WHERE id = $2", s.now().Add(pause).UnixMicro(), id)
	if err != nil {
		return fmt.Errorf("park order %q: %w", id, err)
	}
	return nil
}

// due returns unfinished orders that are due and not leased.
func (s store) due(ctx context.Context, limit int) ([]*order, error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT "+orderColumns+" FROM orders WHERE "+unsettled+" AND due_at <= $1 AND leased_until <= $1 ORDER BY due_at LIMIT $2",
		s.now().UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("read unfinished orders: %w", err)
	}
	defer rows.Close()
	var all []*order
	for rows.Next() {
		o := new(order)
		if err := o.scan(rows); err != nil {
			return nil, fmt.Errorf("read unfinished orders: %w", err)
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// move stores next if the order is still in state from; else it returns false.
// If next is confirmed, its event is added to the outbox in the same
// transaction.
func (s store) move(ctx context.Context, from State, next *order) (moved bool, err error) {
	err = storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		moved, err = storage.Changed(tx.ExecContext(ctx,
			"UPDATE orders SET state = $1, reason = $2, lines = $3, total_minor = $4, confirmed_at = $5 WHERE id = $6 AND state = $7",
			next.state, next.reason, toJSON(next.lines), next.totalMinor, micros(next.confirmedAt), next.id, from))
		if err != nil || !moved || next.state != Confirmed {
			return err
		}
		return s.emit(ctx, tx, SubjectConfirmed, next.event(), next.trace)
	})
	if err != nil {
		return false, fmt.Errorf("move order %q from %s to %s: %w", next.id, from, next.state, err)
	}
	return moved, nil
}

// ship records that a confirmed order was shipped. shipped is false if it
// already was.
func (s store) ship(ctx context.Context, id string) (o *order, shipped bool, err error) {
	shipped, err = storage.Changed(s.db.ExecContext(ctx,
		"UPDATE orders SET state = 'shipped', shipped_at = $1 WHERE id = $2 AND state = 'confirmed'", s.now().UnixMicro(), id))
	if err != nil {
		return nil, false, fmt.Errorf("ship order %q: %w", id, err)
	}
	o, err = s.find(ctx, id)
	if err == nil && o.state != Shipped {
		err = web.Errorf(web.Voided, "order %q is %s", id, o.state)
	}
	return o, shipped, err
}
