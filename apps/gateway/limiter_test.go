package gateway

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Rate{PerSecond: 2, Burst: 2}, 10)
		for i, step := range []struct {
			after time.Duration
			key   string
			wait  time.Duration // 0: allowed
		}{
			{0, "a", 0},
			{0, "a", 0},
			{0, "a", 500 * time.Millisecond},
			{0, "a", 500 * time.Millisecond}, // a rejected request takes no token
			{0, "b", 0},
			{400 * time.Millisecond, "a", 100 * time.Millisecond},
			{100 * time.Millisecond, "a", 0},
			{0, "a", 500 * time.Millisecond},
			{time.Hour, "a", 0},
			{0, "a", 0},
			{0, "a", 500 * time.Millisecond},
		} {
			time.Sleep(step.after)
			if wait, ok := l.allow(step.key); wait.Round(time.Microsecond) != step.wait || ok != (step.wait == 0) {
				t.Errorf("step %d: %v, %v; want %v", i, wait, ok, step.wait)
			}
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(Rate{PerSecond: 1, Burst: 1}, 100)
	for i := range 10_000 {
		if _, ok := l.allow(strconv.Itoa(i)); !ok {
			t.Fatalf("the first request of key %d was rejected", i)
		}
	}
	if got := l.buckets.Len(); got != 100 {
		t.Errorf("%d keys are tracked, want 100", got)
	}
	if _, ok := l.allow("9999"); ok {
		t.Error("the most recently used key was forgotten")
	}
}
