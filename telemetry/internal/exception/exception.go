// Package exception tells a span what went wrong.
//
// It is used instead of Span.RecordError because an error's text may hold what a
// client sent: OTLP refuses text that is not UTF-8, and with it the whole batch
// that the span is in. And telling must not fail: an error's method may panic.
package exception

import (
	"fmt"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Record adds the event of an error to a span. It sets no status.
// https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
func Record(span trace.Span, err error) {
	if !span.IsRecording() {
		return
	}
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(
		semconv.ExceptionType(Type(err)),
		semconv.ExceptionMessage(Message(err)),
	))
}

// Type is the type of the error that others wrap with fmt.Errorf, as error.type
// has it: "*net.OpError", for example. It is bounded by the program's source.
func Type(err error) string { return semconv.ErrorType(err).Value.AsString() }

// Message is the error's text in valid UTF-8.
func Message(err error) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = valid(fmt.Sprintf("!PANIC: %v", r))
		}
	}()
	return valid(err.Error())
}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
