package telemetrytest

import (
	"sort"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firedrill/telemetry"
	"firedrill/telemetry/internal/otlp"
)

// Record keeps the spans that tel makes from now on, at once and in the order
// they end.
func Record(t testing.TB, tel *telemetry.Telemetry) *tracetest.SpanRecorder {
	t.Helper()
	provider, ok := tel.TracerProvider().(*sdktrace.TracerProvider)
	if !ok {
		t.Fatalf("the tracer provider is a %T", tel.TracerProvider())
	}
	recorder := tracetest.NewSpanRecorder()
	provider.RegisterSpanProcessor(unpacker{recorder})
	return recorder
}

// unpacker hands spans on with the attributes that package server packs.
type unpacker struct{ sdktrace.SpanProcessor }

func (u unpacker) OnEnd(s sdktrace.ReadOnlySpan) {
	attrs, err := otlp.Unpack(s.Attributes())
	if err != nil {
		panic(err) // what was packed has come back changed
	}
	u.SpanProcessor.OnEnd(unpacked{s, attrs})
}

type unpacked struct {
	sdktrace.ReadOnlySpan
	attrs []attribute.KeyValue
}

func (u unpacked) Attributes() []attribute.KeyValue { return u.attrs }

// Attributes are a span's or an event's, by key.
func Attributes(attrs []attribute.KeyValue) map[string]any {
	all := make(map[string]any, len(attrs))
	for _, a := range attrs {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

// Series returns every series of a metric, as "label=value label=value" with
// empty labels left out, and its value: the count if it is a histogram.
func Series(t testing.TB, from prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, m := range Family(t, from, name).GetMetric() {
		all[seriesName(m)] = value(m)
	}
	return all
}

// Family returns a metric family, nil where there is none of that name.
func Family(t testing.TB, from prometheus.Gatherer, name string) *dto.MetricFamily {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

func seriesName(m *dto.Metric) string {
	var labels []string
	for _, l := range m.GetLabel() {
		if l.GetValue() != "" {
			labels = append(labels, l.GetName()+"="+l.GetValue())
		}
	}
	sort.Strings(labels)
	return strings.Join(labels, " ")
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetHistogram() != nil:
		return float64(m.GetHistogram().GetSampleCount())
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	default:
		return m.GetGauge().GetValue()
	}
}
