package otlp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/testing/protocmp"
)

func TestPackedAttributesEqualSetAttributes(t *testing.T) {
	many := []attribute.KeyValue{
		attribute.String("url.path", "/products/7"), attribute.Int("http.response.status_code", 200),
		attribute.String("broken", "\xff"), attribute.StringSlice("many", []string{"a", "b"}),
	}
	own := attribute.Bool("handler.saw", true)
	k := &keeper{}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k)).Tracer("t")
	var packer, e Encoder
	for _, set := range [][]attribute.KeyValue{append(many[:4:4], own), {packer.Pack(many), own}} {
		_, span := tracer.Start(t.Context(), "GET /products/:id")
		span.SetAttributes(set...)
		span.End()
	}
	spans := ours(t, &e, k.spans).GetScopeSpans()[0].GetSpans()
	if n := len(spans[0].GetAttributes()); n != 5 {
		t.Fatalf("%d attributes, want 5", n)
	}
	if d := cmp.Diff(spans[0].GetAttributes(), spans[1].GetAttributes(), protocmp.Transform()); d != "" {
		t.Errorf("set -, packed +:\n%s", d)
	}
}

func TestUnpack(t *testing.T) {
	many := []attribute.KeyValue{
		attribute.String("text", "ünïcode"), attribute.Int("number", -7), attribute.Float64("float", .5), attribute.Bool("yes", true),
	}
	first, last := attribute.Int("first", 1), attribute.Int("last", 2)
	var e Encoder
	got, err := Unpack([]attribute.KeyValue{first, e.Pack(many), last})
	if err != nil {
		t.Fatal(err)
	}
	want := []attribute.KeyValue{first, many[0], many[1], many[2], many[3], last}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(attribute.Value{})); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
	if plain, err := Unpack(many); err != nil || len(plain) != 4 {
		t.Errorf("Unpack of plain attributes returned %v, %v", plain, err)
	}
	if _, err := Unpack([]attribute.KeyValue{packed.String("\xff")}); err == nil {
		t.Error("no error for an invalid packed attribute")
	}
}
