package schedule

import (
	"fmt"
	"time"
)

// Shard is one of several equal parts of a run, each on its own machine. Together they send
// what one machine would send. The zero value is the whole run.
type Shard struct {
	Index int // from 1
	Of    int
}

// ParseShard parses "i/n", such as "2/3".
func ParseShard(text string) (Shard, error) {
	var s Shard
	var rest string
	n, _ := fmt.Sscanf(text, "%d/%d%s", &s.Index, &s.Of, &rest)
	if n != 2 || s.Of < 1 || s.Index < 1 || s.Index > s.Of {
		return Shard{}, fmt.Errorf("%q is no shard: want i/n with 1 ≤ i ≤ n", text)
	}
	return s, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", max(1, s.Index), max(1, s.Of)) }

// Part is a shard of a schedule. It has the requests n with n mod Of = Index − 1.
type Part struct {
	*Schedule
	index, of uint64
}

// Part returns a shard's part of the schedule.
func (s *Schedule) Part(shard Shard) Part {
	return Part{s, uint64(max(1, shard.Index) - 1), uint64(max(1, shard.Of))}
}

// Number returns the number, in the whole schedule, of the n-th request of the part.
func (p Part) Number(n uint64) uint64 { return n*p.of + p.index }

// Total returns the number of requests of the part; Endless for an endless schedule.
func (p Part) Total() uint64 {
	if p.Schedule.Total() == Endless {
		return Endless
	}
	return p.share(p.Schedule.Total())
}

// Count returns how many requests of the part are due at or before t.
func (p Part) Count(t time.Duration) uint64 { return p.share(p.Schedule.Count(t)) }

// Requests returns how many requests of a stage the part has; Endless if the stage does not
// end.
func (p Part) Requests(stage int) uint64 {
	st := p.stages[stage]
	if st.end == Endless {
		return Endless
	}
	return p.share(st.end) - p.share(st.first)
}

// share returns how many of the first n requests of the schedule the part has.
func (p Part) share(n uint64) uint64 { return (n + p.of - 1 - p.index) / p.of }
