package catalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func testLookups() lookups {
	return lookups{
		hit:  prometheus.NewCounter(prometheus.CounterOpts{Name: "hit"}),
		miss: prometheus.NewCounter(prometheus.CounterOpts{Name: "miss"}),
	}
}

func TestCacheExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		l := testLookups()
		c := newCache(2, time.Second, func(_ context.Context, key string) (string, error) {
			loads++
			return fmt.Sprintf("%s%d", key, loads), nil
		}, l)
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "k1"}, {time.Second, "k1"}, {time.Nanosecond, "k2"}, {0, "k2"}} {
			time.Sleep(step.after)
			if got, err := c.get(t.Context(), "k"); got != step.want || err != nil {
				t.Errorf("after %v: %q, %v; want %q", step.after, got, err, step.want)
			}
		}
		if hit, miss := testutil.ToFloat64(l.hit), testutil.ToFloat64(l.miss); hit != 2 || miss != 2 {
			t.Errorf("%v hits and %v misses, want 2 and 2", hit, miss)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	loads := 0
	c := newCache(2, time.Hour, func(context.Context, string) (int, error) { loads++; return loads, nil }, testLookups())
	for _, key := range []string{"a", "b", "a", "c", "a", "b"} { // c evicts b, which was used before a
		if _, err := c.get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if loads != 4 || c.entries.Len() != 2 {
		t.Errorf("%d loads, %d entries; want 4 (a, b, c, b) and 2", loads, c.entries.Len())
	}
}

func TestCacheSharesConcurrentLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		c := newCache(2, time.Hour, func(context.Context, string) (int, error) {
			loads++
			time.Sleep(time.Second)
			return 7, nil
		}, testLookups())
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if v, err := c.get(t.Context(), "k"); v != 7 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		all.Wait()
		if loads != 1 {
			t.Errorf("%d loads for ten concurrent requests, want 1", loads)
		}
	})
}

// The request that began a load may end. The load continues for the others.
func TestCacheLoadContinuesAfterFirstRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(2, time.Hour, func(ctx context.Context, _ string) (int, error) {
			select {
			case <-time.After(time.Second):
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}, testLookups())
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.get(first, "k"); !errors.Is(err, context.Canceled) {
				t.Errorf("first request: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if v, err := c.get(t.Context(), "k"); v != 7 || err != nil {
				t.Errorf("second request: %d, %v", v, err)
			}
		})
		synctest.Wait()
		leave()
		all.Wait()
	})
}

func TestCacheDoesNotKeepErrors(t *testing.T) {
	failure := errors.New("no")
	fail := true
	c := newCache(2, time.Hour, func(context.Context, string) (int, error) {
		if fail {
			return 0, failure
		}
		return 7, nil
	}, testLookups())
	if _, err := c.get(t.Context(), "k"); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	fail = false
	if v, err := c.get(t.Context(), "k"); v != 7 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}
