package catalog

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// loadTimeout limits a read that several requests wait for.
const loadTimeout = 2 * time.Second

// cache loads missing values and keeps them. Concurrent requests for one key
// share one load. The cache is limited in size and age. Orders do not
// invalidate it, because a busy shop would then have no cache. So a product's
// availability may be as old as the TTL, and only a reservation gives the exact
// answer.
type cache[V any] struct {
	ttl     time.Duration
	load    func(ctx context.Context, key string) (V, error)
	lookups lookups
	bypass  func() bool // reports whether to load on every get
	flight  singleflight.Group

	mu      sync.Mutex // guards entries; even a read reorders them
	entries *simplelru.LRU[string, entry[V]]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// lookups counts cache hits and misses.
type lookups struct{ hit, miss prometheus.Counter }

// newCache returns a cache that holds at most size values for ttl each. size
// must be greater than 0.
func newCache[V any](size int, ttl time.Duration, load func(context.Context, string) (V, error), l lookups) *cache[V] {
	entries, err := simplelru.NewLRU[string, entry[V]](size, nil)
	if err != nil {
		panic(err) // only if size is below 1
	}
	return &cache[V]{ttl: ttl, load: load, lookups: l, bypass: func() bool { return false }, entries: entries}
}

func (c *cache[V]) get(ctx context.Context, key string) (V, error) {
	if c.bypass() {
		c.lookups.miss.Inc()
		return c.load(ctx, key)
	}
	if v, ok := c.cached(key); ok {
		c.lookups.hit.Inc()
		return v, nil
	}
	c.lookups.miss.Inc()
	// The load continues if the request that began it ends, because others
	// wait.
	shared := c.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		v, err := c.load(ctx, key)
		if err == nil {
			c.keep(key, v)
		}
		return v, err
	})
	select {
	case r := <-shared:
		if r.Err != nil {
			var zero V
			return zero, r.Err
		}
		return r.Val.(V), nil
	case <-ctx.Done():
		var zero V
		return zero, ctx.Err()
	}
}

func (c *cache[V]) cached(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(key)
	if !ok || time.Now().After(e.expires) {
		var zero V
		return zero, false
	}
	return e.value, true
}

func (c *cache[V]) keep(key string, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Add(key, entry[V]{v, time.Now().Add(c.ttl)})
}
