package fault

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"firedrill/apps/fault/client"
	"firedrill/telemetry/telemetrytest"
)

func TestAnnouncer(t *testing.T) {
	reg, log := prometheus.NewRegistry(), &bytes.Buffer{}
	s, err := New(Config{Service: "broker", Token: testToken, Registry: reg, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	unready := func() float64 { return telemetrytest.Series(t, reg, "shop_fault_active")["kind=unready"] }
	if all := telemetrytest.Series(t, reg, "shop_fault_active"); len(all) != 6 || all["kind=unready"] != 0 {
		t.Errorf("before a fault: series %v, want six kinds with value 0", all)
	}
	end := begin(t, s, "unready", nil)
	if unready() != 0 || log.Len() > 0 {
		t.Errorf("a silent fault is announced: %v, %s", unready(), log)
	}
	end()
	if _, err := s.Begin(t.Context(), "a", Spec{Kind: "unready", Told: true}, client.MaxLease); err != nil {
		t.Fatal(err)
	}
	if unready() != 1 || !strings.Contains(log.String(), `msg="fault began" fault=a kind=unready`) {
		t.Errorf("a fault is not announced: %v, %s", unready(), log)
	}
	s.End("a")
	if unready() != 0 || !strings.Contains(log.String(), `msg="fault ended" fault=a kind=unready reason="it was ended"`) {
		t.Errorf("the fault's end is not announced: %v, %s", unready(), log)
	}
}
