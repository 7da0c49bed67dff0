package fault

import (
	"context"
	"sync"
)

func goroutineLeakKind() Kind {
	return Kind{
		Name: "goroutine_leak",
		Doc: "Starts goroutines that block, up to a limit, like requests without a timeout. Seen in go_goroutines, in goroutine " +
			"profiles, and slowly in memory. All end with the fault.",
		Params: []Param{
			{Name: "per_second", Type: Number, Unit: "goroutines/s", Min: 0.1, Max: 100_000, Default: 100.0, Doc: "Goroutines started."},
			{Name: "limit", Type: Integer, Unit: "goroutines", Min: 1, Max: 1_000_000, Default: 10_000, Doc: "Maximum number of goroutines."},
		},
		build: func(v Values) (effect, error) {
			return goroutineLeak{rate: v.Number("per_second"), limit: v.Integer("limit")}, nil
		},
	}
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
