package orders

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"firedrill/apps/internal/natstest"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/messaging"
	"firedrill/telemetry/telemetrytest"
)

func TestOutbox(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		nc := natstest.Connect(t)
		f := newFixture(t, database, nc)
		client := f.serve(t)
		placed, err := client.Place(t.Context(), alice, "key", basket)
		if err != nil {
			t.Fatal(err)
		}
		if _, events, err := f.store.backlogs(t.Context()); err != nil || events.count != 1 {
			t.Errorf("backlog %+v, %v; want one event", events, err)
		}
		if err := f.outbox.publishAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, events, err := f.store.backlogs(t.Context()); err != nil || events != (backlog{}) {
			t.Errorf("backlog %+v, %v; want none", events, err)
		}
		// As after a crash between publishing and recording it: the broker must
		// drop the second message.
		if _, err := f.db.ExecContext(t.Context(), "UPDATE outbox SET published_at = 0"); err != nil {
			t.Fatal(err)
		}
		if err := f.outbox.publishAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		msg := theOnly(t, f.outbox.js)
		var got ConfirmedEvent
		if err := json.Unmarshal(msg.Data(), &got); err != nil {
			t.Fatal(err)
		}
		want := ConfirmedEvent{placed.ID, "alice", placed.Lines, 200, "EUR", placed.ConfirmedAt}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("published %+v, want %+v", got, want)
		}
	})
}

// theOnly returns the only message in the stream.
func theOnly(t *testing.T, js jetstream.JetStream) jetstream.Msg {
	t.Helper()
	stream, err := js.Stream(t.Context(), Stream)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := stream.Info(t.Context()); err != nil || info.State.Msgs != 1 {
		t.Fatalf("%d messages, %v; want 1", info.State.Msgs, err)
	}
	consumer, err := js.CreateConsumer(t.Context(), Stream, jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(machinetest.Patience(t, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// TestOutboxContinuesTheTrace publishes an event in the trace of its request
// after the request has ended.
func TestOutboxContinuesTheTrace(t *testing.T) {
	f := newFixture(t, t.TempDir()+"/test.db", nil)
	f.serve(t)
	spans := telemetrytest.Record(t, f.tel)
	ctx, span := f.tel.TracerProvider().Tracer("test").Start(t.Context(), "request")
	o := &order{id: "1", userID: "alice", state: Placed, currency: "EUR", trace: map[string]string{}}
	f.tel.Propagator().Inject(ctx, propagation.MapCarrier(o.trace))
	if _, _, err := f.store.place(t.Context(), o, "key", "print"); err != nil {
		t.Fatal(err)
	}
	if err := f.saga.drive(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	span.End()
	if err := f.outbox.publishAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	headers := theOnly(t, f.outbox.js).Headers()
	carried := trace.SpanContextFromContext(f.tel.Propagator().Extract(t.Context(), messaging.Carrier(headers)))
	for _, s := range spans.Ended() {
		if s.SpanKind() == trace.SpanKindProducer {
			if s.SpanContext().TraceID() != span.SpanContext().TraceID() || s.SpanContext().SpanID() != carried.SpanID() {
				t.Errorf("producer span %v, message %v, request %v: want one trace", s.SpanContext(), carried, span.SpanContext())
			}
			return
		}
	}
	t.Errorf("no producer span among %d spans", len(spans.Ended()))
}

// TestRun runs the whole service and stops it while an event is unpublished.
func TestRun(t *testing.T) {
	nc := natstest.Connect(t)
	f := newFixture(t, t.TempDir()+"/test.db", nc)
	f.outbox.poll = time.Hour // publish only when woken
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	if _, err := NewClient(f.URL(), http.DefaultClient).Place(t.Context(), alice, "key", basket); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	theOnly(t, f.outbox.js)
}

// TestOutboxPassesUnreadableTraces publishes events whose trace context cannot be
// decoded, and those after them.
func TestOutboxPassesUnreadableTraces(t *testing.T) {
	for _, broken := range []string{"", "{", "null", "5", `{"traceparent":7}`} {
		f := newFixture(t, t.TempDir()+"/test.db", nil)
		client := f.serve(t)
		if _, err := client.Place(t.Context(), alice, "key", basket); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"outbox", "orders"} {
			if _, err := f.db.ExecContext(t.Context(), "UPDATE "+table+" SET trace = $1", broken); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Place(t.Context(), alice, "another key", basket); err != nil {
			t.Errorf("trace %q: %v", broken, err)
		}
		if err := f.outbox.publishAll(t.Context()); err != nil {
			t.Errorf("trace %q: %v", broken, err)
		}
		if _, events, err := f.store.backlogs(t.Context()); err != nil || events != (backlog{}) {
			t.Errorf("trace %q: backlog %+v, %v; want none", broken, events, err)
		}
	}
}
