package fault

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// A mutex blocks a synctest bubble, so this test uses real time. The requests
// run one after another, so they take at least the sum of their hold times.
func TestLockContention(t *testing.T) {
	s := newSet(t, "orders")
	app := shop(s)
	const hold, n = 20 * time.Millisecond, 5
	end := begin(t, s, "lock_contention", map[string]any{"hold": hold.String()})
	began := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { ask(app, http.MethodPost, "/orders") })
	}
	all.Wait()
	if got := time.Since(began); got < n*hold {
		t.Errorf("%d concurrent requests took %v, want at least %v", n, got, n*hold)
	}
	end()
}

// Queued requests do not wait any longer when the fault ends. Otherwise this
// test would time out.
func TestLockContentionEndReleasesQueuedRequests(t *testing.T) {
	s := newSet(t, "orders")
	app := shop(s)
	end := begin(t, s, "lock_contention", map[string]any{"hold": "10s"})
	const n = 200
	var all sync.WaitGroup
	for range n {
		all.Go(func() { ask(app, http.MethodPost, "/orders") })
	}
	machinetest.Eventually(t, "requests queue for the lock", func() bool { return running("(*lockContention).request") > 100 })
	end()
	all.Wait()
	if got := ask(app, http.MethodPost, "/orders"); got != http.StatusNoContent {
		t.Errorf("after the end: status %d, want 204", got)
	}
}

// Requests of other routes do not take the lock. Otherwise this test would time
// out.
func TestLockContentionOfARoute(t *testing.T) {
	s := newSet(t, "orders")
	app := shop(s)
	end := begin(t, s, "lock_contention", map[string]any{"hold": "10s", "route": "POST /orders"})
	var waiting sync.WaitGroup
	waiting.Go(func() { ask(app, http.MethodPost, "/orders") })
	machinetest.Eventually(t, "a request holds the lock", func() bool { return running("(*lockContention).request") > 0 })
	if got := ask(app, http.MethodGet, "/orders/7"); got != http.StatusNoContent {
		t.Errorf("another route: status %d, want 204", got)
	}
	end()
	waiting.Wait()
}
