package fault

import (
	"context"
	"runtime/debug"
	"time"
)

func memoryLeakKind() Kind {
	return Kind{
		Name: "memory_leak",
		Doc: "Allocates memory at a constant rate and keeps it, up to a limit, like an unbounded cache. Seen in go_memstats_heap_inuse_bytes, " +
			"process_resident_memory_bytes and heap profiles, and in restarts if a memory limit kills the process. The memory is released when " +
			"the fault ends.",
		Params: []Param{
			{Name: "bytes_per_second", Type: Number, Unit: "bytes/s", Min: 1024, Max: 1 << 30, Default: float64(8 << 20), Doc: "Memory allocated."},
			{Name: "limit", Type: Number, Unit: "bytes", Min: 1024, Max: 64 << 30, Default: float64(256 << 20), Doc: "Maximum memory taken."},
		},
		build: func(v Values) (effect, error) {
			return memoryLeak{rate: v.Number("bytes_per_second"), limit: v.Number("limit")}, nil
		},
	}
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

// touched allocates n bytes and writes to each page, so that the system must
// provide the memory.
func touched(n int) []byte {
	const page = 4096
	b := make([]byte, n)
	for i := 0; i < n; i += page {
		b[i] = 1
	}
	return b
}

// steadily calls do every 50 ms until ctx ends, with the amount that is due at
// a rate per second.
func steadily(ctx context.Context, rate float64, do func(amount float64)) {
	const period = 50 * time.Millisecond
	for last := time.Now(); sleep(ctx, period, nil) == nil; {
		now := time.Now()
		do(rate * now.Sub(last).Seconds())
		last = now
	}
}
