package otlp

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// packed is the key of an attribute that Pack made. No other key contains a
// NUL.
const packed attribute.Key = "\x00packed"

// Pack encodes many attributes into one. The SDK handles one attribute much
// faster than many, because it copies less and searches for duplicate keys
// less. ResourceSpans writes the attributes as if they had been set one by one.
// Other span processors must call Unpack.
//
// The span must not have attributes with the same keys, and its attribute
// limits must be the SDK's defaults.
func (e *Encoder) Pack(attrs []attribute.KeyValue) attribute.KeyValue {
	e.b = e.b[:0]
	e.attributes(spanAttributes, attrs)
	return packed.String(string(e.b))
}

// Unpack returns a span's attributes with the packed ones decoded. Decoded
// values are strings, numbers or bools. It returns an error if the packed
// attribute is not valid protobuf.
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
