package rules_test

import (
	"strings"
	"testing"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// An objective's own period holds in everything that is made of it.
func TestOwnPeriod(t *testing.T) {
	const week = 7 * 24 * time.Hour
	own := spec(t, "    objective: 99.9\n", "    objective: 99.9\n    period: 1w\n").SLOs[0]
	if own.Period != week {
		t.Fatalf("period %v, want a week", own.Period)
	}
	o := rules.Options{Policy: slo.Default(), Clock: slo.Production()}
	groups, err := rules.BuildGroups(own, o)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, g := range groups {
		for _, r := range g.Rules {
			found[r.Record+r.Alert] = r.Expr + r.Annotations["description"]
		}
	}
	if expr := found[slo.SeriesBudgetRemaining]; !strings.Contains(expr, slo.SeriesBurnRate(week)) {
		t.Errorf("budget remaining: %s, want the burn rate over a week", expr)
	}
	if text := found["ErrorBudgetSpent"]; !strings.Contains(text, "over 1w") {
		t.Errorf("ErrorBudgetSpent: %s, want a week", text)
	}
	for name := range found {
		if strings.Contains(name, "30d") {
			t.Errorf("%s is recorded: nothing looks back 30 days", name)
		}
	}
	e, err := rules.Explain(own, o)
	if err != nil || time.Duration(e.Period) != week {
		t.Fatalf("explained over %v, %v, want a week", time.Duration(e.Period), err)
	}
	// A total outage spends the budget of a week sooner than that of 30 days; it pages at the same time.
	month, err := rules.Explain(spec(t, "    objective: 99.9\n", "    objective: 99.9\n").SLOs[0], o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := float64(e.Exhaustion)/float64(month.Exhaustion), 7.0/30; got < want*0.999 || got > want*1.001 {
		t.Errorf("the budget is spent after %v of that of 30 days, want %v", got, want)
	}
	if e.Outages[0].Page.Detection != month.Outages[0].Page.Detection {
		t.Errorf("pages after %v, want %v", e.Outages[0].Page.Detection, month.Outages[0].Page.Detection)
	}
}
