package observe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"firedrill/chaos/observe"
)

// TestTraces checks that the traces with the most matching spans are fetched, and that an
// incomplete one is left out.
func TestTraces(t *testing.T) {
	whole := func(service string) []byte {
		name := &commonv1.KeyValue{Key: "service.name", Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: service}}}
		data, err := proto.Marshal(&tracev1.TracesData{ResourceSpans: []*tracev1.ResourceSpans{{
			Resource:   &resourcev1.Resource{Attributes: []*commonv1.KeyValue{name}},
			ScopeSpans: []*tracev1.ScopeSpans{{Spans: []*tracev1.Span{{Name: "SELECT"}}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/api/search":
			_, _ = w.Write([]byte(`{"traces":[
				{"traceID":"a","spanSets":[{"matched":1}]},{"traceID":"b","spanSets":[{"matched":9}]},
				{"traceID":"c","spanSets":[{"matched":5}]}]}`))
		case strings.HasSuffix(path, "0a"):
			_, _ = w.Write(whole("orders"))
		case strings.HasSuffix(path, "0b"):
			_, _ = w.Write(whole("catalog"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	e, err := observe.New(observe.Config{Prometheus: s.URL, Loki: s.URL, Tempo: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	traces, err := e.Traces(t.Context(), "{}", time.Now().Add(-time.Minute), time.Now())
	if err != nil || len(traces) != 2 || !strings.HasSuffix(traces[0].ID, "b") || traces[0].Spans[0].Service != "catalog" || traces[0].Spans[0].Name != "SELECT" {
		t.Errorf("%+v, %v", traces, err)
	}
}
