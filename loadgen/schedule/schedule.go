// Package schedule computes when each request of a run is due. It uses the exact cumulative
// count of every rate shape, and its inverse. Its memory does not grow with the number of
// requests. The same seed gives the same schedule.
//
// It must not know what a request is, nor read a clock.
package schedule

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"time"
)

// Endless is the Total of a schedule that runs until it is stopped.
const Endless = uint64(math.MaxUint64)

// MostRate is the highest rate of a schedule, in requests a second. At higher rates, two
// requests would be due in the same tick of the clock.
const MostRate = 1e6

// Stage is a stage of a schedule.
type Stage struct {
	Shape   Shape
	Poisson bool // true: random arrivals, as from many independent users; false: evenly spaced
}

// Schedule is a sequence of stages without gaps. The fraction of a request that remains at
// the end of a stage is carried into the next. A Schedule is safe for concurrent use.
type Schedule struct {
	stages []placed
	seed   uint64
}

// placed is a stage with its position in the schedule.
type placed struct {
	Stage
	from, until float64 // seconds since the run began
	owed        float64 // requests expected before the stage
	all         float64 // requests expected in the stage
	first, end  uint64  // the stage has the requests [first, end)
}

// New returns the schedule of stages. It returns an error if there are no stages, if no
// request is ever due, if a stage other than the last lasts forever, or if a stage expects
// fewer than 0 requests or more than MostRate allows.
func New(stages []Stage, seed uint64) (*Schedule, error) {
	if len(stages) == 0 {
		return nil, errors.New("a schedule needs a stage")
	}
	s := &Schedule{seed: seed}
	var at, owed float64
	for i, st := range stages {
		length := st.Shape.Seconds()
		if math.IsInf(length, 1) && i < len(stages)-1 {
			return nil, fmt.Errorf("stage %d lasts forever, but is not the last", i+1)
		}
		p := placed{Stage: st, from: at, until: at + length, owed: owed, all: math.Inf(1)}
		if !math.IsInf(length, 1) {
			p.all = st.Shape.Expected(length)
		}
		if !(p.all > 0 || p.all == 0) || p.all > MostRate*length {
			return nil, fmt.Errorf("stage %d expects %g requests in %g s", i+1, p.all, length)
		}
		p.first, p.end = whole(owed), whole(owed+p.all)
		s.stages = append(s.stages, p)
		at, owed = p.until, owed+p.all
	}
	if s.Total() == 0 {
		return nil, errors.New("no request is ever due")
	}
	return s, nil
}

// whole returns the number of requests that are due when the expected number is reached.
// The first request is due at once, so a fraction counts as a whole request. It ignores
// rounding errors of floating point.
func whole(expected float64) uint64 {
	if math.IsInf(expected, 1) {
		return Endless
	}
	return uint64(math.Ceil(expected - 1e-9*max(1, expected/1e3)))
}

// Total returns the number of requests; Endless if the last stage lasts forever.
func (s *Schedule) Total() uint64 { return s.last().end }

// Length returns the length of the schedule; Forever if the last stage lasts forever.
func (s *Schedule) Length() time.Duration { return s.End(len(s.stages) - 1) }

// End returns when a stage ends, since the start of the run; Forever if it does not end.
func (s *Schedule) End(stage int) time.Duration {
	if math.IsInf(s.stages[stage].until, 1) {
		return Forever
	}
	return nanoseconds(s.stages[stage].until)
}

// Requests returns the number of requests due in a stage; Endless if it does not end.
func (s *Schedule) Requests(stage int) uint64 {
	p := s.stages[stage]
	if p.end == Endless {
		return Endless
	}
	return p.end - p.first
}

// Rate returns the intended rate at t, in requests a second; 0 after the end.
func (s *Schedule) Rate(t time.Duration) float64 {
	p := s.stages[s.Stage(t)]
	if t < 0 || t.Seconds() >= p.until {
		return 0
	}
	return p.Shape.Rate(t.Seconds() - p.from)
}

// Stage returns the index of the stage that contains t; the last one after the end.
func (s *Schedule) Stage(t time.Duration) int {
	past := func(i int) bool { return t < s.End(i) }
	return min(sort.Search(len(s.stages), past), len(s.stages)-1)
}

// At returns when the n-th request is due, since the start of the run, and the index of its
// stage. n counts from 0 and must be less than Total.
func (s *Schedule) At(n uint64) (due time.Duration, stage int) {
	stage = sort.Search(len(s.stages)-1, func(i int) bool { return n < s.stages[i].end })
	p := &s.stages[stage]
	if !p.Poisson {
		return p.time(float64(n) - p.owed), stage
	}
	a, offset := s.arrivals(stage, (n-p.first)/block)
	return p.time(offset.of(a.at((n - p.first) % block))), stage
}

// Count returns the number of requests due at or before t: the number of n with At(n) ≤ t.
func (s *Schedule) Count(t time.Duration) uint64 {
	if t < 0 {
		return 0
	}
	stage := s.Stage(t)
	p := &s.stages[stage]
	if t.Seconds() >= p.until {
		return p.end
	}
	if p.Poisson {
		return s.countPoisson(stage, t)
	}
	n := p.clamp(p.owed + p.Shape.Expected(t.Seconds()-p.from))
	for n > p.first && p.time(float64(n-1)-p.owed) > t { // floating point may be off by one
		n--
	}
	for n < p.end && p.time(float64(n)-p.owed) <= t {
		n++
	}
	return n
}

func (s *Schedule) countPoisson(stage int, t time.Duration) uint64 {
	p := &s.stages[stage]
	guess := p.clamp(p.owed+p.Shape.Expected(t.Seconds()-p.from)) - p.first
	a, offset := s.arrivals(stage, guess/block)
	reached := func(v float64) bool { return p.time(offset.of(v)) <= t }
	return p.first + guess/block*block + a.before(reached)
}

// clamp limits an expected count to the requests of the stage.
func (p *placed) clamp(expected float64) uint64 {
	return min(max(uint64(max(0, expected)), p.first), p.end)
}

// time returns when the shape of the stage expects n requests. The result is always within
// the stage, despite rounding errors of floating point.
func (p *placed) time(n float64) time.Duration {
	low := nanoseconds(p.from)
	t := max(low, nanoseconds(p.from+p.Shape.Instant(max(0, n))))
	if math.IsInf(p.until, 1) {
		return t
	}
	return min(t, max(low, nanoseconds(p.until)-1))
}

// span is the range of the expected requests of a stage that a block of arrivals covers.
type span struct{ from, length float64 }

func (s span) of(v float64) float64 { return s.from + v*s.length }

func (s *Schedule) arrivals(stage int, number uint64) (arrivals, span) {
	p := &s.stages[stage]
	count := min(block, p.end-p.first-number*block)
	from := float64(p.first) - p.owed + float64(number*block)
	a := arrivals{count: count, seed: s.seed + uint64(stage), block: number}
	return a, span{from, min(float64(count), p.all-from)}
}

func (s *Schedule) last() *placed { return &s.stages[len(s.stages)-1] }

func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds * 1e9))
}
