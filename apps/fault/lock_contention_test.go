package fault

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// Waits for locks have no place in a synctest bubble, so this test takes its time:
// requests in turn cannot be faster than the sum of what each holds the lock.
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
		t.Errorf("%d requests at once took %v, want %v or more", n, got, n*hold)
	}
	end()
}

// Those who queue when the fault ends do not wait any more: or this would take
// longer than a test may.
func TestLockContentionEndsForThoseWhoQueue(t *testing.T) {
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
		t.Errorf("afterwards: %d", got)
	}
}

// Requests of other routes take no lock: or this would take longer than a test may.
func TestLockContentionOfARoute(t *testing.T) {
	s := newSet(t, "orders")
	app := shop(s)
	end := begin(t, s, "lock_contention", map[string]any{"hold": "10s", "route": "POST /orders"})
	var waiting sync.WaitGroup
	waiting.Go(func() { ask(app, http.MethodPost, "/orders") })
	machinetest.Eventually(t, "a request holds the lock", func() bool { return running("(*lockContention).request") > 0 })
	if got := ask(app, http.MethodGet, "/orders/7"); got != http.StatusNoContent {
		t.Errorf("another route: %d", got)
	}
	end()
	waiting.Wait()
}
