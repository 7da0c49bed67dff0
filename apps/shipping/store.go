package shipping

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"firedrill/apps/internal/storage"
)

type store struct {
	db  *sql.DB
	now func() time.Time
}

// ship records the shipment of an order. It returns false if the order was
// shipped before.
func (s store) ship(ctx context.Context, orderID string) (fresh bool, err error) {
	fresh, err = storage.Changed(s.db.ExecContext(ctx,
		"INSERT INTO shipments (order_id, tracking_id, shipped_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		orderID, uuid.NewString(), s.now().UnixMicro()))
	if err != nil {
		return false, fmt.Errorf("ship order %q: %w", orderID, err)
	}
	return fresh, nil
}
