package compare

import (
	"maps"
	"slices"
	"time"

	"firedrill/loadgen/result"
)

// scope is a set of requests to compare: all requests, the requests of one scenario, or the
// journeys of one scenario.
type scope struct {
	name string
	a, b run
	// lows and highs are the bounds of the latency buckets of both runs, in seconds, in
	// ascending order.
	lows, highs []float64
}

// run is the data of one run in a scope.
type run struct{ slots []slot }

// slot is a slot of the timeline. Its buckets have indexes into lows and highs of the
// scope.
type slot struct {
	due, failed float64
	buckets     []bucket
}

type bucket struct {
	index int
	count float64
}

// scopesOf returns the scopes that both runs have, all requests first. If there is a single scenario, it is the same
// as all requests and is not listed again.
func scopesOf(a, b *result.Result) []scope {
	scopes := []scope{newScope("all", a.Slots(), b.Slots())}
	requests := 0
	for _, s := range a.Timeline.Series {
		if !s.Journeys {
			requests++
		}
	}
	for _, s := range a.Timeline.Series {
		name := "scenario " + s.Scenario
		if s.Journeys {
			name = "journey " + s.Scenario
		} else if requests == 1 {
			continue
		}
		for _, other := range b.Timeline.Series {
			if other.Scenario == s.Scenario && other.Journeys == s.Journeys {
				scopes = append(scopes, newScope(name, s.Slots, other.Slots))
			}
		}
	}
	return scopes
}

func newScope(name string, a, b []result.Slot) scope {
	highs := map[time.Duration]time.Duration{} // by lower bound
	for _, slots := range [][]result.Slot{a, b} {
		for i := range slots {
			for bucket := range slots[i].Response.Buckets() {
				highs[bucket.Low] = bucket.High
			}
		}
	}
	s := scope{name: name}
	index := map[time.Duration]int{}
	for i, low := range slices.Sorted(maps.Keys(highs)) {
		index[low] = i
		s.lows = append(s.lows, low.Seconds())
		s.highs = append(s.highs, highs[low].Seconds())
	}
	s.a, s.b = newRun(a, index), newRun(b, index)
	return s
}

func newRun(slots []result.Slot, index map[time.Duration]int) run {
	r := run{make([]slot, len(slots))}
	for i := range slots {
		r.slots[i].due, r.slots[i].failed = float64(slots[i].Due), float64(slots[i].Failed)
		for b := range slots[i].Response.Buckets() {
			r.slots[i].buckets = append(r.slots[i].buckets, bucket{index[b.Low], float64(b.Count)})
		}
	}
	return r
}

// enough reports whether both runs have enough requests beyond the quantile.
func (s *scope) enough(quantile float64) bool {
	for _, r := range []run{s.a, s.b} {
		due := 0.0
		for i := range r.slots {
			due += r.slots[i].due
		}
		if due*min(quantile, 1-quantile) < minBeyond {
			return false
		}
	}
	return true
}

// sums are the counts of a run in which slot i occurs weights[i] times.
type sums struct {
	due, failed float64
	counts      []float64 // by bucket
}

func (s *scope) sum(r run, weights []float64) sums {
	total := sums{counts: make([]float64, len(s.lows))}
	for i := range r.slots {
		w := weights[i]
		if w == 0 {
			continue
		}
		total.due += w * r.slots[i].due
		total.failed += w * r.slots[i].failed
		for _, b := range r.slots[i].buckets {
			total.counts[b.index] += w * b.count
		}
	}
	return total
}

// quantile returns a quantile in seconds. It interpolates within the bucket, because otherwise an estimate
// would jump between buckets.
func (s *scope) quantile(total sums, q float64) float64 {
	rank, before := q*total.due, 0.0
	for i, n := range total.counts {
		if n > 0 && before+n >= rank {
			return s.lows[i] + (s.highs[i]-s.lows[i])*(rank-before)/n
		}
		before += n
	}
	return s.highs[len(s.highs)-1]
}
