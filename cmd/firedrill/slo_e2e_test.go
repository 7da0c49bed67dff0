//go:build e2e

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/telemetry/query"
)

// shoppers keep traffic on the shop and remember when its checkouts failed.
type shoppers struct {
	c      *stackCopy
	client http.Client
	tokens []string

	mu              sync.Mutex
	orders, failed  int
	firstBad, ended time.Time // of failed checkouts
}

const (
	pagesPerSecond  = 20
	ordersPerSecond = 5
)

// shop drives the shop until the test ends.
func shop(t *testing.T, c *stackCopy) *shoppers {
	t.Helper()
	s := &shoppers{c: c, client: http.Client{Timeout: 10 * time.Second}}
	for i := range 20 {
		user := fmt.Sprintf("user-%04d", i+1)
		var answer struct{ Token string }
		_, body := s.send(t.Context(), http.MethodPost, "/login", "", fmt.Sprintf(`{"user":%q,"password":"demo-%s"}`, user, user))
		if err := json.Unmarshal(body, &answer); err != nil || answer.Token == "" {
			t.Fatalf("login of %s: %v: %s", user, err, body)
		}
		s.tokens = append(s.tokens, answer.Token)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { stop(); all.Wait() })
	every := func(rate int, do func(n int)) {
		all.Go(func() {
			tick := time.NewTicker(time.Second / time.Duration(rate))
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-tick.C:
					all.Go(func() { do(n) })
				case <-ctx.Done():
					return
				}
			}
		})
	}
	every(pagesPerSecond, func(n int) {
		s.send(ctx, http.MethodGet, []string{"/products", "/products/p-001", "/products/p-007"}[n%3], "", "")
	})
	every(ordersPerSecond, func(n int) {
		status, _ := s.send(ctx, http.MethodPost, "/orders", s.tokens[n%len(s.tokens)], `{"lines":[{"product_id":"p-001","quantity":1}]}`)
		s.checkedOut(status)
	})
	return s
}

func (s *shoppers) send(ctx context.Context, method, path, token, body string) (int, []byte) {
	req, err := http.NewRequestWithContext(ctx, method, s.c.url(8000, path), strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, answer
}

func (s *shoppers) checkedOut(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders++
	if status < 500 {
		return
	}
	s.failed++
	s.ended = time.Now()
	if s.firstBad.IsZero() {
		s.firstBad = s.ended
	}
}

// failures are when checkouts began to fail, and when the last one did.
func (s *shoppers) failures() (first, last time.Time, failed, orders int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstBad, s.ended, s.failed, s.orders
}

// supervise tells process-compose to do something with a component.
func (c *stackCopy) supervise(method, path string) {
	c.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.data, "run", "pc.sock"))
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(method, "http://process-compose"+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

// objective is one of the kit's own.
func objective(t *testing.T, file, name string) slo.SLO {
	t.Helper()
	spec, err := slo.Load("../../alerts/specs/" + file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spec.SLOs {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no objective %s in %s", name, file)
	return slo.SLO{}
}

// notified lists "alertname/severity status" of all notifications about objectives.
func (c *stackCopy) notified() []string {
	c.t.Helper()
	var all []struct {
		Status string
		Labels map[string]string
	}
	if err := json.Unmarshal([]byte(c.get(9094, "/notifications")), &all); err != nil {
		c.t.Fatalf("notifications: %v", err)
	}
	var about []string
	for _, n := range all {
		if n.Labels["slo"] != "" {
			about = append(about, n.Labels["alertname"]+"/"+n.Labels["severity"]+" "+n.Status)
		}
	}
	return about
}

// How long traffic must fire nothing.
const baseline = 5 * time.Minute

// With real traffic on the real stack nothing fires for five minutes. Then payments is stopped: all checkouts fail, the
// page comes and goes when it was predicted, and the gateway's own, which follows from it, tells nobody.
func TestAlertsOnARealOutage(t *testing.T) {
	c := newCopy(t)
	c.must("up")
	traffic := shop(t, c)
	prometheus, err := query.NewPrometheus(c.url(9090, ""), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(promql string) (float64, bool) {
		t.Helper()
		got, err := prometheus.Query(t.Context(), promql, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return 0, false
		}
		return float64(got[0].Value), true
	}

	begin := time.Now()
	for time.Since(begin) < baseline {
		time.Sleep(time.Second) // the time is what is tested
		if got, err := prometheus.Query(t.Context(), `ALERTS{slo!="",alertstate="firing"}`, time.Time{}); err != nil || len(got) > 0 {
			t.Fatalf("%v of usual traffic: %v fires (%v)", time.Since(begin), got, err)
		}
	}
	if got := c.notified(); len(got) > 0 {
		t.Errorf("notified without cause: %v", got)
	}
	busy, _ := ask(`rate(process_cpu_seconds_total{job="prometheus"}[2m])`)
	t.Logf("%v of usual traffic fired nothing; Prometheus took %.3f of a core", baseline, busy)
	if busy > 0.2 {
		t.Errorf("Prometheus takes %.3f of a core: want at most a fifth", busy)
	}

	// The outage.
	s := objective(t, "orders", "checkout-availability")
	page := fmt.Sprintf(`{alertname=%q,severity="page"}`, s.Alerting.Name)
	c.supervise(http.MethodPatch, "/process/stop/payments")
	eventually(t, "the page fires", func() bool { _, fires := ask("ALERTS" + page); return fires })
	since, _ := ask("ALERTS_FOR_STATE" + page)
	firedAt := time.UnixMilli(int64(since * 1000))
	// Without this, that nobody is told of the gateway's page would prove nothing.
	eventually(t, "the gateway's page fires too", func() bool {
		_, fires := ask(`ALERTS{alertname="GatewayAvailabilityBurn",severity="page",alertstate="firing"}`)
		return fires
	})
	time.Sleep(20 * time.Second) // goes on for a while, so that both pairs of windows hold
	c.supervise(http.MethodPost, "/process/start/payments")
	eventually(t, "checkouts work again", func() bool {
		_, last, _, _ := traffic.failures()
		return time.Since(last) > 2*time.Second
	})
	first, last, failed, orders := traffic.failures()
	want := rules.Predict(s, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()}, slo.Page,
		slo.Outage{Ratio: 1, Length: last.Sub(first), Rate: ordersPerSecond})
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if _, fires := ask("ALERTS" + page); !fires {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the page does not end within 2 min")
		}
		time.Sleep(100 * time.Millisecond)
	}
	reset := time.Since(last)
	detection := firedAt.Sub(first)
	t.Logf("%d of %d checkouts failed over %v: detected after %v (predicted %v), reset after %v (predicted %v), each to %v",
		failed, orders, last.Sub(first), detection, time.Duration(want.Detection), reset, time.Duration(want.Reset), time.Duration(want.Slack))
	// Errors are not spread evenly: five orders a second make a fifth of a second of uncertainty at either end.
	near := func(what string, got time.Duration, predicted rules.Seconds) {
		t.Helper()
		early, late := time.Duration(predicted)-time.Duration(want.Slack), time.Duration(predicted)+time.Duration(want.Slack)+time.Second
		if got < early || got > late {
			t.Errorf("%s after %v: want between %v and %v", what, got, early, late)
		}
	}
	near("detection", detection, want.Detection)
	near("reset", reset, want.Reset)
	eventually(t, "the end is told", func() bool {
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
