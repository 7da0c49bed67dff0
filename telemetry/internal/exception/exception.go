// Package exception records errors on spans.
//
// It replaces Span.RecordError for two reasons. An error's text may contain
// what a client sent, and an OTLP receiver rejects a whole batch if one text is
// not valid UTF-8. An error's Error method may also panic.
package exception

import (
	"fmt"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Record adds an exception event for err to a span. It does not set the status.
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

// Type returns the value of error.type: the type of the innermost error that
// fmt.Errorf wraps, such as "*net.OpError". The program's source bounds the set
// of values.
func Type(err error) string { return semconv.ErrorType(err).Value.AsString() }

// Message returns the error's text as valid UTF-8. If Error panics, it returns
// the panic's text.
func Message(err error) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = valid(fmt.Sprintf("!PANIC: %v", r))
		}
	}()
	return valid(err.Error())
}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
