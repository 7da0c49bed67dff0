package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"firedrill/internal/contract"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/telemetrytest"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	libraryContract = "../../telemetry/metrics.json"
	shopContract    = "../../apps/metrics.json"
)

// TestMetricsMatchContracts runs the whole shop, ships an order, and compares
// the metrics of its services with the contract files. Alerts and dashboards
// are checked against these files.
func TestMetricsMatchContracts(t *testing.T) {
	shop := wholeShop(t)
	shipOne(t, shop)
	library, err := contract.ReadFiles(libraryContract)
	if err != nil {
		t.Fatal(err)
	}
	var services []prometheus.Gatherer
	for name, url := range shop.admin {
		if name == "bank" { // the bank has no telemetry
			continue
		}
		services = append(services, scrape(t, url))
		t.Run("lint "+name, func(t *testing.T) { telemetrytest.Lint(t, scrape(t, url)) })
	}
	got, err := contract.Describe(services...)
	if err != nil {
		t.Fatal(err)
	}
	telemetrytest.Contract(t, shopContract, *update, got.Without(library))

	both, err := contract.ReadFiles(libraryContract, shopContract)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Metrics {
		if err := both.Check(m.Name, m.Labels...); err != nil {
			t.Error(err)
		}
	}
}

// inProcess is the shop with all its services in this process.
type inProcess struct {
	gateway string            // URL
	admin   map[string]string // URLs by service
	offset  int               // port offset
	backend *telemetrytest.Backend
}

// addr returns the address on which a service listens.
func (s inProcess) addr(service string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[service]+s.offset))
}

func wholeShop(t *testing.T) inProcess {
	t.Helper()
	b := telemetrytest.NewBackend(t)
	offset := freeOffset(t)
	env := map[string]string{
		"FIREDRILL_PORT_OFFSET": strconv.Itoa(offset), "SHOP_DATA": t.TempDir(), "LOG_FORMAT": "none",
		"SHOP_FAULTS_TOKEN": "token",
		"SHOP_BANK_LATENCY": "1ms", "SHOP_BANK_DECLINE": "0",
		"LOKI_URL": b.URL, "OTEL_EXPORTER_OTLP_ENDPOINT": b.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var output strings.Builder
	go func() {
		ended <- run(ctx, []string{"all"}, func(key string) string { return env[key] }, io.Discard, &output)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("the shop ended with code %d: %s", code, output.String())
		}
	})
	shop := inProcess{gateway: portURL(offset, ports["gateway"]), admin: adminURLs(offset), offset: offset, backend: b}
	for name, url := range shop.admin {
		machinetest.Await(t, name+" is ready", ready(url))
	}
	return shop
}

// shipOne places an order and waits until it is shipped, so that every metric
// with labels has a series.
func shipOne(t *testing.T, shop inProcess) {
	t.Helper()
	s := &shopper{base: shop.gateway, name: "user-0001", http: http.DefaultClient}
	if err := s.login(t.Context()); err != nil {
		t.Fatal(err)
	}
	order := map[string]any{"lines": []map[string]any{{"product_id": "p-001", "quantity": 1}}}
	status, answer, err := s.call(t.Context(), http.MethodPost, "/orders", "", order)
	if err != nil || status >= 300 {
		t.Fatalf("place order: %d %s %v", status, answer, err)
	}
	var placed struct{ ID string }
	if err := json.Unmarshal(answer, &placed); err != nil {
		t.Fatal(err)
	}
	machinetest.Await(t, "the order is shipped", func() (string, bool) {
		status, answer, err := s.call(t.Context(), http.MethodGet, "/orders/"+placed.ID, "", nil)
		return fmt.Sprint(status, " ", string(answer), err), strings.Contains(string(answer), `"shipped"`)
	})
}

// scrape reads the metrics of a service once, as Prometheus would.
func scrape(t *testing.T, admin string) prometheus.Gatherer {
	t.Helper()
	resp, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	byName, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatalf("read metrics of %s: %v", admin, err)
	}
	var all []*dto.MetricFamily
	for _, f := range byName {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return all, nil })
}
