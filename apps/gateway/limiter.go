package gateway

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// limiter gives each key a token bucket. It keeps the most recently used keys,
// at most the number passed to newLimiter. A forgotten key starts again with a
// full bucket, so the number must be large enough that a bucket is full before
// it is forgotten.
type limiter struct {
	each Rate

	mu      sync.Mutex // guards buckets
	buckets *simplelru.LRU[string, *rate.Limiter]
}

// newLimiter returns a limiter for at most tracked keys, which must be greater
// than 0.
func newLimiter(r Rate, tracked int) *limiter {
	buckets, err := simplelru.NewLRU[string, *rate.Limiter](tracked, nil)
	if err != nil {
		panic(err) // only if tracked is below 1
	}
	return &limiter{each: r, buckets: buckets}
}

// allow takes a token from the bucket of key. If there is none, ok is false and
// wait is the time until the next token.
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
