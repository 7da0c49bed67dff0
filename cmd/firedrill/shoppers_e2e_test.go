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

	"firedrill/alerts/slo"
)

// shoppers send traffic to the shop and record when its checkouts failed.
type shoppers struct {
	c      *stackCopy
	client http.Client
	tokens []string

	mu              sync.Mutex
	orders, failed  int
	firstBad, ended time.Time // first and last failed checkout
}

const (
	pagesPerSecond  = 20
	ordersPerSecond = 5
)

// shop sends traffic to the shop until the test ends.
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

// failures returns the times of the first and of the last failed checkout, and the numbers of failed and of all
// orders.
func (s *shoppers) failures() (first, last time.Time, failed, orders int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstBad, s.ended, s.failed, s.orders
}

// supervise sends a request about a component to process-compose.
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

// objective returns one of the repository's own SLOs.
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

// notified returns "alertname/severity status" of all notifications about SLOs.
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
