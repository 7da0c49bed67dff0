package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"firedrill/chaos/drill"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
)

// metricsOf returns the metrics that Prometheus would scrape from a teller.
func metricsOf(t *testing.T, d *teller) string {
	t.Helper()
	w := httptest.NewRecorder()
	d.tel.AdminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// TestTellerKeepsASecret checks that the metrics name neither a secret drill nor its fault, and that they name a drill
// that is not secret.
func TestTellerKeepsASecret(t *testing.T) {
	began := run.Event{Kind: run.EventFault, State: run.StateBegan, Text: "errors on bank", Fault: &drill.Fault{Kind: "errors", Target: "bank"}}
	ended := began
	ended.State = run.StateEnded
	for _, tc := range []struct {
		name       string
		shows      report.Display
		want, lack []string
	}{
		{"open", report.Display{Name: "bank-fails"}, []string{`drill_active{drill="bank-fails"} 1`, `drill_fault_active{drill="bank-fails",kind="errors",target="bank"} 1`}, nil},
		{"secret", report.Display{Name: "mystery", Secret: true}, []string{`drill_active{drill="mystery"} 1`}, []string{"bank", "drill_fault_active{"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			announced, taken := "", false
			target := &Target{Places: map[string]string{}, Announce: func(addr string) (func(), error) {
				announced = addr
				return func() { taken = true }, nil
			}}
			d, err := newTeller(t.Context(), target, "bank-fails", "test", tc.shows)
			if err != nil {
				t.Fatal(err)
			}
			d.Observe(began)
			text := metricsOf(t, d)
			for _, want := range tc.want {
				if !strings.Contains(text, want) {
					t.Errorf("the metrics lack %s", want)
				}
			}
			for _, lack := range tc.lack {
				if strings.Contains(text, lack) {
					t.Errorf("the metrics tell %q", lack)
				}
			}
			d.Observe(ended)
			if strings.Contains(metricsOf(t, d), `target="bank"} 1`) {
				t.Error("a fault that ended is still told")
			}
			if !strings.HasPrefix(announced, "127.0.0.1:") {
				t.Errorf("announced at %q", announced)
			}
			if d.Close(); !taken {
				t.Error("the announcement was not taken back")
			}
		})
	}
}
