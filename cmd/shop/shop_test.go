package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"firedrill/apps/orders"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/telemetrytest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestShop runs the whole shop in one process, places an order, and checks the
// order and its trace.
func TestShop(t *testing.T) {
	backend, offset := telemetrytest.NewBackend(t), freeOffset(t)
	env := map[string]string{
		"FIREDRILL_PORT_OFFSET": itoa(offset), "SHOP_DATA": t.TempDir(), "LOG_FORMAT": "none", "LOKI_URL": backend.URL,
		"OTEL_EXPORTER_OTLP_ENDPOINT": backend.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"SHOP_BANK_DECLINE": "0",
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stderr bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"all"}, getenvOf(env), os.Stdout, &stderr) }()
	for name, url := range adminURLs(offset) {
		machinetest.Await(t, name+" is ready", ready(url))
	}

	alice := &shopper{base: portURL(offset, ports["gateway"]), name: "user-0001", http: http.DefaultClient}
	if err := alice.login(ctx); err != nil {
		t.Fatal(err)
	}
	id, traceID := buy(ctx, t, alice)
	for body, want := range map[string]int{
		`{"lines":[{"product_id":"p-050","quantity":1}]}`:                        http.StatusConflict,
		`{"lines":[{"product_id":"p-999","quantity":1}]}`:                        http.StatusUnprocessableEntity,
		`{"lines":[{"product_id":"p-001","quantity":1}],"card":"card-declined"}`: http.StatusPaymentRequired,
	} {
		if status, answer, err := alice.call(ctx, http.MethodPost, "/orders", "", json.RawMessage(body)); status != want {
			t.Errorf("%s: %d %s, %v; want %d", body, status, answer, err, want)
		}
	}
	bob := &shopper{base: alice.base, name: "user-0002", http: http.DefaultClient}
	boss := &shopper{base: alice.base, name: "staff-01", http: http.DefaultClient}
	for s, want := range map[*shopper]int{bob: http.StatusNotFound, boss: http.StatusOK} {
		if err := s.login(ctx); err != nil {
			t.Fatal(err)
		}
		if status, answer, err := s.call(ctx, http.MethodGet, "/orders/"+id, "", nil); status != want {
			t.Errorf("order of another user for %s: %d %s, %v; want %d", s.name, status, answer, err, want)
		}
	}

	stop()
	if code := <-done; code != exitOK {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	checkTrace(t, backend, traceID)
	checkLogs(t, backend, traceID)
}

// buy places an order and waits until it is shipped. It returns the ids of the
// order and of its trace.
func buy(ctx context.Context, t *testing.T, s *shopper) (id, traceID string) {
	t.Helper()
	req := json.RawMessage(`{"lines":[{"product_id":"p-001","quantity":2}]}`)
	header := http.Header{}
	status, answer, err := s.callFor(ctx, http.MethodPost, "/orders", "first", req, header)
	var o orders.Order
	if err != nil || status != http.StatusCreated || json.Unmarshal(answer, &o) != nil || o.TotalMinor != 998 {
		t.Fatalf("place order: %d %s, %v", status, answer, err)
	}
	machinetest.Await(t, "the order is shipped", func() (string, bool) {
		status, answer, err := s.call(ctx, http.MethodGet, "/orders/"+o.ID, "", nil)
		var now orders.Order
		return fmt.Sprintf("%d %s, %v", status, answer, err), json.Unmarshal(answer, &now) == nil && now.Status == orders.StatusShipped
	})
	return o.ID, header.Get("X-Trace-Id")
}

// checkTrace checks that one trace connects the gateway's server span, through
// the broker, to shipping's request to orders.
func checkTrace(t *testing.T, backend *telemetrytest.Backend, traceID string) {
	t.Helper()
	spans := make(map[string]*tracepb.Span)
	for _, s := range backend.Spans() {
		if hex.EncodeToString(s.TraceId) == traceID {
			spans[hex.EncodeToString(s.SpanId)] = s
		}
	}
	var paths []string // of each span, starting at the root
	for _, s := range spans {
		path, roots := s.Name, 0
		for p := s; len(p.ParentSpanId) > 0; roots++ {
			parent, ok := spans[hex.EncodeToString(p.ParentSpanId)]
			if !ok {
				t.Errorf("span %q has a parent that did not arrive", p.Name)
				break
			}
			path, p = parent.Name+" > "+path, parent
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	// Server spans are named with their route, client spans only with their
	// method.
	const place = "POST /orders > POST > POST /orders"
	for _, want := range []string{
		place + " > POST > POST /reservations",
		place + " > POST > POST /charges > POST", // the bank has no telemetry, so this is the last span
		place + " > send orders.confirmed > process orders.confirmed > POST > POST /orders/:id/shipped",
	} {
		if !slices.Contains(paths, want) {
			t.Errorf("no span at %q; spans are\n%s", want, strings.Join(paths, "\n"))
		}
	}
}

// checkLogs checks that each service with telemetry has log lines, and the bank
// none.
func checkLogs(t *testing.T, backend *telemetrytest.Backend, traceID string) {
	t.Helper()
	ofTrace, ofAll := map[string]int{}, map[string]int{}
	for _, line := range backend.Lines() {
		service, _ := line.Fields["service"].(string)
		ofAll[service]++
		if line.Metadata["trace_id"] == traceID {
			ofTrace[service]++
		}
	}
	if got, want := slices.Sorted(maps.Keys(ofTrace)), []string{"catalog", "gateway", "orders", "payments", "shipping"}; !slices.Equal(got, want) {
		t.Errorf("services with lines in the trace: %v, want %v", got, want)
	}
	if ofAll["broker"] == 0 || ofAll["bank"] > 0 {
		t.Errorf("lines by service %v, want some of the broker and none of the bank", ofAll)
	}
}
