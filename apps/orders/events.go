package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"firedrill/apps/catalog"
)

// Where events travel.
const (
	Stream           = "ORDERS"
	SubjectConfirmed = "orders.confirmed"
)

// ConfirmedEvent says that an order is paid and may be shipped. It may arrive
// more than once.
type ConfirmedEvent struct {
	OrderID     string               `json:"order_id"`
	UserID      string               `json:"user_id"`
	Lines       []catalog.PricedLine `json:"lines"`
	TotalMinor  int64                `json:"total_minor"`
	Currency    string               `json:"currency"`
	ConfirmedAt time.Time            `json:"confirmed_at"`
}

// EnsureStream makes the stream of events unless it is there.
func EnsureStream(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:     Stream,
		Subjects: []string{"orders.*"},
		Storage:  jetstream.FileStorage,
		// An event stays until it was worked off. When nobody does for so long that
		// the stream is full, publishers are refused and keep what they have.
		Retention:  jetstream.WorkQueuePolicy,
		Discard:    jetstream.DiscardNew,
		MaxBytes:   256 << 20,
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("make stream %q: %w", Stream, err)
	}
	return nil
}
