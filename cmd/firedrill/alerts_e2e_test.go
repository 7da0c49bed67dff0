//go:build e2e

package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
	"firedrill/internal/backend"
	"firedrill/internal/machine"
	"firedrill/internal/machine/machinetest"
)

// observer queries Prometheus, and knows whether the machine keeps up.
type observer struct {
	t          *testing.T
	prometheus *backend.Prometheus
	witness    *machine.Witness
	clock      slo.Clock // of the loaded rules
	began      time.Time
	missed     float64 // missed evaluations at the start
}

func newObserver(t *testing.T, c *stackCopy) *observer {
	t.Helper()
	prometheus, err := backend.NewPrometheus(c.url(9090, ""), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	o := &observer{t: t, prometheus: prometheus, witness: machine.Watch(t.Context(), stack.Settings{Data: c.data}.PIDs()), began: time.Now()}
	machinetest.Eventually(t, "rules say their scale", func() bool {
		got, err := prometheus.Query(t.Context(), `group by (scale) (slo:objective:ratio{synthetic=""})`, time.Time{})
		if err != nil || len(got) != 1 {
			return false
		}
		scale, err := strconv.ParseFloat(string(got[0].Metric["scale"]), 64)
		o.clock = slo.NewClock(scale, slo.Workshop().Scrape)
		return err == nil && scale > 0
	})
	o.missed, _ = o.ask(missedEvaluations)
	return o
}

const missedEvaluations = `sum(prometheus_rule_group_iterations_missed_total)`

// ask returns the first value of an answer. ok is false if there is none.
func (o *observer) ask(promql string) (v float64, ok bool) {
	o.t.Helper()
	got, err := o.prometheus.Query(o.t.Context(), promql, time.Time{})
	if err != nil {
		o.t.Fatal(err)
	}
	if len(got) == 0 {
		return 0, false
	}
	return float64(got[0].Value), true
}

// mostStrained is the largest share of the time in which the machine may fall short. Above it, times are not
// compared to the second.
const mostStrained = 0.1

// shortfall returns how the machine fell short since the observer began: work waited for a processor for a
// share of the time, or for longer than the interval between two evaluations, or Prometheus skipped
// evaluations. It returns "" if the machine kept up.
func (o *observer) shortfall() string {
	o.t.Helper()
	interval := o.clock.Interval
	if late := o.witness.Worst(o.began).Late; late > interval {
		return fmt.Sprintf("a process waited %v for a processor, longer than the %v between evaluations", late, interval)
	}
	if share := o.witness.StrainedShare(o.began); share > mostStrained {
		return fmt.Sprintf("work waited up to %v for a processor, and for more than %v in %.0f %% of the time",
			o.witness.Worst(o.began).Wait(), machine.Strained, 100*share)
	}
	if missed, _ := o.ask(missedEvaluations); missed > o.missed {
		return fmt.Sprintf("Prometheus left %v evaluations of rules out", missed-o.missed)
	}
	return ""
}

// nothingFires watches usual traffic for as long as the longest window of a page. The windows then hold traffic
// at the rate of the prediction. The control run checks too that nothing fires.
func (o *observer) nothingFires(c *stackCopy) {
	o.t.Helper()
	var longest time.Duration
	for _, pair := range slo.Default().Page.Pairs {
		longest = max(longest, o.clock.Wall(pair.Long))
	}
	for begin := time.Now(); time.Since(begin) < longest; time.Sleep(time.Second) { // this duration is part of the test
		got, err := o.prometheus.Query(o.t.Context(), `ALERTS{slo!="",alertstate="firing"}`, time.Time{})
		if err != nil {
			o.t.Fatal(err)
		}
		if why := o.shortfall(); len(got) > 0 && why != "" {
			machinetest.CouldNotKeepUp(o.t, fmt.Sprintf("%s, and %v of usual traffic fired %v", why, time.Since(begin), got))
		}
		if len(got) > 0 {
			o.t.Fatalf("%v of usual traffic: %v fires", time.Since(begin), got)
		}
	}
	if got := c.notified(); len(got) > 0 {
		o.t.Errorf("notified without cause: %v", got)
	}
	busy, _ := o.ask(`rate(process_cpu_seconds_total{job="prometheus"}[2m])`)
	o.t.Logf("%v of usual traffic fired nothing; Prometheus took %.3f of a core", longest, busy)
}

// With real traffic on the real stack, nothing fires. Then payments is stopped and all checkouts fail. The page
// fires during the outage and resolves after it, and nobody is notified of the gateway's page, which follows
// from it. If the machine keeps up, the page fires and resolves at the predicted times.
func TestAlertsOnARealOutage(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	traffic := shop(t, c)
	o := newObserver(t, c)
	o.nothingFires(c)

	s := objective(t, "orders", "checkout-availability")
	page := fmt.Sprintf(`{alertname=%q,severity="page"}`, s.Alerting.Name)
	stopped := time.Now()
	c.supervise(http.MethodPatch, "/process/stop/payments")
	machinetest.Eventually(t, "the page fires", func() bool { _, fires := o.ask("ALERTS" + page); return fires })
	since, _ := o.ask("ALERTS_FOR_STATE" + page)
	firedAt := time.UnixMilli(int64(since * 1000))
	// Otherwise the missing notification of the gateway's page would prove nothing.
	machinetest.Eventually(t, "the gateway's page fires too", func() bool {
		_, fires := o.ask(`ALERTS{alertname="GatewayAvailabilityBurn",severity="page",alertstate="firing"}`)
		return fires
	})
	time.Sleep(20 * time.Second) // the outage continues for a while, so that both pairs of windows are above the threshold
	if _, fires := o.ask("ALERTS" + page); !fires || firedAt.Before(stopped) {
		t.Errorf("the page fired at %v: want from after the outage's beginning at %v to its end; it fires at the end: %v", firedAt, stopped, fires)
	}
	c.supervise(http.MethodPost, "/process/start/payments")
	machinetest.Eventually(t, "checkouts work again", func() bool {
		_, last, _, _ := traffic.failures()
		return time.Since(last) > 2*time.Second
	})
	machinetest.Eventually(t, "the page ends", func() bool { _, fires := o.ask("ALERTS" + page); return !fires })
	ended := time.Now()
	o.compare(s, traffic, firedAt, ended)
	toldOfTheCauseOnly(t, c, s)
}

// compare compares the times of the page with the prediction, to the second. On a machine that did not keep up,
// it only logs both.
func (o *observer) compare(s slo.SLO, traffic *shoppers, firedAt, ended time.Time) {
	o.t.Helper()
	first, last, failed, orders := traffic.failures()
	want := rules.Predict(s, rules.Options{Policy: slo.Default(), Clock: o.clock}, slo.Page,
		slo.Outage{Ratio: 1, Length: last.Sub(first), Rate: ordersPerSecond})
	detection, reset := firedAt.Sub(first), ended.Sub(last)
	o.t.Logf("%d of %d checkouts failed over %v: detected after %v (predicted %v), reset after %v (predicted %v), each to %v",
		failed, orders, last.Sub(first), detection, time.Duration(want.Detection), reset, time.Duration(want.Reset), time.Duration(want.Slack))
	why := o.shortfall()
	if why != "" {
		o.t.Logf("the prediction is not held against it: %s", why)
		return
	}
	// Errors are not spread evenly. At five orders per second, each end of the outage is uncertain by a fifth
	// of a second.
	near := func(what string, got time.Duration, predicted rules.Seconds) {
		early, late := time.Duration(predicted)-time.Duration(want.Slack), time.Duration(predicted)+time.Duration(want.Slack)+time.Second
		if got < early || got > late {
			o.t.Errorf("%s after %v: want between %v and %v", what, got, early, late)
		}
	}
	near("detection", detection, want.Detection)
	near("reset", reset, want.Reset)
}

// toldOfTheCauseOnly checks that there were notifications of the objective's page and its end, and none of the
// gateway's page, which follows from it.
func toldOfTheCauseOnly(t *testing.T, c *stackCopy, s slo.SLO) {
	t.Helper()
	machinetest.Eventually(t, "the end is told", func() bool {
		return strings.Contains(strings.Join(c.notified(), "\n"), s.Alerting.Name+"/page resolved")
	})
	told := strings.Join(c.notified(), "\n")
	if !strings.Contains(told, s.Alerting.Name+"/page firing") {
		t.Errorf("the page was not told; there were\n%s", told)
	}
	if strings.Contains(told, "GatewayAvailabilityBurn/page firing") {
		t.Errorf("the gateway's page was told beside that of orders, which it follows from:\n%s", told)
	}
}
