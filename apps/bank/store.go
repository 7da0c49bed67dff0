package bank

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
)

// Statuses of a charge.
const (
	Approved = "approved"
	Declined = "declined"
	voided   = "voided"
)

// store holds the result for each key, and the ledger.
type store struct {
	db  *sql.DB
	now func() time.Time
}

// charge records status for a new key. For a known key it changes nothing and
// returns the recorded charge.
func (s store) charge(ctx context.Context, key string, r ChargeRequest, status string) (c Charge, err error) {
	c = Charge{ID: uuid.NewString(), Key: key, AmountMinor: r.AmountMinor, Currency: r.Currency, Status: status}
	err = storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		fresh, err := storage.Changed(tx.ExecContext(ctx,
			`INSERT INTO charges (key, id, amount_minor, currency, status, at)
			 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			key, c.ID, c.AmountMinor, c.Currency, status, s.now().UnixMicro()))
		if err != nil {
			return err
		}
		if !fresh {
			return s.recall(ctx, tx, r, &c)
		}
		if status != Approved {
			return nil
		}
		return s.enter(ctx, tx, key, "charge", c.AmountMinor)
	})
	if err != nil {
		return Charge{}, fmt.Errorf("charge key %s: %w", key, err)
	}
	return c, nil
}

func (s store) recall(ctx context.Context, tx *sql.Tx, r ChargeRequest, c *Charge) error {
	err := tx.QueryRowContext(ctx, "SELECT id, amount_minor, currency, status FROM charges WHERE key = $1", c.Key).
		Scan(&c.ID, &c.AmountMinor, &c.Currency, &c.Status)
	if err != nil {
		return err
	}
	if c.Status == voided {
		return web.Errorf(web.Voided, "this charge was voided")
	}
	if c.AmountMinor != r.AmountMinor || c.Currency != r.Currency {
		return web.Errorf(web.KeyReused, "the key was used for another amount")
	}
	return nil
}

// void refunds what was charged for a key and rejects later charges for it. It
// may be repeated.
func (s store) void(ctx context.Context, key string) error {
	err := storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		var amount int64
		err := tx.QueryRowContext(ctx,
			"UPDATE charges SET status = 'voided' WHERE key = $1 AND status = 'approved' RETURNING amount_minor", key).Scan(&amount)
		if err == nil {
			return s.enter(ctx, tx, key, "refund", -amount)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO charges (key, id, amount_minor, currency, status, at)
			 VALUES ($1, $2, 0, '', 'voided', $3) ON CONFLICT DO NOTHING`,
			key, uuid.NewString(), s.now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("void key %s: %w", key, err)
	}
	return nil
}

// enter adds an entry to the ledger.
func (s store) enter(ctx context.Context, tx *sql.Tx, key, kind string, amountMinor int64) error {
	var seq int64
	if err := tx.QueryRowContext(ctx, "UPDATE ledger_seq SET last = last + 1 RETURNING last").Scan(&seq); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO ledger (seq, key, kind, amount_minor, at) VALUES ($1, $2, $3, $4, $5)",
		seq, key, kind, amountMinor, s.now().UnixMicro())
	return err
}

// statement returns at most limit entries with a sequence number above after,
// oldest first.
func (s store) statement(ctx context.Context, after int64, limit int) ([]Entry, error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT seq, key, kind, amount_minor FROM ledger WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
	if err != nil {
		return nil, fmt.Errorf("read ledger after entry %d: %w", after, err)
	}
	defer rows.Close()
	entries := []Entry{}
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Seq, &e.Key, &e.Kind, &e.AmountMinor); err != nil {
			return nil, fmt.Errorf("read ledger after entry %d: %w", after, err)
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
