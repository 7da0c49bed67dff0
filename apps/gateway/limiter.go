package gateway

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// limiter gives each key a token bucket. It remembers the keys seen last, and no
// more of them than it was told: who is forgotten starts with a full bucket, so
// the number must be large enough that forgetting takes longer than refilling.
type limiter struct {
	each Rate

	mu      sync.Mutex // guards buckets
	buckets *simplelru.LRU[string, *rate.Limiter]
}

// newLimiter remembers at most tracked keys, which must be above 0.
func newLimiter(r Rate, tracked int) *limiter {
	buckets, err := simplelru.NewLRU[string, *rate.Limiter](tracked, nil)
	if err != nil {
		panic(err) // only for a number below 1
	}
	return &limiter{each: r, buckets: buckets}
}

// allow takes a token of key's bucket. If there is none it returns the time until
// there will be.
func (l *limiter) allow(key string) (wait time.Duration, ok bool) {
	r := l.bucket(key).Reserve()
	wait = r.Delay()
	if wait > 0 {
		r.Cancel()
	}
	return wait, wait == 0
}

func (l *limiter) bucket(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets.Get(key)
	if !ok {
		b = rate.NewLimiter(rate.Limit(l.each.PerSecond), l.each.Burst)
		l.buckets.Add(key, b)
	}
	return b
}
