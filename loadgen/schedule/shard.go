package schedule

import (
	"fmt"
	"time"
)

// Shard is one of several equal parts of a run, each on a machine of its own.
// Together they send what one machine would. The zero value is the whole.
type Shard struct {
	Index int // from 1
	Of    int
}

// ParseShard reads "i/n", such as "2/3".
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

// Part is a shard of a schedule: the requests whose number leaves the remainder
// Index − 1 when divided by Of.
type Part struct {
	*Schedule
	index, of uint64
}

// Part returns the shard's part of the schedule.
func (s *Schedule) Part(shard Shard) Part {
	return Part{s, uint64(max(1, shard.Index) - 1), uint64(max(1, shard.Of))}
}

// Number is the number in the whole schedule of the part's n-th request.
func (p Part) Number(n uint64) uint64 { return n*p.of + p.index }

// Total is how many requests the part has, or Endless.
func (p Part) Total() uint64 {
	if p.Schedule.Total() == Endless {
		return Endless
	}
	return p.share(p.Schedule.Total())
}

// Count is how many of the part's requests are due up to and at t.
func (p Part) Count(t time.Duration) uint64 { return p.share(p.Schedule.Count(t)) }

// Requests is how many of a stage's requests are the part's, or Endless.
func (p Part) Requests(stage int) uint64 {
	st := p.stages[stage]
	if st.end == Endless {
		return Endless
	}
	return p.share(st.end) - p.share(st.first)
}

// share is how many of the first n requests are the part's.
func (p Part) share(n uint64) uint64 { return (n + p.of - 1 - p.index) / p.of }
