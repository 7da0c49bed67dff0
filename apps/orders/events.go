package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"firedrill/apps/catalog"
)

// Stream and SubjectConfirmed are the stream and the subject of the events.
const (
	Stream           = "ORDERS"
	SubjectConfirmed = "orders.confirmed"
)

// ConfirmedEvent says that an order is paid and can be shipped. It may arrive
// more than once.
type ConfirmedEvent struct {
	OrderID     string               `json:"order_id"`
	UserID      string               `json:"user_id"`
	Lines       []catalog.PricedLine `json:"lines"`
	TotalMinor  int64                `json:"total_minor"`
	Currency    string               `json:"currency"`
	ConfirmedAt time.Time            `json:"confirmed_at"`
}

// EnsureStream creates the stream of events if it does not exist.
func EnsureStream(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:     Stream,
		Subjects: []string{"orders.*"},
		Storage:  jetstream.FileStorage,
		// An event stays in the stream until it is processed. If nobody
		// processes events and the stream is full, publishing fails and
		// publishers keep their events.
		Retention:  jetstream.WorkQueuePolicy,
		Discard:    jetstream.DiscardNew,
		MaxBytes:   256 << 20,
		Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("create stream %q: %w", Stream, err)
	}
	return nil
}
