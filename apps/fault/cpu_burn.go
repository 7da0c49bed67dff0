package fault

import (
	"context"
	"runtime"
	"sync"
	"time"

	"firedrill/apps/fault/kinds"
)

func newCPUBurn(v kinds.Values) (effect, error) {
	if wait := v.Duration("wait"); wait > 0 {
		return cpuStarve{wait: wait}, nil
	}
	return cpuBurn{cores: v.Number("cores")}, nil
}

type cpuBurn struct{ cores float64 }

func (b cpuBurn) begin(*Set, *dice) (func(), error) {
	return loop(func(ctx context.Context) {
		var all sync.WaitGroup
		for left := b.cores; left > 0; left-- {
			share := min(left, 1)
			all.Go(func() { burn(ctx, share) })
		}
		all.Wait()
	}), nil
}

// burn keeps a core busy for a share of each period until ctx ends. Periods follow
// each other without a gap, however late a rest ends.
func burn(ctx context.Context, share float64) {
	const period = 20 * time.Millisecond
	busy := time.Duration(share * float64(period))
	for start := time.Now(); ctx.Err() == nil; start = start.Add(period) {
		for time.Since(start) < busy {
		}
		if rest := period - time.Since(start); rest > 0 {
			_ = sleep(ctx, rest, nil) // an end is seen above
		}
	}
}

// cpuStarve has as many hot loops as it takes for a goroutine to wait for its turn.
// The scheduler gives each loop some 10 ms of a processor before the next.
type cpuStarve struct{ wait time.Duration }

func (s cpuStarve) begin(*Set, *dice) (func(), error) {
	return loop(func(ctx context.Context) {
		var all sync.WaitGroup
		var ends []context.CancelFunc
		for n := runtime.GOMAXPROCS(0); ctx.Err() == nil; n = s.adjust(n, turn()) {
			for len(ends) < n {
				one, end := context.WithCancel(ctx)
				ends = append(ends, end)
				all.Go(func() { burn(one, 1) })
			}
			for _, end := range ends[n:] {
				end()
			}
			ends = ends[:n]
		}
		for _, end := range ends {
			end()
		}
		all.Wait()
	}), nil
}

// adjust is how many loops there should be instead of n, with which a turn took
// that long. It goes there in steps, for one turn is not like the next.
func (s cpuStarve) adjust(n int, took time.Duration) int {
	const most = 1000
	wanted := float64(n) * float64(s.wait) / float64(max(took, time.Microsecond))
	return int(min(max(wanted, 0.8*float64(n), 1), 1.5*float64(n)+1, most))
}

// turn waits behind all that wait for a processor now and returns for how long.
func turn() time.Duration {
	start := time.Now()
	runtime.Gosched()
	return time.Since(start)
}
