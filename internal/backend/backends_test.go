package backend

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

func TestPrometheus(t *testing.T) {
	base, last := answering(t, 200, map[string]string{
		"/api/v1/query": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"orders"},"value":[1700000060.5,"1"]}]}}`,
		"/api/v1/query_exemplars": `{"status":"success","data":[{"seriesLabels":{"__name__":"h_bucket","job":"orders","le":"0.1"},
			"exemplars":[{"labels":{"trace_id":"4bf9","span_id":"00f0"},"value":"0.0321","timestamp":1700000001.25}]}]}`,
		"/api/v1/rules": `{"status":"success","data":{"groups":[{"name":"stack","file":"stack.yaml","interval":1,"rules":[
			{"state":"inactive","name":"TargetDown","query":"up == 0","duration":5,"labels":{},"annotations":{},"alerts":[],"health":"err",
			 "lastError":"vector contains metrics with the same labelset","type":"alerting","evaluationTime":0.001,"lastEvaluation":"2026-01-01T00:00:00Z"}]}]}}`,
		"/api/v1/targets": `{"status":"success","data":{"activeTargets":[{"discoveredLabels":{},"labels":{"job":"orders"},"scrapePool":"orders",
			"scrapeUrl":"http://127.0.0.1:8102/metrics","globalUrl":"","lastError":"connection refused","lastScrape":"2026-01-01T00:00:00Z","lastScrapeDuration":0.1,"health":"down"}],"droppedTargets":[]}}`,
		"/api/v1/alertmanagers": `{"status":"success","data":{"activeAlertmanagers":[{"url":"http://127.0.0.1:9093/api/v2/alerts"}],"droppedAlertmanagers":[]}}`,
		"/api/v1/query_range":   `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1700000000,"1"],[1700000001,"2"]]}]}}`,
	})
	p, err := NewPrometheus(base, nil)
	if err != nil {
		t.Fatal(err)
	}

	vector, err := p.Query(t.Context(), `up{job="orders"}`, end)
	want := model.Vector{{Metric: model.Metric{"__name__": "up", "job": "orders"}, Value: 1, Timestamp: 1700000060500}}
	if err != nil || !reflect.DeepEqual(vector, want) {
		t.Errorf("Query = %v, %v, want %v", vector, err, want)
	}
	wantParams(t, last().Form, map[string]string{"query": `up{job="orders"}`, "time": "1700000060"})

	matrix, err := p.QueryRange(t.Context(), "sum(up)", begin, end, time.Second)
	if err != nil || len(matrix) != 1 || len(matrix[0].Values) != 2 || matrix[0].Values[1].Value != 2 {
		t.Errorf("QueryRange = %v, %v", matrix, err)
	}
	wantParams(t, last().Form, map[string]string{"start": "1700000000", "end": "1700000060", "step": "1"})

	exemplars, err := p.Exemplars(t.Context(), "h_bucket", begin, end)
	wantExemplars := []Exemplar{{
		Series: model.LabelSet{"__name__": "h_bucket", "job": "orders", "le": "0.1"},
		Labels: model.LabelSet{"trace_id": "4bf9", "span_id": "00f0"},
		Value:  0.0321, Time: time.UnixMilli(1700000001250),
	}}
	if err != nil || len(exemplars) != 1 || !exemplars[0].Time.Equal(wantExemplars[0].Time) {
		t.Fatalf("Exemplars = %v, %v, want %v", exemplars, err, wantExemplars)
	}
	if exemplars[0].Time = wantExemplars[0].Time; !reflect.DeepEqual(exemplars, wantExemplars) {
		t.Errorf("Exemplars = %v, want %v", exemplars, wantExemplars)
	}

	groups, err := p.RuleGroups(t.Context())
	if err != nil || len(groups) != 1 || groups[0].Name != "stack" || len(groups[0].Rules) != 1 {
		t.Errorf("RuleGroups = %v, %v", groups, err)
	}
	targets, err := p.Targets(t.Context())
	if err != nil || len(targets) != 1 || targets[0].Health != "down" || targets[0].LastError != "connection refused" {
		t.Errorf("Targets = %v, %v", targets, err)
	}
	managers, err := p.Alertmanagers(t.Context())
	if err != nil || !reflect.DeepEqual(managers, []string{"http://127.0.0.1:9093/api/v2/alerts"}) {
		t.Errorf("Alertmanagers = %v, %v", managers, err)
	}
}

func TestPrometheusAnswers(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       model.Vector
		fails      bool
	}{
		{"scalar", `{"status":"success","data":{"resultType":"scalar","result":[1700000060,"2.5"]}}`, model.Vector{{Value: 2.5, Timestamp: 1700000060000}}, false},
		{"nothing", `{"status":"success","data":{"resultType":"vector","result":[]}}`, model.Vector{}, false},
		{"partial", `{"status":"success","warnings":["one store is down"],"data":{"resultType":"vector","result":[]}}`, nil, true},
		{"matrix", `{"status":"success","data":{"resultType":"matrix","result":[]}}`, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base, _ := answering(t, 200, map[string]string{"/api/v1/query": tc.body})
			p, err := NewPrometheus(base, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Query(t.Context(), "x", end)
			if (err != nil) != tc.fails || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("Query = %v, %v, want %v", got, err, tc.want)
			}
		})
	}
}

func TestLoki(t *testing.T) {
	base, last := answering(t, 200, map[string]string{
		"/loki/api/v1/query_range": `{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[
			{"stream":{"service_name":"orders","level":"info"},"values":[
				["1700000003000000001","late",{"structuredMetadata":{"trace_id":"4bf9","detected_level":"info"},"parsed":{"status":"200"}}]]},
			{"stream":{"service_name":"gateway","level":"info"},"values":[
				["1700000002000000001","early",{"structuredMetadata":{"trace_id":"4bf9"}}],
				["1700000004000000001","bare"],
				["1700000005000000001","plain",{}]]}],"stats":{}}}`,
		"/loki/api/v1/query": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service_name":"orders"},"value":[1700000060,"3"]}]}}`,
	})
	l, err := NewLoki(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := l.Lines(t.Context(), `{a="b"} | trace_id="4bf9"`, begin, end, 50)
	if err != nil {
		t.Fatal(err)
	}
	orders := map[string]string{"service_name": "orders", "level": "info"}
	gateway := map[string]string{"service_name": "gateway", "level": "info"}
	want := []Line{
		{time.Unix(1700000002, 1), "early", gateway, map[string]string{"trace_id": "4bf9"}, nil},
		{time.Unix(1700000003, 1), "late", orders, map[string]string{"trace_id": "4bf9", "detected_level": "info"}, map[string]string{"status": "200"}},
		{time.Unix(1700000004, 1), "bare", gateway, nil, nil},
		{time.Unix(1700000005, 1), "plain", gateway, nil, nil},
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("Lines =\n%v, want\n%v", lines, want)
	}
	wantParams(t, last().Form, map[string]string{
		"query": `{a="b"} | trace_id="4bf9"`, "start": "1700000000000000000", "end": "1700000060000000000", "limit": "50", "direction": "forward",
	})
	if got := last().Header.Get("X-Loki-Response-Encoding-Flags"); got != "categorize-labels" {
		t.Errorf("encoding flags %q: metadata would be mixed into the labels", got)
	}

	vector, err := l.Query(t.Context(), "sum by (service_name) (count_over_time({a=\"b\"}[1m]))", end)
	if err != nil || len(vector) != 1 || vector[0].Value != 3 || vector[0].Metric["service_name"] != "orders" {
		t.Errorf("Query = %v, %v", vector, err)
	}
}

func TestLokiRefusesWhatIsNoLine(t *testing.T) {
	for _, value := range []string{`["1700000002000000001"]`, `["soon","text"]`, `[1,2]`, `{}`, `["1","text",7]`} {
		base, _ := answering(t, 200, map[string]string{
			"/loki/api/v1/query_range": `{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[` + value + `]}]}}`,
		})
		l, err := NewLoki(base, nil)
		if err != nil {
			t.Fatal(err)
		}
		if lines, err := l.Lines(t.Context(), "{}", begin, end, 1); err == nil {
			t.Errorf("the value %s gives %v and no error", value, lines)
		}
	}
}

func TestLokiRefusesAnotherType(t *testing.T) {
	for _, body := range []string{
		`{"status":"success","data":{"resultType":"vector","result":[]}}`,
		`{"status":"error","error":"parse error","data":{"resultType":"streams","result":[]}}`,
		`{}`,
	} {
		base, _ := answering(t, 200, map[string]string{"/loki/api/v1/query_range": body})
		l, err := NewLoki(base, nil)
		if err != nil {
			t.Fatal(err)
		}
		if lines, err := l.Lines(t.Context(), "{}", begin, end, 1); err == nil {
			t.Errorf("the answer %s gives %v and no error", body, lines)
		}
	}
}

func keyValue(key, value string) *commonv1.KeyValue {
	return &commonv1.KeyValue{Key: key, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: value}}}
}

func TestTempoTrace(t *testing.T) {
	body, err := proto.Marshal(&tracev1.TracesData{ResourceSpans: []*tracev1.ResourceSpans{{
		Resource: &resourcev1.Resource{Attributes: []*commonv1.KeyValue{keyValue("service.name", "shipping")}},
		ScopeSpans: []*tracev1.ScopeSpans{{Spans: []*tracev1.Span{{
			TraceId: []byte{0x4b, 0xf9}, SpanId: []byte{0, 0xf0}, ParentSpanId: []byte{0, 0xaa}, Name: "process orders.confirmed",
			Kind: tracev1.Span_SPAN_KIND_CONSUMER, StartTimeUnixNano: 1700000000000000001, EndTimeUnixNano: 1700000000000000009,
			Attributes: []*commonv1.KeyValue{
				keyValue("messaging.system", "nats"),
				{Key: "http.response.status_code", Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_IntValue{IntValue: 409}}},
				{Key: "ok", Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_BoolValue{BoolValue: true}}},
				{Key: "ratio", Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_DoubleValue{DoubleValue: 0.5}}},
			},
			Links:  []*tracev1.Span_Link{{TraceId: []byte{1}, SpanId: []byte{2}}},
			Status: &tracev1.Status{Code: tracev1.Status_STATUS_CODE_ERROR},
		}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	base, last := answering(t, 200, map[string]string{"/api/traces/4bf9": string(body)})
	tempo, err := NewTempo(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tempo.Trace(t.Context(), "4bf9")
	want := Trace{ID: "4bf9", Spans: []Span{{
		Service: "shipping", Name: "process orders.confirmed", Kind: Consumer, TraceID: "4bf9", ID: "00f0", ParentID: "00aa",
		Links:      []Link{{"01", "02"}},
		Attributes: map[string]string{"messaging.system": "nats", "http.response.status_code": "409", "ok": "true", "ratio": "0.5"},
		Failed:     true, Start: time.Unix(1700000000, 1), End: time.Unix(1700000000, 9),
	}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Trace = %+v, %v, want %+v", got, err, want)
	}
	if accept := last().Header.Get("Accept"); accept != "application/protobuf" {
		t.Errorf("Accept: %q", accept)
	}
	if _, ok := got.Span("00f0"); !ok {
		t.Error("Span(00f0) is not found")
	}
	if _, ok := got.Span("00aa"); ok {
		t.Error("Span(00aa), which is not in the trace, is found")
	}
	if services := got.Services(); !reflect.DeepEqual(services, map[string]int{"shipping": 1}) {
		t.Errorf("Services = %v", services)
	}
}

func TestTempoTraceNotFound(t *testing.T) {
	for name, status := range map[string]int{"404": 404, "empty": 200} {
		t.Run(name, func(t *testing.T) {
			base, _ := answering(t, status, map[string]string{"/api/traces/4bf9": ""})
			tempo, err := NewTempo(base, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tempo.Trace(t.Context(), "4bf9"); !errors.Is(err, ErrNotFound) {
				t.Errorf("Trace = %v, %v, want %v", got, err, ErrNotFound)
			}
		})
	}
}

func TestTempoSearchAndMetrics(t *testing.T) {
	base, last := answering(t, 200, map[string]string{
		"/api/search": `{"traces":[{"traceID":"2f3e0cee77ae5dc9c17ade3689eb2e5","rootServiceName":"gateway","rootTraceName":"POST /orders","startTimeUnixNano":"1700000001000000000",
			"durationMs":42,"spanSets":[{"spans":[{"spanID":"563d623c76514f8e","startTimeUnixNano":"1","durationNanos":"2"}],"matched":3}]}],"metrics":{"inspectedBytes":"1"}}`,
		"/api/metrics/query_range": `{"series":[{"labels":[{"key":"resource.service.name","value":{"stringValue":"gateway"}},{"key":"n","value":{"intValue":"7"}}],
			"samples":[{"timestampMs":"1700000000000"},{"timestampMs":"1700000010000","value":1.5}],"promLabels":"{}"}]}`,
	})
	tempo, err := NewTempo(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := tempo.Search(t.Context(), "{} >> {}", begin.Add(time.Millisecond), end, 5)
	want := []Found{{"02f3e0cee77ae5dc9c17ade3689eb2e5", "gateway", "POST /orders", []string{"563d623c76514f8e"}, 3}}
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("Search = %v, %v, want %v", found, err, want)
	}
	wantParams(t, last().Form, map[string]string{"q": "{} >> {}", "start": "1700000000", "end": "1700000061", "limit": "5"})

	series, err := tempo.QueryRange(t.Context(), "{} | rate()", begin, end, 10*time.Second)
	wantSeries := []Series{{
		Labels:  map[string]string{"resource.service.name": "gateway", "n": "7"},
		Samples: []Sample{{time.UnixMilli(1700000000000), 0}, {time.UnixMilli(1700000010000), 1.5}},
	}}
	if err != nil || !reflect.DeepEqual(series, wantSeries) {
		t.Errorf("QueryRange = %v, %v, want %v", series, err, wantSeries)
	}
	wantParams(t, last().Form, map[string]string{"step": "10s"})
}

func TestAlertmanager(t *testing.T) {
	base, _ := answering(t, 200, map[string]string{
		"/api/v2/alerts": `[{"annotations":{"summary":"s"},"endsAt":"2026-01-01T00:05:00Z","fingerprint":"f","receivers":[{"name":"notifications"}],
			"startsAt":"2026-01-01T00:00:00Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":["x"],"state":"suppressed"},"updatedAt":"2026-01-01T00:00:00Z",
			"generatorURL":"http://p","labels":{"alertname":"TargetDown"}}]`,
	})
	a, err := NewAlertmanager(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := a.Alerts(t.Context())
	if err != nil || len(alerts) != 1 {
		t.Fatalf("Alerts = %v, %v", alerts, err)
	}
	got := alerts[0]
	if got.Labels["alertname"] != "TargetDown" || got.Annotations["summary"] != "s" || got.Status.State != "suppressed" ||
		got.EndsAt.Sub(got.StartsAt) != 5*time.Minute || !reflect.DeepEqual(got.Status.SilencedBy, []string{"x"}) {
		t.Errorf("Alerts = %+v", got)
	}
}
