package verify

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// world is a small shop with backends that tell the truth about it, unless a test makes one lie. It needs no
// network, so it runs in a synctest bubble.
type world struct {
	mu sync.Mutex

	spans     map[string][]*spanOf // by trace id
	lines     []lineOf
	counters  map[string]map[string]float64 // query -> labels as JSON -> value
	exemplars []exemplarOf
	shippedAt map[string]time.Time
	ids       int

	// Ways to lie. Each is nil or false in a world that tells the truth.
	intercept      func(host string, w http.ResponseWriter, r *http.Request) bool // true if it answered
	mute           func(signal, service string) bool                              // the service does not send the signal
	noGraph        func(client, server string) bool
	editSpan       func(*spanOf)
	editLine       func(*lineOf)
	traceID        func(string) string      // returns the trace id for problem documents
	scraped        func(job string) float64 // seconds ago; negative: no such target
	down           map[string]bool
	staleGenerator string  // trace id of all exemplars of Tempo's generator
	dropped        float64 // lines that orders loses with each of its requests
}

type spanOf struct {
	service string
	*tracev1.Span
}

type lineOf struct {
	at                     time.Time
	service                string
	traceID, spanID        string
	metadataID, metadataSp string
	text                   string
}

type exemplarOf struct {
	series map[string]string
	labels map[string]string
	at     time.Time
}

func newWorld() *world {
	w := &world{spans: map[string][]*spanOf{}, counters: map[string]map[string]float64{}, shippedAt: map[string]time.Time{}, down: map[string]bool{}}
	for _, s := range services() { // the shop has been up for a while
		for _, signal := range []string{"logs", "traces"} {
			w.count(droppedItems, 3, "job", s, "signal", signal)
		}
		w.count(serverRequests, 1000, "job", s, "http_request_method", "POST", "http_response_status_code", "201")
		w.count(clientRequests, 1000, "job", s, "peer", orders, "http_request_method", "POST", "http_response_status_code", "204")
		w.count(spanCalls, 1000, "service", s)
		w.exemplars = append(w.exemplars, exemplarOf{
			map[string]string{"__name__": "http_server_request_duration_seconds_bucket", "job": s},
			map[string]string{"trace_id": "0123", "span_id": "4567"}, time.Now().Add(-time.Hour),
		})
	}
	for _, e := range edges() {
		w.count(graphRequests, 1000, "client", e.parent, "server", e.child, "connection_type", e.how.connection())
	}
	return w
}

func (w *world) client() *http.Client { return &http.Client{Transport: w} }

func (w *world) config() Config {
	return Config{
		Gateway: "http://gateway", Prometheus: "http://prometheus", Loki: "http://loki", Tempo: "http://tempo", Alertmanager: "http://alertmanager",
		User: "ann", Other: "bob", Password: "secret", OtherPassword: "secret", Timeout: 15 * time.Second, Client: w.client(),
	}
}

// RoundTrip implements http.RoundTripper. Every backend is a function.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if w.intercept == nil || !w.intercept(r.URL.Host, rec, r) {
		w.mu.Lock()
		map[string]func(http.ResponseWriter, *http.Request){
			"gateway": w.gateway, "prometheus": w.prometheus, "loki": w.loki, "tempo": w.tempo,
			"alertmanager": func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "[]") },
		}[r.URL.Host](rec, r)
		w.mu.Unlock()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// --- the shop

// gateway stands for the whole shop. It answers, and records the telemetry that each service would send.
func (w *world) gateway(rw http.ResponseWriter, r *http.Request) {
	var traceID, parent string
	if tp := strings.Split(r.Header.Get("Traceparent"), "-"); len(tp) == 4 {
		traceID, parent = tp[1], tp[2]
	} else {
		traceID = w.id(16)
	}
	var in struct {
		Password, Card string
		Lines          json.RawMessage
	}
	_ = json.NewDecoder(orEmpty(r)).Decode(&in)
	t := &telling{w, traceID, w.id(8)}
	status, body := w.serve(t, r, in.Password, in.Card, string(in.Lines))
	if status >= 400 {
		named := traceID
		if w.traceID != nil {
			named = w.traceID(traceID)
		}
		body = fmt.Sprintf(`{"type":"urn:problem","trace_id":%q}`, named)
	}
	t.tell(gateway, t.root, parent, tracev1.Span_SPAN_KIND_SERVER, r.Method+" "+r.URL.Path,
		"http.response.status_code", strconv.Itoa(status), "user_agent.original", r.UserAgent())
	t.line(gateway, t.root, fmt.Sprintf(`"user_agent":%q`, r.UserAgent()))
	t.exemplar("http_server_request_duration_seconds_bucket", gateway, t.root)
	w.countOf("metrics", gateway, serverRequests, 1, "job", gateway, "http_request_method", r.Method, "http_response_status_code", strconv.Itoa(status))
	rw.WriteHeader(status)
	fmt.Fprint(rw, body)
}

func orEmpty(r *http.Request) interface{ Read([]byte) (int, error) } {
	if r.Body == nil {
		return strings.NewReader("{}")
	}
	return r.Body
}

func (w *world) serve(t *telling, r *http.Request, password, card, lines string) (int, string) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	id, isOrder := strings.CutPrefix(r.URL.Path, "/orders/")
	switch {
	case r.URL.Path == "/login" && password != "secret":
		return 401, ""
	case r.URL.Path == "/login":
		return 200, fmt.Sprintf(`{"token":%q}`, w.id(4))
	case r.URL.Path == "/products":
		t.call(gateway, t.root, catalog, "GET", 200)
		return 200, `{"products":[{"id":"p-001"}]}`
	case r.URL.Path == "/products/p-001":
		return 200, `{"id":"p-001"}`
	case isOrder && token == "":
		return 401, ""
	case isOrder && !strings.HasSuffix(id, token):
		return 404, ""
	case isOrder && time.Now().Before(w.shippedAt[id]):
		return 200, `{"id":"x","status":"confirmed"}`
	case isOrder:
		return 200, `{"id":"x","status":"shipped"}`
	case r.URL.Path != "/orders":
		return 404, ""
	case !strings.HasPrefix(lines, "["):
		return 400, ""
	case strings.Contains(lines, soldOut):
		return 409, ""
	case card == declinedCard:
		return 402, ""
	}
	t.order()
	id = "order-of-" + token
	w.shippedAt[id] = time.Now().Add(700 * time.Millisecond)
	return 201, fmt.Sprintf(`{"id":%q,"status":"confirmed"}`, id)
}

// telling records the telemetry of one trace.
type telling struct {
	w       *world
	traceID string
	root    string
}

// order records the telemetry of every service for an order.
func (t *telling) order() {
	in := t.call(gateway, t.root, orders, "POST", 201)
	t.call(orders, in, catalog, "POST", 201)
	pay := t.call(orders, in, payments, "POST", 201)
	t.tell(payments, t.w.id(8), pay, tracev1.Span_SPAN_KIND_CLIENT, "POST", "peer.service", bank)
	t.graph(payments, bank, silent)

	produced, consumed := t.w.id(8), t.w.id(8)
	t.tell(orders, produced, in, tracev1.Span_SPAN_KIND_PRODUCER, "send orders.confirmed")
	t.tell(shipping, consumed, produced, tracev1.Span_SPAN_KIND_CONSUMER, "process orders.confirmed")
	t.line(shipping, consumed, `"msg":"shipped"`)
	t.graph(orders, shipping, message)
	t.call(shipping, consumed, orders, "POST", 204)
	t.w.count(droppedItems, t.w.dropped, "job", orders, "signal", "logs")
}

// call records a call between two services and returns the id of the server's span.
func (t *telling) call(from, parent, to, method string, status int) string {
	client, server := t.w.id(8), t.w.id(8)
	t.tell(from, client, parent, tracev1.Span_SPAN_KIND_CLIENT, method, "peer.service", to)
	t.tell(to, server, client, tracev1.Span_SPAN_KIND_SERVER, method+" /x")
	t.line(to, server, `"msg":"request"`)
	t.exemplar("http_client_request_duration_seconds_bucket", from, client)
	t.exemplar("http_server_request_duration_seconds_bucket", to, server)
	code := strconv.Itoa(status)
	t.w.countOf("metrics", to, serverRequests, 1, "job", to, "http_request_method", method, "http_response_status_code", code)
	t.w.countOf("metrics", from, clientRequests, 1, "job", from, "peer", to, "http_request_method", method, "http_response_status_code", code)
	t.graph(from, to, twoSided)
	return server
}

func (t *telling) tell(service, id, parent string, kind tracev1.Span_SpanKind, name string, attrs ...string) {
	if t.w.mute != nil && t.w.mute("traces", service) {
		return
	}
	s := &spanOf{service, &tracev1.Span{
		TraceId: unhex(t.traceID), SpanId: unhex(id), ParentSpanId: unhex(parent), Kind: kind, Name: name,
		StartTimeUnixNano: uint64(time.Now().UnixNano()),
	}}
	for i := 0; i < len(attrs); i += 2 {
		s.Attributes = append(s.Attributes, keyValue(attrs[i], attrs[i+1]))
	}
	if t.w.editSpan != nil {
		t.w.editSpan(s)
	}
	t.w.spans[t.traceID] = append(t.w.spans[t.traceID], s)
	t.w.count(spanCalls, 1, "service", service)
	t.generated(map[string]string{"__name__": "traces_spanmetrics_latency_bucket", "service": service})
}

func (t *telling) line(service, spanID, more string) {
	if t.w.mute != nil && t.w.mute("logs", service) {
		return
	}
	l := lineOf{
		at: time.Now(), service: service, traceID: t.traceID, spanID: spanID, metadataID: t.traceID, metadataSp: spanID,
		text: fmt.Sprintf(`{"service":%q,"trace_id":%q,%s}`, service, t.traceID, more),
	}
	if t.w.editLine != nil {
		t.w.editLine(&l)
	}
	t.w.lines = append(t.w.lines, l)
}

func (t *telling) exemplar(metric, job, spanID string) {
	if t.w.mute == nil || !t.w.mute("exemplars", job) {
		t.w.exemplars = append(t.w.exemplars, exemplarOf{
			map[string]string{"__name__": metric, "job": job}, map[string]string{"trace_id": t.traceID, "span_id": spanID}, time.Now(),
		})
	}
}

func (t *telling) graph(client, server string, how hop) {
	if t.w.noGraph != nil && t.w.noGraph(client, server) {
		return
	}
	t.w.count(graphRequests, 1, "client", client, "server", server, "connection_type", how.connection())
	t.generated(map[string]string{
		"__name__": "traces_service_graph_request_client_seconds_bucket", "client": client, "server": server, "connection_type": how.connection(),
	})
}

// generated adds an exemplar as Tempo's generator does.
func (t *telling) generated(series map[string]string) {
	id := strings.TrimLeft(t.traceID, "0")
	if t.w.staleGenerator != "" {
		id = t.w.staleGenerator
	}
	t.w.exemplars = append(t.w.exemplars, exemplarOf{series, map[string]string{"traceID": id}, time.Now()})
}

func (w *world) countOf(signal, service, counter string, by float64, labels ...string) {
	if w.mute == nil || !w.mute(signal, service) {
		w.count(counter, by, labels...)
	}
}

func (w *world) count(counter string, by float64, labels ...string) {
	set := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		set[labels[i]] = labels[i+1]
	}
	key, _ := json.Marshal(set)
	if w.counters[counter] == nil {
		w.counters[counter] = map[string]float64{}
	}
	w.counters[counter][string(key)] += by
}

// id returns n bytes that were not used before, as hex digits.
func (w *world) id(n int) string {
	w.ids++
	return fmt.Sprintf("%0*x", 2*n, w.ids)
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func keyValue(key, value string) *commonv1.KeyValue {
	return &commonv1.KeyValue{Key: key, Value: &commonv1.AnyValue{Value: &commonv1.AnyValue_StringValue{StringValue: value}}}
}

// --- Tempo

func (w *world) tempo(rw http.ResponseWriter, r *http.Request) {
	id, isTrace := strings.CutPrefix(r.URL.Path, "/api/traces/")
	q := r.URL.Query().Get("q")
	switch {
	case isTrace && len(w.spans[id]) == 0:
		rw.WriteHeader(http.StatusNotFound)
	case isTrace:
		data, _ := proto.Marshal(traceData(w.spans[id]))
		_, _ = rw.Write(data)
	case r.URL.Path == "/api/search":
		w.search(rw, q)
	default: // TraceQL metrics
		n := 0
		for _, spans := range w.spans {
			for _, s := range spans {
				if s.service == gateway && strings.Contains(s.String(), "firedrill-verify/") {
					n++
				}
			}
		}
		fmt.Fprintf(rw, `{"series":[{"labels":[],"samples":[{"timestampMs":"1","value":%d}]}]}`, n)
	}
}

func (w *world) search(rw http.ResponseWriter, q string) {
	agent := strings.Split(q, `"`)[3]
	for id, spans := range w.spans {
		var begun, ended bool
		for _, s := range spans {
			begun = begun || s.service == gateway && len(s.ParentSpanId) == 0 && strings.Contains(s.String(), agent)
			ended = ended || s.service == shipping
		}
		if begun && ended {
			fmt.Fprintf(rw, `{"traces":[{"traceID":%q,"spanSets":[{"spans":[],"matched":1}]}]}`, strings.TrimLeft(id, "0"))
			return
		}
	}
	fmt.Fprint(rw, `{"traces":[]}`)
}

func traceData(spans []*spanOf) *tracev1.TracesData {
	data := &tracev1.TracesData{}
	for _, s := range spans {
		data.ResourceSpans = append(data.ResourceSpans, &tracev1.ResourceSpans{
			Resource:   &resourcev1.Resource{Attributes: []*commonv1.KeyValue{keyValue("service.name", s.service)}},
			ScopeSpans: []*tracev1.ScopeSpans{{Spans: []*tracev1.Span{s.Span}}},
		})
	}
	return data
}
