package otlp

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// keeper is a span processor and an OTLP client that keeps what it receives.
type keeper struct {
	spans []sdktrace.ReadOnlySpan
	sent  []*tracepb.ResourceSpans
}

func (*keeper) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (k *keeper) OnEnd(s sdktrace.ReadOnlySpan)                 { k.spans = append(k.spans, s) }
func (*keeper) Shutdown(context.Context) error                  { return nil }
func (*keeper) ForceFlush(context.Context) error                { return nil }
func (*keeper) Start(context.Context) error                     { return nil }
func (*keeper) Stop(context.Context) error                      { return nil }
func (k *keeper) UploadTraces(_ context.Context, s []*tracepb.ResourceSpans) error {
	k.sent = s
	return nil
}

// reference returns the spans as OpenTelemetry's exporter encodes them.
func reference(t *testing.T, spans []sdktrace.ReadOnlySpan) *tracepb.ResourceSpans {
	t.Helper()
	k := &keeper{}
	exporter, err := otlptrace.New(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if err := exporter.ExportSpans(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	return k.sent[0]
}

// ours returns the spans as Encoder encodes them, decoded again.
func ours(t *testing.T, e *Encoder, spans []sdktrace.ReadOnlySpan) *tracepb.ResourceSpans {
	t.Helper()
	wire, err := proto.Marshal(e.ResourceSpans(spans))
	if err != nil {
		t.Fatal(err)
	}
	got := &tracepb.ResourceSpans{}
	if err := proto.Unmarshal(wire, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEncoderMatchesExporter(t *testing.T) {
	k := &keeper{}
	limits := sdktrace.NewSpanLimits()
	limits.AttributeCountLimit, limits.EventCountLimit, limits.LinkCountLimit = 15, 2, 1
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(k), sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithResource(resource.NewWithAttributes("https://schema.example", attribute.String("service.name", "shop"))),
	)
	scopes := []trace.Tracer{
		provider.Tracer("plain"),
		provider.Tracer("full", trace.WithInstrumentationVersion("1.2"), trace.WithSchemaURL("https://s.example"),
			trace.WithInstrumentationAttributes(attribute.Bool("of.scope", true))),
	}
	values := []attribute.Value{
		attribute.StringValue(""), attribute.StringValue("ünïcode"), attribute.BoolValue(false), attribute.BoolValue(true),
		attribute.Int64Value(0), attribute.Int64Value(-7), attribute.Float64Value(0), attribute.Float64Value(1e300),
		attribute.BoolSliceValue([]bool{true, false}), attribute.Int64SliceValue([]int64{1, -1}),
		attribute.Float64SliceValue([]float64{.5}), attribute.StringSliceValue([]string{"a", ""}),
		attribute.ByteSliceValue([]byte{0, 255}), attribute.StringValue(fmt.Sprintf("%0200d", 1)), attribute.StringSliceValue(nil),
	}
	var all []attribute.KeyValue
	for i, v := range values {
		all = append(all, attribute.KeyValue{Key: attribute.Key(fmt.Sprint("key.", i)), Value: v})
	}
	state, err := trace.ParseTraceState("vendor=value")
	if err != nil {
		t.Fatal(err)
	}
	remote := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true, TraceState: state,
	})
	other := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{3}, SpanID: trace.SpanID{4}, Remote: true})
	for i, kind := range []trace.SpanKind{
		trace.SpanKindInternal, trace.SpanKindServer, trace.SpanKindClient, trace.SpanKindProducer, trace.SpanKindConsumer,
	} {
		ctx := t.Context()
		if i%2 == 1 {
			ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
		}
		ctx, span := scopes[i%2].Start(ctx, fmt.Sprint("span ", i), trace.WithSpanKind(kind))
		_, child := scopes[1].Start(ctx, "child", trace.WithTimestamp(time.Unix(-5, 0)),
			trace.WithLinks(trace.Link{SpanContext: other, Attributes: all[:2]}, trace.Link{SpanContext: other}))
		child.SetAttributes(all...)
		child.SetAttributes(attribute.Int("one too many", 1))
		for range 3 {
			child.AddEvent("event", trace.WithAttributes(all[i]))
		}
		child.RecordError(errors.New("went wrong"))
		child.SetStatus(codes.Error, "failed")
		span.SetStatus(codes.Ok, "")
		child.End()
		span.End()
	}
	var e Encoder
	for range 2 { // the second time with a used buffer
		if d := cmp.Diff(reference(t, k.spans), ours(t, &e, k.spans), protocmp.Transform()); d != "" {
			t.Fatalf("exporter -, ours +:\n%s", d)
		}
	}
}

func TestEncoderReplacesInvalidUTF8(t *testing.T) {
	k := &keeper{}
	_, span := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k)).Tracer("t").Start(t.Context(), "broken \xff name")
	span.SetAttributes(attribute.String("k\xfe", "v\xfd"))
	span.End()
	var e Encoder
	got := ours(t, &e, k.spans).GetScopeSpans()[0].GetSpans()[0]
	if got.GetName() != "broken \ufffd name" || got.GetAttributes()[0].GetValue().GetStringValue() != "v\ufffd" {
		t.Errorf("got %v", got)
	}
}

func TestEncoderAllocatesOnlyTheMessage(t *testing.T) {
	k := &keeper{}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k)).Tracer("t")
	for range 100 {
		_, span := tracer.Start(t.Context(), "name")
		span.SetAttributes(attribute.String("a", "b"), attribute.Int("c", 1))
		span.End()
	}
	var e Encoder
	e.ResourceSpans(k.spans) // grows the buffer
	if n := testing.AllocsPerRun(10, func() { e.ResourceSpans(k.spans) }); n > 6 {
		t.Errorf("%v allocations for 100 spans, want at most 6", n)
	}
}
