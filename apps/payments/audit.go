package payments

import (
	"context"
	"log/slog"
	"time"
)

// finding is the result of the audit of a charge on the bank's statement.
type finding string

const (
	foundOnce    finding = "once"
	foundDouble  finding = "double"
	foundAmount  finding = "wrong_amount"
	foundUnknown finding = "unknown_order"
)

// auditLoop audits the bank's statement until ctx ends.
func (s *Service) auditLoop(ctx context.Context) {
	tick := time.NewTicker(s.cfg.AuditEvery)
	defer tick.Stop()
	for {
		if err := s.auditAll(ctx); err != nil && ctx.Err() == nil {
			s.tel.Logger().WarnContext(ctx, "audit of the bank's statement failed", slog.Any("error", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// auditAll audits every new entry.
func (s *Service) auditAll(ctx context.Context) error {
	for {
		after, err := s.store.audited(ctx)
		if err != nil {
			return err
		}
		entries, err := s.bank.Statement(ctx, after)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			found, err := s.store.audit(ctx, e)
			if err != nil {
				return err
			}
			if found == "" {
				continue
			}
			s.metrics.audited.WithLabelValues(string(found)).Inc()
			if found != foundOnce {
				s.tel.Logger().ErrorContext(ctx, "the bank's statement is not what was ordered",
					slog.String("finding", string(found)), slog.String("order_id", e.Key),
					slog.Int64("amount_minor", e.AmountMinor), slog.Int64("line", e.Seq))
			}
		}
	}
}
