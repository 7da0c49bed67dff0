package fault

import (
	"context"
	"sync/atomic"

	"firedrill/apps/fault/kinds"
)

func newGCPressure(v kinds.Values) (effect, error) {
	return gcPressure{rate: v.Number("bytes_per_second")}, nil
}

type gcPressure struct{ rate float64 }

func (p gcPressure) begin(*Set, *dice) (func(), error) {
	return loop(func(ctx context.Context) {
		const piece = 16 << 10          // bytes; small objects cost the collector more than large ones
		var last atomic.Pointer[[]byte] // or the compiler would see that nobody looks
		steadily(ctx, p.rate, func(due float64) {
			for ; due > 0 && ctx.Err() == nil; due -= piece {
				garbage := touched(piece)
				last.Store(&garbage)
			}
		})
	}), nil
}
