package metrics

import (
	"bytes"
	"flag"
	"testing"

	"firedrill/internal/contract"
	"firedrill/internal/golden"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMetricsAreThoseOfTheContract compares the metrics of a load test with the contract
// that dashboards are checked against. The metrics of every Go program are in the contract
// of the telemetry library.
func TestMetricsAreThoseOfTheContract(t *testing.T) {
	zero := func() uint64 { return 0 }
	m := New(Run{
		Profile: "steady", Steps: []Step{{Scenario: "buy", Step: "login"}}, Journeys: []string{"buy"},
		Intended: zero, Begun: zero, Rate: func() float64 { return 0 }, Busy: func() int { return 0 },
	})
	got, err := contract.Describe(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	library, err := contract.ReadFiles("../../telemetry/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := got.Without(library).Write(&text); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "../metrics.json", *update, text.Bytes())
}
