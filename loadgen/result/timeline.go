package result

import (
	"slices"
	"time"
)

// maxSlots bounds the timeline: 15 minutes of slots of one second, then of two seconds, and
// so on.
const maxSlots = 900

// Timeline has the measurements of a run over time. Slots begin at multiples of Width since the start of the run.
// Width is 1 s. It doubles whenever the run is longer than 900 slots, so that memory is bounded and the slots of all
// shards are aligned.
type Timeline struct {
	Width    time.Duration `json:"width_ns"`
	Intended []uint64      `json:"intended"` // arrivals due in each slot; empty for an unpaced run
	Series   []Series      `json:"series"`   // sorted by scenario, requests before journeys
}

// Series is the timeline of the requests, or of the journeys, of one scenario.
type Series struct {
	Scenario string `json:"scenario"`
	Journeys bool   `json:"journeys,omitempty"`
	Slots    []Slot `json:"slots"`
}

// Slot has the measurements of one slot of time. If the generator or the server lags, the requests due in a slot and the
// requests sent in it are different ones.
type Slot struct {
	Arrived  uint64        `json:"arrived"` // arrivals sent in this slot
	Sent     uint64        `json:"sent"`    // requests sent in this slot
	Done     uint64        `json:"done"`    // requests answered or given up in this slot
	Due      uint64        `json:"due"`     // finished requests that were due in this slot; the fields below are about them
	Failed   uint64        `json:"failed"`
	LagMax   time.Duration `json:"lag_max_ns"`
	Response Histogram     `json:"response"` // 2 digits
}

func newTimeline() Timeline { return Timeline{Width: time.Second} }

// series finds or adds a series.
func (t *Timeline) series(scenario string, journeys bool) *Series {
	for i := range t.Series {
		if t.Series[i].Scenario == scenario && t.Series[i].Journeys == journeys {
			return &t.Series[i]
		}
	}
	t.Series = append(t.Series, Series{Scenario: scenario, Journeys: journeys})
	return &t.Series[len(t.Series)-1]
}

// fit widens the slots until the timeline covers at.
func (t *Timeline) fit(at time.Duration) {
	for at >= t.Width*maxSlots {
		t.widen()
	}
}

// widen joins slots in pairs.
func (t *Timeline) widen() {
	t.Width *= 2
	for i := range t.Series {
		t.Series[i].Slots = joinPairs(t.Series[i].Slots, func(into *Slot, from Slot) { into.Merge(&from) })
	}
	t.Intended = joinPairs(t.Intended, func(into *uint64, from uint64) { *into += from })
}

// slot returns the slot that contains at. The timeline must cover at; see fit.
func (t *Timeline) slot(s *Series, at time.Duration) *Slot {
	index := int(max(0, at) / t.Width)
	s.grow(index + 1)
	return &s.Slots[index]
}

func (s *Series) grow(slots int) {
	if more := slots - len(s.Slots); more > 0 {
		s.Slots = append(s.Slots, make([]Slot, more)...)
	}
}

func (t *Timeline) add(s Sample) {
	t.fit(max(s.Done, s.Sent, s.Due))
	series := t.series(s.Scenario, false)
	sent := t.slot(series, s.Sent)
	sent.Sent++
	if !s.Later {
		sent.Arrived++
	}
	t.slot(series, s.Done).Done++
	due := t.slot(series, s.Due)
	due.Due++
	if s.Failure != "" {
		due.Failed++
	}
	due.LagMax = max(due.LagMax, s.Sent-s.Due)
	due.Response.record(s.Done-s.Due, coarseDigits)
}

func (t *Timeline) addJourney(s JourneySample) {
	t.fit(max(s.Done, s.Due))
	series := t.series(s.Scenario, true)
	t.slot(series, s.Done).Done++
	due := t.slot(series, s.Due)
	due.Due++
	if s.Failed {
		due.Failed++
	}
	due.Response.record(s.Done-s.Due, coarseDigits)
}

func joinPairs[T any](list []T, join func(into *T, from T)) []T {
	var half []T
	for i, from := range list {
		if i%2 == 0 {
			half = append(half, from)
		} else {
			join(&half[i/2], from)
		}
	}
	return half
}

// Merge adds another slot's counts.
func (s *Slot) Merge(other *Slot) {
	s.Arrived += other.Arrived
	s.Sent += other.Sent
	s.Done += other.Done
	s.Due += other.Due
	s.Failed += other.Failed
	s.LagMax = max(s.LagMax, other.LagMax)
	s.Response.Merge(&other.Response)
}

// merge adds the slots of other, in the greater width of the two.
func (t *Timeline) merge(other Timeline) {
	for t.Width < other.Width {
		t.widen()
	}
	for other.Width < t.Width {
		other.widen()
	}
	for i := range other.Series {
		from := &other.Series[i]
		into := t.series(from.Scenario, from.Journeys)
		into.grow(len(from.Slots))
		for k := range from.Slots {
			into.Slots[k].Merge(&from.Slots[k])
		}
	}
	if more := len(other.Intended) - len(t.Intended); more > 0 {
		t.Intended = append(t.Intended, make([]uint64, more)...)
	}
	for k, n := range other.Intended {
		t.Intended[k] += n
	}
}

// share returns a copy whose histograms use the same buckets until either of them is
// written.
func (t *Timeline) share() Timeline {
	c := Timeline{Width: t.Width, Intended: slices.Clone(t.Intended), Series: make([]Series, len(t.Series))}
	for i := range t.Series {
		from := &t.Series[i]
		c.Series[i] = Series{from.Scenario, from.Journeys, make([]Slot, len(from.Slots))}
		for k := range from.Slots {
			c.Series[i].Slots[k] = from.Slots[k]
			c.Series[i].Slots[k].Response = from.Slots[k].Response.share()
		}
	}
	return c
}
