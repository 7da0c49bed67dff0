package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/messaging"
	"firedrill/telemetry/telemetrytest"
)

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

// patience is the longest time that a test waits for a condition. It is only
// spent when a test fails.
const patience = 5 * time.Minute

// stream starts a NATS server with a stream for orders and a consumer.
func stream(t testing.TB) (jetstream.JetStream, jetstream.Consumer) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(patience) {
		t.Fatalf("the server did not become ready within %v", patience)
	}
	conn, err := nats.Connect(srv.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}}); err != nil {
		t.Fatal(err)
	}
	consumer, err := js.CreateConsumer(t.Context(), "ORDERS", jetstream.ConsumerConfig{
		Durable: "shipping", AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	return js, consumer
}

// pass publishes a message in ctx, consumes it and returns it.
func pass(ctx context.Context, t testing.TB, from *telemetry.Telemetry) jetstream.Msg {
	t.Helper()
	js, consumer := stream(t)
	msg := nats.NewMsg("orders.confirmed")
	msg.Header.Set("Nats-Msg-Id", "order-1")
	ctx, span := messaging.StartProducer(ctx, from, msg.Subject, msg.Header)
	_, err := js.PublishMsg(ctx, msg)
	messaging.End(span, err)
	if err != nil {
		t.Fatal(err)
	}
	got, err := consumer.Next(jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	if err := got.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTraceContinuesThroughBroker(t *testing.T) {
	orders := telemetrytest.New(t, telemetry.Config{Service: "orders"})
	shipping := telemetrytest.New(t, telemetry.Config{Service: "shipping"})
	sent, received := telemetrytest.Record(t, orders), telemetrytest.Record(t, shipping)

	ctx, request := orders.TracerProvider().Tracer("test").Start(t.Context(), "request")
	tenant, err := baggage.NewMember("tenant", "blue")
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.New(tenant)
	if err != nil {
		t.Fatal(err)
	}
	msg := pass(baggage.ContextWithBaggage(ctx, bag), t, orders)
	equal(t, msg.Headers().Get("Nats-Msg-Id"), "order-1") // other headers are kept

	ctx, span := messaging.StartConsumer(t.Context(), shipping, msg.Subject(), "shipping", msg.Headers())
	equal(t, baggage.FromContext(ctx).Member("tenant").Value(), "blue")
	equal(t, trace.SpanContextFromContext(ctx).SpanID(), span.SpanContext().SpanID())
	messaging.End(span, nil)

	producer, consumer := sent.Ended()[0], received.Ended()[0]
	equal(t, []any{producer.Name(), producer.SpanKind()}, []any{"send orders.confirmed", trace.SpanKindProducer})
	equal(t, producer.Parent().SpanID(), request.SpanContext().SpanID())
	equal(t, telemetrytest.Attributes(producer.Attributes()), map[string]any{
		"messaging.system": "nats", "messaging.destination.name": "orders.confirmed",
		"messaging.operation.name": "send", "messaging.operation.type": "send",
	})
	equal(t, []any{consumer.Name(), consumer.SpanKind()}, []any{"process orders.confirmed", trace.SpanKindConsumer})
	equal(t, consumer.SpanContext().TraceID(), request.SpanContext().TraceID())
	equal(t, consumer.Parent().SpanID(), producer.SpanContext().SpanID())
	equal(t, len(consumer.Links()), 1)
	equal(t, consumer.Links()[0].SpanContext.SpanID(), producer.SpanContext().SpanID())
	equal(t, telemetrytest.Attributes(consumer.Attributes()), map[string]any{
		"messaging.system": "nats", "messaging.destination.name": "orders.confirmed",
		"messaging.operation.name": "process", "messaging.operation.type": "process",
		"messaging.consumer.group.name": "shipping",
	})
}

func TestUnsampledTraceStaysUnsampled(t *testing.T) {
	orders := telemetrytest.New(t, telemetry.Config{
		Service: "orders", Traces: telemetry.TracesConfig{Sampler: telemetry.SamplerNever},
	})
	shipping := telemetrytest.New(t, telemetry.Config{Service: "shipping"}) // samples every trace that it starts
	received := telemetrytest.Record(t, shipping)
	msg := pass(t.Context(), t, orders)
	ctx, span := messaging.StartConsumer(t.Context(), shipping, msg.Subject(), "shipping", msg.Headers())
	messaging.End(span, nil)
	sc := trace.SpanContextFromContext(ctx)
	equal(t, []any{sc.IsValid(), sc.IsSampled(), len(received.Started())}, []any{true, false, 0})
}

func TestMessageWithoutTraceContextStartsTrace(t *testing.T) {
	tests := map[string]nats.Header{
		"no header":             nil,
		"no trace context":      {"Nats-Msg-Id": {"1"}},
		"invalid trace context": {"traceparent": {"00-zz-yy-01"}},
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			tel := telemetrytest.New(t, telemetry.Config{Service: "shipping"})
			recorder := telemetrytest.Record(t, tel)
			_, span := messaging.StartConsumer(t.Context(), tel, "orders.confirmed", "shipping", header)
			messaging.End(span, nil)
			got := recorder.Ended()[0]
			equal(t, []any{got.SpanContext().IsSampled(), got.Parent().IsValid(), len(got.Links())}, []any{true, false, 0})
		})
	}
}

// TestLocalSpanIsNotProducer checks that a span of the worker's own loop is not
// linked as the producer.
func TestLocalSpanIsNotProducer(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shipping"})
	recorder := telemetrytest.Record(t, tel)
	ctx, loop := tel.TracerProvider().Tracer("test").Start(t.Context(), "loop")
	_, span := messaging.StartConsumer(ctx, tel, "orders.confirmed", "shipping", nats.Header{})
	messaging.End(span, nil)
	got := recorder.Ended()[0]
	equal(t, []any{got.Parent().SpanID(), len(got.Links())}, []any{loop.SpanContext().SpanID(), 0})
}

var errNoAddress = errors.New("no address \xff")

func TestEndRecordsError(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shipping"})
	recorder := telemetrytest.Record(t, tel)
	_, span := messaging.StartConsumer(t.Context(), tel, "orders.confirmed", "shipping", nil)
	messaging.End(span, fmt.Errorf("ship: %w", errNoAddress))
	got := recorder.Ended()[0]
	equal(t, got.Status().Code, codes.Error)
	equal(t, telemetrytest.Attributes(got.Attributes())["error.type"], any("*errors.errorString"))
	equal(t, telemetrytest.Attributes(got.Events()[0].Attributes), map[string]any{
		"exception.type": "*errors.errorString", "exception.message": "ship: no address \ufffd",
	})
}

func TestCarrier(t *testing.T) {
	c := messaging.Carrier(nats.Header{})
	c.Set("traceparent", "a")
	c.Set("Traceparent", "b") // a different key, because NATS headers are case-sensitive
	keys := c.Keys()
	sort.Strings(keys)
	equal(t, []any{c.Get("traceparent"), c.Get("Traceparent"), c.Get("absent"), keys},
		[]any{"a", "b", "", []string{"Traceparent", "traceparent"}})
}
