package payments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"firedrill/apps/bank"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
)

// Statuses of a charge.
const (
	pending  = "pending"
	charged  = "charged"
	declined = "declined"
	voided   = "voided"
)

type store struct {
	db  *sql.DB
	now func() time.Time
}

// begin stores a new charge as pending, or returns the stored one. If the
// stored one is declined or voided, it returns an error.
func (s store) begin(ctx context.Context, r ChargeRequest) (Charge, error) {
	now := s.now().UnixMicro()
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO charges (order_id, amount_minor, currency, card, status, bank_id, created_at, updated_at)
		 VALUES ($1, $2, $3, $4, 'pending', '', $5, $5) ON CONFLICT DO NOTHING`,
		r.OrderID, r.AmountMinor, r.Currency, r.Card, now)
	if err != nil {
		return Charge{}, fmt.Errorf("begin charge of order %s: %w", r.OrderID, err)
	}
	c, err := s.find(ctx, r.OrderID)
	if err == nil && (c.AmountMinor != r.AmountMinor || c.Currency != r.Currency) {
		return Charge{}, web.Errorf(web.KeyReused, "order %s has a charge with another amount", r.OrderID)
	}
	return c, err
}

// find returns a charge. If it is declined or voided, it also returns an error.
func (s store) find(ctx context.Context, orderID string) (Charge, error) {
	c := Charge{OrderID: orderID}
	err := s.db.QueryRowContext(ctx, "SELECT amount_minor, currency, status, bank_id FROM charges WHERE order_id = $1", orderID).
		Scan(&c.AmountMinor, &c.Currency, &c.Status, &c.BankID)
	if err != nil {
		return Charge{}, fmt.Errorf("read charge of order %s: %w", orderID, err)
	}
	switch c.Status {
	case declined:
		return c, web.Errorf(web.Declined, "the card was declined")
	case voided:
		return c, web.Errorf(web.Voided, "the charge was undone")
	}
	return c, nil
}

// settle ends a pending charge. A charge that has already ended is not changed.
func (s store) settle(ctx context.Context, orderID, status, bankID string) (Charge, error) {
	_, err := s.db.ExecContext(ctx,
		"UPDATE charges SET status = $1, bank_id = $2, updated_at = $3 WHERE order_id = $4 AND status = 'pending'",
		status, bankID, s.now().UnixMicro(), orderID)
	if err != nil {
		return Charge{}, fmt.Errorf("settle charge of order %s as %s: %w", orderID, status, err)
	}
	return s.find(ctx, orderID)
}

// refundable reports whether the bank must be asked to void the charge. It need
// not if the charge is declined or voided. If the order was never charged,
// refundable stores a pending charge with amount 0, so that a later charge
// fails because of its amount.
func (s store) refundable(ctx context.Context, orderID string) (bool, error) {
	now := s.now().UnixMicro()
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO charges (order_id, amount_minor, currency, card, status, bank_id, created_at, updated_at)
		 VALUES ($1, 0, '', '', 'pending', '', $2, $2) ON CONFLICT DO NOTHING`, orderID, now)
	if err != nil {
		return false, fmt.Errorf("begin refund of order %s: %w", orderID, err)
	}
	_, err = s.find(ctx, orderID)
	if code := web.CodeOf(err); code == web.Declined || code == web.Voided {
		return false, nil
	}
	return err == nil, err
}

// void marks a charge that the bank has voided.
func (s store) void(ctx context.Context, orderID string) error {
	_, err := s.db.ExecContext(ctx,
		"UPDATE charges SET status = 'voided', updated_at = $1 WHERE order_id = $2 AND status IN ('pending', 'charged')",
		s.now().UnixMicro(), orderID)
	if err != nil {
		return fmt.Errorf("void charge of order %s: %w", orderID, err)
	}
	return nil
}

// audited returns the number of the last audited entry of the bank's statement.
func (s store) audited(ctx context.Context) (seq int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq), 0) FROM audited").Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("read last audited entry: %w", err)
	}
	return seq, nil
}

// audit compares an entry of the bank's statement with the stored charge. It
// returns "" if the entry is not a charge or was audited before.
func (s store) audit(ctx context.Context, e bank.Entry) (finding, error) {
	var found finding
	err := storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		fresh, err := storage.Changed(tx.ExecContext(ctx,
			"INSERT INTO audited (seq, order_id, kind, amount_minor) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			e.Seq, e.Key, e.Kind, e.AmountMinor))
		if err != nil || !fresh || e.Kind != "charge" {
			return err
		}
		var times, amount int64
		err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM audited WHERE order_id = $1 AND kind = 'charge'", e.Key).Scan(&times)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT amount_minor FROM charges WHERE order_id = $1", e.Key).Scan(&amount)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			found = foundUnknown
			return nil
		case times > 1:
			found = foundDouble
		case amount != e.AmountMinor:
			found = foundAmount
		default:
			found = foundOnce
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("audit entry %d of the bank's statement: %w", e.Seq, err)
	}
	return found, nil
}
