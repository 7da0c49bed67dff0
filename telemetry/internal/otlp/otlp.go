// Package otlp encodes spans in OTLP's wire format.
//
// It must not know where spans come from or how they are sent.
package otlp

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// Encoder encodes spans in OTLP's wire format into a buffer that it reuses. The
// exporters build a tree of messages with three allocations per attribute,
// which costs more than creating the span.
//
// The field numbers are from
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
// and common/v1/common.proto. A test compares the result with the exporters'.
type Encoder struct{ b []byte }

const spanAttributes protowire.Number = 9 // field number of attributes in Span

// ResourceSpans encodes spans, which must have the same resource and must not
// be empty. The message is valid until the next call. It holds the encoding as
// unknown fields, which protobuf writes out unchanged.
func (e *Encoder) ResourceSpans(spans []sdktrace.ReadOnlySpan) *tracepb.ResourceSpans {
	e.b = e.b[:0]
	resource := spans[0].Resource()
	at := e.open(1)
	e.attributes(1, resource.Attributes())
	e.close(at)
	for i, s := range spans {
		if scope := s.InstrumentationScope(); firstOf(spans, scope) == i {
			e.scopeSpans(scope, spans[i:])
		}
	}
	e.text(3, resource.SchemaURL())
	message := &tracepb.ResourceSpans{}
	message.ProtoReflect().SetUnknown(e.b)
	return message
}

// firstOf returns the index of the first span with the scope. A linear search
// is enough, because there are few scopes.
func firstOf(spans []sdktrace.ReadOnlySpan, scope instrumentation.Scope) int {
	for i, s := range spans {
		if s.InstrumentationScope() == scope {
			return i
		}
	}
	return -1
}

func (e *Encoder) scopeSpans(scope instrumentation.Scope, spans []sdktrace.ReadOnlySpan) {
	at := e.open(2)
	in := e.open(1)
	e.text(1, scope.Name)
	e.text(2, scope.Version)
	e.attributes(3, scope.Attributes.ToSlice())
	e.close(in)
	for _, s := range spans {
		if s.InstrumentationScope() == scope {
			e.span(s)
		}
	}
	e.text(3, scope.SchemaURL)
	e.close(at)
}

func (e *Encoder) span(s sdktrace.ReadOnlySpan) {
	at := e.open(2)
	sc, parent := s.SpanContext(), s.Parent()
	e.ids(1, 2, sc)
	e.text(3, sc.TraceState().String())
	if id := parent.SpanID(); id.IsValid() {
		e.bytes(4, id[:])
	}
	e.text(5, s.Name())
	e.varint(6, uint64(s.SpanKind()))
	e.fixed64(7, nanos(s.StartTime()))
	e.fixed64(8, nanos(s.EndTime()))
	e.attributes(spanAttributes, s.Attributes())
	e.varint(10, uint64(s.DroppedAttributes()))
	for _, event := range s.Events() {
		e.event(event)
	}
	e.varint(12, uint64(s.DroppedEvents()))
	for _, link := range s.Links() {
		e.link(link)
	}
	e.varint(14, uint64(s.DroppedLinks()))
	e.status(s.Status())
	e.flags(16, sc, parent.IsRemote())
	e.close(at)
}

func (e *Encoder) event(v sdktrace.Event) {
	at := e.open(11)
	e.fixed64(1, nanos(v.Time))
	e.text(2, v.Name)
	e.attributes(3, v.Attributes)
	e.varint(4, uint64(v.DroppedAttributeCount))
	e.close(at)
}

func (e *Encoder) link(l sdktrace.Link) {
	at := e.open(13)
	e.ids(1, 2, l.SpanContext)
	e.text(3, l.SpanContext.TraceState().String())
	e.attributes(4, l.Attributes)
	e.varint(5, uint64(l.DroppedAttributeCount))
	e.flags(6, l.SpanContext, l.SpanContext.IsRemote())
	e.close(at)
}

func (e *Encoder) status(s sdktrace.Status) {
	at := e.open(15)
	e.text(2, s.Description)
	switch s.Code {
	case codes.Ok:
		e.varint(3, uint64(tracepb.Status_STATUS_CODE_OK))
	case codes.Error:
		e.varint(3, uint64(tracepb.Status_STATUS_CODE_ERROR))
	default:
	}
	e.close(at)
}

// flags appends the trace flags and whether the span context is remote.
func (e *Encoder) flags(field protowire.Number, sc trace.SpanContext, remote bool) {
	flags := uint32(sc.TraceFlags()) | uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	if remote {
		flags |= uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
	}
	e.b = protowire.AppendTag(e.b, field, protowire.Fixed32Type)
	e.b = protowire.AppendFixed32(e.b, flags)
}

func (e *Encoder) ids(traceField, spanField protowire.Number, sc trace.SpanContext) {
	traceID, spanID := sc.TraceID(), sc.SpanID()
	e.bytes(traceField, traceID[:])
	e.bytes(spanField, spanID[:])
}

func (e *Encoder) attributes(field protowire.Number, attrs []attribute.KeyValue) {
	for i := range attrs {
		if attrs[i].Key == packed {
			e.b = append(e.b, attrs[i].Value.AsString()...)
			continue
		}
		if attrs[i].Value.Type() == attribute.STRING {
			e.textAttribute(field, string(attrs[i].Key), attrs[i].Value.AsString())
			continue
		}
		at := e.open(field)
		e.text(1, string(attrs[i].Key))
		in := e.open(2)
		e.value(attrs[i].Value)
		e.close(in)
		e.close(at)
	}
}

// textAttribute appends a string attribute as attributes does, at half the
// cost, because it computes the lengths first. Most attributes are strings.
func (e *Encoder) textAttribute(field protowire.Number, key, value string) {
	key, value = valid(key), valid(value)
	in := 1 + protowire.SizeBytes(len(value))
	size := 1 + protowire.SizeBytes(in)
	if key != "" {
		size += 1 + protowire.SizeBytes(len(key))
	}
	e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
	e.b = protowire.AppendVarint(e.b, uint64(size))
	e.text(1, key)
	e.b = protowire.AppendTag(e.b, 2, protowire.BytesType)
	e.b = protowire.AppendVarint(e.b, uint64(in))
	e.b = protowire.AppendTag(e.b, 1, protowire.BytesType)
	e.b = protowire.AppendString(e.b, value)
}

// value appends the content of an AnyValue. It does not omit zeros, because the
// field says which type the value has.
func (e *Encoder) value(v attribute.Value) {
	switch v.Type() {
	case attribute.STRING:
		e.string(1, v.AsString())
	case attribute.BOOL:
		e.b = protowire.AppendTag(e.b, 2, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		e.b = protowire.AppendTag(e.b, 3, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, uint64(v.AsInt64()))
	case attribute.FLOAT64:
		e.b = protowire.AppendTag(e.b, 4, protowire.Fixed64Type)
		e.b = protowire.AppendFixed64(e.b, math.Float64bits(v.AsFloat64()))
	case attribute.BYTESLICE:
		e.bytes(7, v.AsByteSlice())
	case attribute.BOOLSLICE:
		array(e, v.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		array(e, v.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		array(e, v.AsFloat64Slice(), attribute.Float64Value)
	case attribute.STRINGSLICE:
		array(e, v.AsStringSlice(), attribute.StringValue)
	case attribute.SLICE:
		array(e, v.AsSlice(), func(v attribute.Value) attribute.Value { return v })
	case attribute.MAP:
		at := e.open(6)
		e.attributes(1, v.AsMap())
		e.close(at)
	case attribute.EMPTY:
	default: // types that a later SDK adds
		e.string(1, v.String())
	}
}

func array[T any](e *Encoder, values []T, value func(T) attribute.Value) {
	at := e.open(5)
	for _, v := range values {
		in := e.open(1)
		e.value(value(v))
		e.close(in)
	}
	e.close(at)
}

// nanos returns a time in ns since 1970, at least 0.
func nanos(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }

// open starts a message, and close fills in its length. open reserves one byte
// for the length, because most messages are short.
func (e *Encoder) open(field protowire.Number) (start int) {
	e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
	e.b = append(e.b, 0)
	return len(e.b)
}

func (e *Encoder) close(start int) {
	size := uint64(len(e.b) - start)
	if more := protowire.SizeVarint(size) - 1; more > 0 {
		e.b = append(e.b, make([]byte, more)...)
		copy(e.b[start+more:], e.b[start:])
	}
	protowire.AppendVarint(e.b[:start-1], size)
}

// text appends a string unless it is empty, as proto3 does.
func (e *Encoder) text(field protowire.Number, s string) {
	if s != "" {
		e.string(field, s)
	}
}

// string appends a string. It replaces invalid UTF-8, because receivers reject
// a whole request that contains it.
func (e *Encoder) string(field protowire.Number, s string) {
	e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
	e.b = protowire.AppendString(e.b, valid(s))
}

func valid(s string) string {
	if utf8.ValidString(s) { // much faster than ToValidUTF8
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

func (e *Encoder) bytes(field protowire.Number, b []byte) {
	e.b = protowire.AppendTag(e.b, field, protowire.BytesType)
	e.b = protowire.AppendBytes(e.b, b)
}

func (e *Encoder) varint(field protowire.Number, n uint64) {
	if n != 0 {
		e.b = protowire.AppendTag(e.b, field, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, n)
	}
}

func (e *Encoder) fixed64(field protowire.Number, n uint64) {
	if n != 0 {
		e.b = protowire.AppendTag(e.b, field, protowire.Fixed64Type)
		e.b = protowire.AppendFixed64(e.b, n)
	}
}
