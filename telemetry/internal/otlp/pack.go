package otlp

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// packed is the key of an attribute that Pack made. No other has a NUL in it.
const packed attribute.Key = "\x00packed"

// Pack makes one attribute of many: its text is their encoding. The SDK keeps
// it at a fraction of the cost, for it neither copies them nor looks for equal
// keys among them. ResourceSpans writes them out as if they had been set; other
// span processors have to Unpack them.
//
// The span must have none of their keys, and no limits on attributes but the
// SDK's defaults.
func (e *Encoder) Pack(attrs []attribute.KeyValue) attribute.KeyValue {
	e.b = e.b[:0]
	e.attributes(spanAttributes, attrs)
	return packed.String(string(e.b))
}

// Unpack returns a span's attributes with what is packed in them. Values come
// back as text, numbers or bools.
func Unpack(attrs []attribute.KeyValue) ([]attribute.KeyValue, error) {
	i := slices.IndexFunc(attrs, func(a attribute.KeyValue) bool { return a.Key == packed })
	if i < 0 {
		return attrs, nil
	}
	var span tracepb.Span
	if err := proto.Unmarshal([]byte(attrs[i].Value.AsString()), &span); err != nil {
		return nil, fmt.Errorf("unpack attributes of a span: %w", err)
	}
	var inside []attribute.KeyValue
	for _, a := range span.GetAttributes() {
		inside = append(inside, attribute.KeyValue{Key: attribute.Key(a.GetKey()), Value: value(a.GetValue())})
	}
	return slices.Concat(attrs[:i], inside, attrs[i+1:]), nil
}

func value(v *commonpb.AnyValue) attribute.Value {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return attribute.StringValue(v.StringValue)
	case *commonpb.AnyValue_IntValue:
		return attribute.Int64Value(v.IntValue)
	case *commonpb.AnyValue_DoubleValue:
		return attribute.Float64Value(v.DoubleValue)
	case *commonpb.AnyValue_BoolValue:
		return attribute.BoolValue(v.BoolValue)
	default:
		return attribute.StringValue(fmt.Sprint(v))
	}
}
