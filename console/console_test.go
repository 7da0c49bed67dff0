package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// prometheus is a Prometheus that answers some queries with one sample each, and counts what it is asked.
type prometheus struct {
	*httptest.Server
	asked   atomic.Int64
	samples map[string]string // query to the JSON of its result
}

func newPrometheus(t *testing.T, samples map[string]string) *prometheus {
	t.Helper()
	p := &prometheus{samples: samples}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, p.samples[r.FormValue("query")])
	}))
	t.Cleanup(p.Close)
	return p
}

func sample(value string, labels ...string) string {
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	text, _ := json.Marshal(m)
	return fmt.Sprintf(`{"metric":%s,"value":[1,%q]}`, text, value)
}

func serve(t *testing.T, cfg Config) *httptest.Server {
	t.Helper()
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string) (status int, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// Only the paths of a backend's API that read are passed on.
func TestOnlyReadingIsPassedOn(t *testing.T) {
	p := newPrometheus(t, nil)
	server := serve(t, Config{Prometheus: p.URL})
	for path, want := range map[string]int{
		"/api/backends/prometheus/api/v1/query?query=up":                                   http.StatusOK,
		"/api/backends/prometheus/api/v1/label/job/values":                                 http.StatusOK,
		"/api/backends/prometheus/-/quit":                                                  http.StatusNotFound,
		"/api/backends/prometheus/api/v1/admin/tsdb/delete_series":                         http.StatusNotFound,
		"/api/backends/prometheus/api/v1/query/../../../-/quit":                            http.StatusNotFound,
		"/api/backends/prometheus/api/v1/write":                                            http.StatusNotFound,
		"/api/backends/prometheus":                                                         http.StatusNotFound,
		"/api/backends/other/api/v1/query":                                                 http.StatusNotFound,
		"/api/backends/tempo/api/search":                                                   http.StatusServiceUnavailable,
		"/api/backends/prometheus/api/v1/query?query=" + strings.Repeat("x", longestQuery): http.StatusRequestURITooLong,
		"/api/else": http.StatusNotFound,
	} {
		before := p.asked.Load()
		status, body, _ := get(t, server.URL+path)
		if status != want {
			t.Errorf("%.60s: %d %s, want %d", path, status, body, want)
		}
		if asked := p.asked.Load() > before; asked != (want == http.StatusOK) {
			t.Errorf("%.60s: asked the backend: %v", path, asked)
		}
	}
}

func TestABackendThatIsGoneIsNamed(t *testing.T) {
	p := newPrometheus(t, nil)
	p.Close()
	server := serve(t, Config{Prometheus: p.URL})
	status, body, _ := get(t, server.URL+"/api/backends/prometheus/api/v1/query?query=up")
	if status != http.StatusBadGateway || !strings.Contains(body, "prometheus cannot be reached") {
		t.Errorf("%d %s", status, body)
	}
}

func TestBadURLsAreRefused(t *testing.T) {
	_, err := New(t.Context(), Config{Prometheus: "127.0.0.1:9090", Loki: "http://127.0.0.1:1", Tempo: "ftp://x"})
	if err == nil || !strings.Contains(err.Error(), "prometheus") || !strings.Contains(err.Error(), "tempo") || strings.Contains(err.Error(), "loki") {
		t.Errorf("error %v, want one that names prometheus and tempo", err)
	}
}

// Every path without an extension is the page, with a policy that allows no script but its own.
func TestPage(t *testing.T) {
	server := serve(t, Config{})
	for path, kind := range map[string]string{"/": "text/html", "/service/orders": "text/html", "/main.js": "text/javascript", "/main.css": "text/css", "/icon.svg": "image/svg+xml"} {
		status, body, header := get(t, server.URL+path)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), kind) || body == "" {
			t.Errorf("%s: %d, %s", path, status, header.Get("Content-Type"))
		}
		if p := header.Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
	if status, _, _ := get(t, server.URL+"/missing.js"); status != http.StatusNotFound {
		t.Errorf("a missing file: %d", status)
	}
}

// What is unknown is null, and not 0; 0 is what is measured as 0.
func TestSnapshot(t *testing.T) {
	p := newPrometheus(t, map[string]string{
		queryUp:      sample("1", "job", "orders") + "," + sample("0", "job", "payments"),
		queryRate:    sample("10", "job", "orders"),
		queryErrors:  sample("NaN", "job", "orders"),
		queryEdges:   sample("4", "client", "orders", "server", "orders-db", "connection_type", "virtual_node"),
		queryCalls:   sample("4", "job", "orders", "peer", "payments"),
		queryPending: sample("1", "alertname", "Burn", "severity", "page", "service", "orders"),
	})
	m, err := newMapper(Config{Prometheus: p.URL, Client: http.DefaultClient, Graph: Graph{
		Services: []string{"orders", "payments"}, Calls: [][2]string{{"orders", "payments"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := m.snapshot(t.Context())
	nodes := map[string]Node{}
	for _, n := range got.Nodes {
		nodes[n.Name] = n
	}
	orders, payments, db := nodes["orders"], nodes["payments"], nodes["orders-db"]
	if orders.Rate == nil || *orders.Rate != 10 || orders.Errors == nil || *orders.Errors != 0 || orders.P95 != nil || orders.Up == nil || !*orders.Up {
		t.Errorf("orders %+v", orders)
	}
	if payments.Rate == nil || *payments.Rate != 4 || payments.P95 != nil || payments.Up == nil || *payments.Up {
		t.Errorf("payments %+v: want down, with the rate that its caller sees", payments)
	}
	if db.Kind != "database" || db.Rate == nil || *db.Rate != 4 || db.Up != nil {
		t.Errorf("orders-db %+v", db)
	}
	if len(got.Edges) != 2 || got.Edges[1].To != "payments" || got.Edges[1].Rate == nil || *got.Edges[1].Errors != 0 {
		t.Errorf("edges %+v", got.Edges)
	}
	if len(got.Alerts) != 1 || got.Alerts[0].State != "pending" || got.Alerts[0].Service != "orders" {
		t.Errorf("alerts %+v", got.Alerts)
	}
	if len(got.Problems) > 0 {
		t.Errorf("problems %q", got.Problems)
	}
}

func TestASnapshotWithoutBackendsSaysWhy(t *testing.T) {
	gone := newPrometheus(t, nil)
	gone.Close()
	for name, cfg := range map[string]Config{"no URL": {}, "gone": {Prometheus: gone.URL, Alertmanager: gone.URL}} {
		cfg.Client = http.DefaultClient
		m, err := newMapper(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.snapshot(t.Context()); len(got.Problems) == 0 || got.Nodes == nil || got.Alerts == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Many viewers of one topic cost the backends what one does, and a topic that nobody looks at costs nothing.
func TestManyViewersAskOnce(t *testing.T) {
	var fetched atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.live.topics["map"] = &topic{every: time.Hour, viewers: map[chan []byte]bool{}, fetch: func(context.Context) any {
		return fetched.Add(1)
	}}
	server := httptest.NewServer(s)
	defer server.Close()
	const viewers = 50
	var leave []context.CancelFunc
	for range viewers {
		view, done := context.WithCancel(ctx)
		leave = append(leave, done)
		req, err := http.NewRequestWithContext(view, http.MethodGet, server.URL+"/api/live?topics=map", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
		if lines.Text() != "data: 1" {
			t.Fatalf("a viewer got %q, want the first value", lines.Text())
		}
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d viewers made %d questions, want 1", viewers, n)
	}
	for _, done := range leave {
		done()
	}
	machinetest.Eventually(t, "nobody polls when nobody looks", func() bool {
		top := s.live.topics["map"]
		top.mu.Lock()
		defer top.mu.Unlock()
		return top.stop == nil
	})
	if status, _, _ := get(t, server.URL+"/api/live?topics=nothing"); status != http.StatusNotFound {
		t.Errorf("an unknown topic: %d", status)
	}
}
