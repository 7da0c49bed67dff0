package orders

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"

	"firedrill/telemetry"
	"firedrill/telemetry/messaging"
)

const (
	publishBatch   = 64
	publishTimeout = 2 * time.Second
)

// outbox publishes events in order, each at least once. The broker drops
// duplicates by the event's id, for two minutes.
type outbox struct {
	store   store
	js      jetstream.JetStream
	tel     *telemetry.Telemetry
	metrics *metrics
	poll    time.Duration
	news    chan struct{}
	ready   bool // the stream exists
}

func newOutbox(s store, js jetstream.JetStream, tel *telemetry.Telemetry, m *metrics, poll time.Duration) *outbox {
	return &outbox{store: s, js: js, tel: tel, metrics: m, poll: poll, news: make(chan struct{}, 1)}
}

// wake tells the loop that there is a new event. It does not block.
func (o *outbox) wake() {
	select {
	case o.news <- struct{}{}:
	default:
	}
}

// loop publishes until ctx ends. Then it publishes the events of the last
// requests.
func (o *outbox) loop(ctx context.Context) {
	tick := time.NewTicker(o.poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		o.flush(ctx)
		select {
		case <-o.news:
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	o.flush(last)
}

// flush publishes all events, up to the first failure.
func (o *outbox) flush(ctx context.Context) {
	if err := o.publishAll(ctx); err != nil && ctx.Err() == nil {
		o.ready = false
		o.metrics.published.WithLabelValues("error").Inc()
		o.tel.Logger().WarnContext(ctx, "events wait in the outbox", slog.Any("error", err))
	}
}

func (o *outbox) publishAll(ctx context.Context) error {
	for {
		events, err := o.store.unpublished(ctx, publishBatch)
		if err != nil || len(events) == 0 {
			return err
		}
		if err := o.ensureStream(ctx); err != nil {
			return err
		}
		for _, e := range events {
			if err := o.publish(ctx, e); err != nil {
				return err
			}
			o.metrics.published.WithLabelValues("ok").Inc()
		}
	}
}

func (o *outbox) ensureStream(ctx context.Context) error {
	if o.ready {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := EnsureStream(ctx, o.js); err != nil {
		return err
	}
	o.ready = true
	return nil
}

// publish sends one event in the trace of the request that caused it.
func (o *outbox) publish(ctx context.Context, e event) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ctx = o.tel.Propagator().Extract(ctx, propagation.MapCarrier(e.trace))
	if err := o.send(ctx, e); err != nil {
		return err
	}
	return o.store.published(ctx, e.id)
}

// poison sends an event with truncated JSON, which no consumer can decode.
func (o *outbox) poison(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := EnsureStream(ctx, o.js); err != nil {
		return err
	}
	return o.send(ctx, event{id: uuid.NewString(), subject: SubjectConfirmed, payload: `{"order_id":"`})
}

func (o *outbox) send(ctx context.Context, e event) (err error) {
	msg := nats.NewMsg(e.subject)
	msg.Data = []byte(e.payload)
	ctx, span := messaging.StartProducer(ctx, o.tel, e.subject, msg.Header)
	defer func() { messaging.End(span, err) }()
	if _, err := o.js.PublishMsg(ctx, msg, jetstream.WithMsgID(e.id)); err != nil {
		return fmt.Errorf("publish event %s to %s: %w", e.id, e.subject, err)
	}
	return nil
}
