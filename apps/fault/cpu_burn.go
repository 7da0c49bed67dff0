package fault

import (
	"context"
	"runtime"
	"sync"
	"time"
)

func cpuBurnKind() Kind {
	return Kind{
		Name: "cpu_burn",
		Doc: "Keeps CPU cores busy inside the service's process, like a busy loop. Seen in process_cpu_seconds_total and in CPU profiles. " +
			"When no core is left, requests of everything on the machine are slower. With wait, work inside the service waits for a CPU: " +
			"its callers see slow requests, but its own spans do not, because a span begins when a request gets a CPU.",
		Params: []Param{
			{Name: "cores", Type: Number, Unit: "cores", Min: 0.01, Max: 256, Default: 1.0,
				Doc: "Number of cores kept busy. A fraction keeps one core busy for part of the time."},
			{Name: "wait", Type: Duration, Min: 0, Max: 5, Default: "0s",
				Doc: "How long work in the process waits for a CPU. If set, it replaces cores: the fault starts as many busy loops as needed on this machine."},
		},
		build: func(v Values) (effect, error) {
			if wait := v.Duration("wait"); wait > 0 {
				return cpuStarve{wait: wait}, nil
			}
			return cpuBurn{cores: v.Number("cores")}, nil
		},
	}
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

// burn keeps a core busy for a share of each period until ctx ends. Periods
// follow each other without a gap, even if a rest ends late.
func burn(ctx context.Context, share float64) {
	const period = 20 * time.Millisecond
	busy := time.Duration(share * float64(period))
	for start := time.Now(); ctx.Err() == nil; start = start.Add(period) {
		for time.Since(start) < busy {
		}
		if rest := period - time.Since(start); rest > 0 {
			_ = sleep(ctx, rest, nil) // the loop condition checks ctx
		}
	}
}

// cpuStarve starts as many busy loops as needed to make a goroutine wait this
// long for a processor. The scheduler runs each loop for about 10 ms before the
// next.
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

// adjust returns the new number of loops. n is the current number, with which a
// turn took the given time. The number changes in steps, because turns vary.
func (s cpuStarve) adjust(n int, took time.Duration) int {
	const most = 1000
	wanted := float64(n) * float64(s.wait) / float64(max(took, time.Microsecond))
	return int(min(max(wanted, 0.8*float64(n), 1), 1.5*float64(n)+1, most))
}

// turn yields the processor and returns how long it took to get it back.
func turn() time.Duration {
	start := time.Now()
	runtime.Gosched()
	return time.Since(start)
}
