package fault

import (
	"testing"
	"time"
)

func TestTokenSkew(t *testing.T) {
	s := newSet(t, "gateway")
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	clock := s.Clock(func() time.Time { return noon })
	for offset, want := range map[string]time.Duration{"1h": time.Hour, "-90s": -90 * time.Second} {
		end := begin(t, s, "token_skew", map[string]any{"offset": offset})
		if got := clock().Sub(noon); got != want {
			t.Errorf("offset %s: the clock is ahead by %v, want %v", offset, got, want)
		}
		end()
		if got := clock(); got != noon {
			t.Errorf("clock after the end is %v, want noon", got)
		}
	}
}
