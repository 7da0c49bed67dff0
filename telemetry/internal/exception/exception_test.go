package exception_test

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firedrill/telemetry/internal/exception"
)

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type panicError struct{}

func (panicError) Error() string { panic("invalid \xff text") }

func TestRecord(t *testing.T) {
	tests := []struct {
		name          string
		err           error
		kind, message string
	}{
		{"plain", errors.New("out of stock"), "*errors.errorString", "out of stock"},
		{"wrapped", fmt.Errorf("call: %w", &net.DNSError{Err: "gone", Name: "x"}), "*net.DNSError", "call: lookup x: gone"},
		{"not UTF-8", errors.New("a\xffb"), "*errors.errorString", "a\ufffdb"},
		{"typed nil", (*nilError)(nil), "*exception_test.nilError", "!PANIC: runtime error: invalid memory address or nil pointer dereference"},
		{"panics", panicError{}, "firedrill/telemetry/internal/exception_test.panicError", "!PANIC: invalid \ufffd text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorder := tracetest.NewSpanRecorder()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
			_, span := provider.Tracer("test").Start(t.Context(), "span")
			exception.Record(span, tt.err)
			span.End()
			got := map[string]string{}
			for _, e := range recorder.Ended()[0].Events() {
				got["event"] = e.Name
				for _, a := range e.Attributes {
					got[string(a.Key)] = a.Value.AsString()
				}
			}
			want := map[string]string{"event": "exception", "exception.type": tt.kind, "exception.message": tt.message}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
		})
	}
}

func TestUnsampledSpanDoesNotAllocate(t *testing.T) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	_, span := provider.Tracer("test").Start(t.Context(), "span")
	err := errors.New("out of stock")
	if n := testing.AllocsPerRun(100, func() { exception.Record(span, err) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
