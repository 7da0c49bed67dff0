package fault

import (
	"context"
	"sync/atomic"
)

func gcPressureKind() Kind {
	return Kind{
		Name: "gc_pressure",
		Doc: "Allocates garbage at a constant rate, so that the garbage collector runs more often and takes CPU time from requests. " +
			"Seen in go_gc_duration_seconds, go_memstats_alloc_bytes_total and process_cpu_seconds_total. The heap does not grow.",
		Params: []Param{{Name: "bytes_per_second", Type: Number, Unit: "bytes/s", Min: 1024, Max: 16 << 30, Default: float64(256 << 20),
			Doc: "Garbage allocated."}},
		build: func(v Values) (effect, error) { return gcPressure{rate: v.Number("bytes_per_second")}, nil },
	}
}

type gcPressure struct{ rate float64 }

func (p gcPressure) begin(*Set, *dice) (func(), error) {
	return loop(func(ctx context.Context) {
		const piece = 16 << 10          // bytes; small objects cost the collector more than large ones
		var last atomic.Pointer[[]byte] // keeps the compiler from removing the allocation
		steadily(ctx, p.rate, func(due float64) {
			for ; due > 0 && ctx.Err() == nil; due -= piece {
				garbage := touched(piece)
				last.Store(&garbage)
			}
		})
	}), nil
}
