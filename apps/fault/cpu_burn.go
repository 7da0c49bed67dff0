package fault

import (
	"context"
	"sync"
	"time"
)

func cpuBurnKind() Kind {
	return Kind{
		Name: "cpu_burn",
		Doc: "Keeps processor cores busy inside the service's process, as a hot loop would. Seen in process_cpu_seconds_total, in " +
			"CPU profiles, and as slower requests of everything that shares the machine once no core is left.",
		Params: []Param{{Name: "cores", Type: Number, Unit: "cores", Min: 0.01, Max: 256, Default: 1.0,
			Doc: "Cores kept busy. The last may be a part of one."}},
		build: func(v Values) (effect, error) { return cpuBurn{cores: v.Number("cores")}, nil },
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
