package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"

	"firedrill/loadgen/metrics"
	"firedrill/loadgen/result"
)

func run() *metrics.Metrics {
	return metrics.New(metrics.Run{
		Profile: "steady", Workers: 9, Failures: []string{"status", "timeout"},
		Steps:    []metrics.Step{{Scenario: "read"}, {Scenario: "buy", Step: "login"}},
		Journeys: []string{"buy"},
		Intended: func() uint64 { return 100 },
		Rate:     func() float64 { return 12.5 },
		Begun:    func() uint64 { return 98 },
		Busy:     func() int { return 3 },
	})
}

func get(t *testing.T, m *metrics.Metrics, accept string) io.Reader {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d", rec.Code)
	}
	return rec.Body
}

const openMetrics = "application/openmetrics-text; version=1.0.0"

// lines returns the values of the loadgen_* series in OpenMetrics format, without the
// buckets of histograms.
func lines(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	text, err := io.ReadAll(get(t, m, openMetrics))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && strings.HasPrefix(name, "loadgen_") && !strings.Contains(name, "_bucket") && !strings.Contains(name, "_created") {
			all[name] = value
		}
	}
	return all
}

func TestSeriesAreThereFromTheBeginning(t *testing.T) {
	got := lines(t, run())
	for name, want := range map[string]string{
		`loadgen_run_info{profile="steady"}`:                                   "1.0",
		`loadgen_workers`:                                                      "9.0",
		`loadgen_workers_busy`:                                                 "3.0",
		`loadgen_intended_arrivals_total`:                                      "100.0",
		`loadgen_arrivals_total`:                                               "98.0",
		`loadgen_intended_arrivals_per_second`:                                 "12.5",
		`loadgen_requests_total{result="ok",scenario="read",step=""}`:          "0.0",
		`loadgen_requests_total{result="timeout",scenario="buy",step="login"}`: "0.0",
		`loadgen_requests_total{result="failed",scenario="read",step=""}`:      "0.0",
		`loadgen_journeys_total{result="ok",scenario="buy"}`:                   "0.0",
		`loadgen_journeys_total{result="failed",scenario="buy"}`:               "0.0",
		`loadgen_response_duration_seconds_count{scenario="buy",step="login"}`: "0",
		`loadgen_service_duration_seconds_count{scenario="read",step=""}`:      "0",
		`loadgen_dispatch_lag_seconds_count{scenario="read",step=""}`:          "0",
		`loadgen_journey_duration_seconds_count{scenario="buy"}`:               "0",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %s", name, got[name], want)
		}
	}
}

func TestSamplesAreCounted(t *testing.T) {
	m := run()
	m.Add(result.Sample{Scenario: "read", Due: time.Second, Sent: 1250 * time.Millisecond, Done: 1500 * time.Millisecond})
	m.Add(result.Sample{Scenario: "read", Failure: "timeout", Done: time.Second})
	m.Add(result.Sample{Scenario: "buy", Step: "login", Failure: "never heard of", Done: time.Second})
	m.Add(result.Sample{Scenario: "unknown"}) // must not create a series
	m.AddJourney(result.JourneySample{Scenario: "buy", Done: 2 * time.Second})
	m.AddJourney(result.JourneySample{Scenario: "buy", Failed: true, FailedStep: "login"})
	m.AddJourney(result.JourneySample{Scenario: "unknown"})
	got := lines(t, m)
	for name, want := range map[string]string{
		`loadgen_requests_total{result="ok",scenario="read",step=""}`:         "1.0",
		`loadgen_requests_total{result="timeout",scenario="read",step=""}`:    "1.0",
		`loadgen_requests_total{result="failed",scenario="buy",step="login"}`: "1.0",
		`loadgen_response_duration_seconds_sum{scenario="read",step=""}`:      "1.5",
		`loadgen_service_duration_seconds_sum{scenario="read",step=""}`:       "1.25",
		`loadgen_dispatch_lag_seconds_sum{scenario="read",step=""}`:           "0.25",
		`loadgen_journeys_total{result="ok",scenario="buy"}`:                  "1.0",
		`loadgen_journeys_total{result="failed",scenario="buy"}`:              "1.0",
		`loadgen_journey_duration_seconds_sum{scenario="buy"}`:                "2.0",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %s", name, got[name], want)
		}
	}
	for name := range got {
		if strings.Contains(name, "unknown") || strings.Contains(name, "never") {
			t.Errorf("%s was made", name)
		}
	}
}

func TestExemplarsAreOfKeptTraces(t *testing.T) {
	m := run()
	m.Add(result.Sample{Scenario: "read", Done: 300 * time.Millisecond, TraceID: [16]byte{1}})
	m.Add(result.Sample{Scenario: "read", Done: 700 * time.Millisecond, TraceID: [16]byte{2}, Sampled: true})
	m.Add(result.Sample{Scenario: "read", Due: 600 * time.Millisecond, Done: 710 * time.Millisecond, TraceID: [16]byte{3}, Sampled: true}) // less than exemplarEvery after the last
	text, err := io.ReadAll(get(t, m, openMetrics))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`le="([0-9.]+)"} \d+ # {trace_id="(\w+)"} ([0-9.]+)`).FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 || found[0][1] != "1.0" || found[0][2] != "02"+strings.Repeat("0", 30) || found[0][3] != "0.7" {
		t.Errorf("exemplars %v", found)
	}
}

func TestHistogramsAreNative(t *testing.T) {
	m := run()
	m.Add(result.Sample{Scenario: "read", Done: 100 * time.Millisecond})
	body := protodelim.UnmarshalOptions{MaxSize: -1}
	reader, ok := get(t, m, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited").(protodelim.Reader)
	if !ok {
		t.Fatal("the body cannot be read")
	}
	native := 0
	for {
		var family dto.MetricFamily
		if err := body.UnmarshalFrom(reader, &family); err != nil {
			break
		}
		if !strings.HasPrefix(family.GetName(), "loadgen_") || family.GetType() != dto.MetricType_HISTOGRAM {
			continue
		}
		for _, metric := range family.GetMetric() {
			if metric.GetHistogram().Schema == nil {
				t.Errorf("%s is not native", family.GetName())
			}
			native++
		}
	}
	if native != 7 { // response, service and lag of two steps, and one of journeys
		t.Errorf("%d native histograms, want 7", native)
	}
}
