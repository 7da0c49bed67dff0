package fault

import (
	"context"
	"runtime/debug"
	"time"

	"firedrill/apps/fault/kinds"
)

func newMemoryLeak(v kinds.Values) (effect, error) {
	return memoryLeak{rate: v.Number("bytes_per_second"), limit: v.Number("limit")}, nil
}

type memoryLeak struct{ rate, limit float64 }

func (l memoryLeak) begin(*Set, *dice) (func(), error) {
	var kept [][]byte
	end := loop(func(ctx context.Context) {
		total := 0.0
		steadily(ctx, l.rate, func(n float64) {
			if n = min(n, l.limit-total); n >= 1 {
				kept = append(kept, touched(int(n)))
				total += n
			}
		})
	})
	return func() {
		end()
		kept = nil
		debug.FreeOSMemory()
	}, nil
}

// touched is memory that the system must really provide.
func touched(n int) []byte {
	const page = 4096
	b := make([]byte, n)
	for i := 0; i < n; i += page {
		b[i] = 1
	}
	return b
}

// steadily calls do a few times a second with how much is due at a rate per
// second, until ctx ends.
func steadily(ctx context.Context, rate float64, do func(amount float64)) {
	const period = 50 * time.Millisecond
	for last := time.Now(); sleep(ctx, period, nil) == nil; {
		now := time.Now()
		do(rate * now.Sub(last).Seconds())
		last = now
	}
}
