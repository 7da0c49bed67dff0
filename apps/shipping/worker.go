package shipping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"firedrill/apps/internal/web"
	"firedrill/apps/orders"
	"firedrill/telemetry"
	"firedrill/telemetry/messaging"
)

const (
	fetchBatch   = 16
	fetchWait    = 2 * time.Second
	brokerWait   = 2 * time.Second  // time limit of a request to the broker
	workWait     = 5 * time.Second  // time limit of one event
	ackWait      = 10 * time.Second // after this time the broker delivers an event again
	longestRetry = time.Minute
)

// worker receives events from the broker and processes them.
type worker struct {
	cfg     Config
	js      jetstream.JetStream
	tel     *telemetry.Telemetry
	metrics *metrics
	orders  Orders
	store   store
}

// loop processes events until ctx ends. After any failure of the broker it
// starts again.
func (w *worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.consume(ctx)
		if ctx.Err() != nil {
			return
		}
		w.tel.Logger().WarnContext(ctx, "no events from the broker", slog.Any("error", err))
		pause(ctx, w.cfg.Retry)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// consume processes events until ctx ends or the broker fails.
func (w *worker) consume(ctx context.Context) error {
	consumer, err := w.consumer(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		w.measure(ctx, consumer)
		if err := w.fetch(ctx, consumer); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *worker) consumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, brokerWait)
	defer cancel()
	if err := orders.EnsureStream(ctx, w.js); err != nil {
		return nil, err
	}
	consumer, err := w.js.CreateOrUpdateConsumer(ctx, orders.Stream, jetstream.ConsumerConfig{
		Durable:       Name,
		FilterSubject: orders.SubjectConfirmed,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1, // no limit, because an outage may be long; conclude drops bad events
		MaxAckPending: 16 * fetchBatch,
	})
	if err != nil {
		return nil, fmt.Errorf("create consumer %q: %w", Name, err)
	}
	return consumer, nil
}

// fetch processes one batch of events as they arrive.
func (w *worker) fetch(ctx context.Context, consumer jetstream.Consumer) error {
	fetching, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := consumer.Fetch(fetchBatch, jetstream.FetchContext(fetching))
	if err != nil {
		return fmt.Errorf("fetch events: %w", err)
	}
	var all sync.WaitGroup
	for range w.cfg.Workers {
		all.Go(func() {
			for msg := range batch.Messages() {
				w.handle(ctx, msg)
			}
		})
	}
	all.Wait()
	if err := batch.Error(); err != nil && fetching.Err() == nil {
		return fmt.Errorf("fetch events: %w", err)
	}
	return nil
}

// measure updates the metrics of waiting events.
func (w *worker) measure(ctx context.Context, consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(ctx, brokerWait)
	defer cancel()
	if info, err := consumer.Info(ctx); err == nil {
		w.metrics.pending.Set(float64(info.NumPending))
		w.metrics.unacked.Set(float64(info.NumAckPending))
	}
}

// handle processes one event and acknowledges, rejects or drops it.
func (w *worker) handle(ctx context.Context, msg jetstream.Msg) {
	if ctx.Err() != nil { // the service is stopping; let the broker deliver the event again at once
		_ = msg.Nak()
		return
	}
	// A started event is finished even if the service stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workWait)
	defer cancel()
	ctx, span := messaging.StartConsumer(ctx, w.tel, msg.Subject(), Name, msg.Headers())
	err := w.work(ctx, msg.Data())
	answer := w.conclude(ctx, msg, err)
	messaging.End(span, errors.Join(err, answer))
}

// work ships the order of an event and calls orders.
func (w *worker) work(ctx context.Context, data []byte) error {
	var event orders.ConfirmedEvent
	if err := json.Unmarshal(data, &event); err != nil {
		return hopeless{fmt.Errorf("decode event: %w", err)}
	}
	if event.OrderID == "" {
		return hopeless{errors.New("the event has no order_id")}
	}
	fresh, err := w.store.ship(ctx, event.OrderID)
	if err != nil {
		return err
	}
	w.metrics.ships(fresh)
	w.tel.Logger().InfoContext(ctx, "order shipped", slog.String("order_id", event.OrderID), slog.Bool("first_time", fresh))
	err = w.orders.Shipped(ctx, event.OrderID)
	switch web.CodeOf(err) {
	case web.NotFound, web.Voided, web.Malformed:
		return hopeless{err}
	default:
		return err
	}
}

// hopeless is an error that a retry cannot fix.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// conclude acknowledges an event, requests another delivery, or drops it.
func (w *worker) conclude(ctx context.Context, msg jetstream.Msg, failure error) error {
	if failure == nil {
		w.metrics.events.WithLabelValues("shipped").Inc()
		return msg.Ack()
	}
	deliveries := 1
	if meta, err := msg.Metadata(); err == nil {
		deliveries = int(meta.NumDelivered)
	}
	log := w.tel.Logger().With(slog.Int("deliveries", deliveries), slog.Any("error", failure))
	var h hopeless
	if errors.As(failure, &h) && deliveries >= w.cfg.Attempts {
		w.metrics.events.WithLabelValues("dropped").Inc()
		log.ErrorContext(ctx, "event dropped: it cannot be processed", slog.String("event", string(msg.Data())))
		return msg.TermWithReason("cannot be processed")
	}
	w.metrics.events.WithLabelValues("retried").Inc()
	log.WarnContext(ctx, "event will be delivered again")
	return msg.NakWithDelay(min(w.cfg.Retry<<min(deliveries-1, 10), longestRetry))
}
