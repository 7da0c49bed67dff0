// Package messaging propagates traces through NATS messages. It creates a
// producer span where a message is published and a consumer span where it is
// processed, and passes the trace context in the message's headers. It must not
// know what the messages contain.
//
// https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
package messaging

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/internal/exception"
)

const (
	scope  = "firedrill/telemetry/messaging"
	system = "nats"
)

// StartProducer starts the span of publishing to subject and writes the trace
// context into header, which must not be nil. End the span when the broker has
// acknowledged the message.
func StartProducer(ctx context.Context, tel *telemetry.Telemetry, subject string, header nats.Header) (context.Context, trace.Span) {
	ctx, span := tel.TracerProvider().Tracer(scope).Start(ctx, "send "+subject,
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attributes(subject, "send", semconv.MessagingOperationTypeSend)...),
	)
	tel.Propagator().Inject(ctx, Carrier(header))
	return ctx, span
}

// StartConsumer starts the span of processing a message. The span is a child of
// the producer's span, so the trace continues. It is also linked to it, for
// backends that split traces at queues.
func StartConsumer(ctx context.Context, tel *telemetry.Telemetry, subject, consumer string, header nats.Header) (context.Context, trace.Span) {
	ctx = tel.Propagator().Extract(ctx, Carrier(header))
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attributes(subject, "process", semconv.MessagingOperationTypeProcess)...),
		trace.WithAttributes(semconv.MessagingConsumerGroupName(consumer)),
	}
	if producer := trace.SpanContextFromContext(ctx); producer.IsRemote() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: producer}))
	}
	return tel.TracerProvider().Tracer(scope).Start(ctx, "process "+subject, opts...)
}

// End ends a span and records err on it if err is not nil.
func End(span trace.Span, err error) {
	if err != nil {
		exception.Record(span, err)
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(exception.Type(err)))
	}
	span.End()
}

func attributes(subject, operation string, kind attribute.KeyValue) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingDestinationName(subject),
		semconv.MessagingOperationName(operation),
		kind,
	}
}

// Carrier adapts a message's headers to a propagator. NATS headers are
// case-sensitive, so keys are used as given.
type Carrier nats.Header

var _ propagation.TextMapCarrier = Carrier{}

// Get implements propagation.TextMapCarrier.
func (c Carrier) Get(key string) string { return nats.Header(c).Get(key) }

// Set implements propagation.TextMapCarrier.
func (c Carrier) Set(key, value string) { nats.Header(c).Set(key, value) }

// Keys implements propagation.TextMapCarrier.
func (c Carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
