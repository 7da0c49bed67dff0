package fault

import (
	"context"
	"sync"

	"firedrill/apps/fault/kinds"
)

func newGoroutineLeak(v kinds.Values) (effect, error) {
	return goroutineLeak{rate: v.Number("per_second"), limit: v.Integer("limit")}, nil
}

type goroutineLeak struct {
	rate  float64
	limit int
}

func (l goroutineLeak) begin(*Set, *dice) (func(), error) {
	return loop(func(ctx context.Context) {
		var all sync.WaitGroup
		due, started := 0.0, 0
		steadily(ctx, l.rate, func(n float64) {
			for due += n; due >= 1; due-- {
				if started < l.limit {
					started++
					all.Go(func() { leaked(ctx) })
				}
			}
		})
		all.Wait()
	}), nil
}

func leaked(ctx context.Context) { <-ctx.Done() }
