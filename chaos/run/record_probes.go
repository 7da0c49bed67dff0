package run

import (
	"fmt"
	"time"

	"firedrill/chaos/drill"
)

// beginAnswers notes that answers to a probe are expected from a time on.
func (r *record) beginAnswers(p *trackedProbe, from time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.gaps.begin(from)
}

// noteBefore notes an answer before the faults. Only the last one is kept.
func (r *record) noteBefore(p *trackedProbe, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.before = &value
	p.samples = []Sample{{time.Now(), value, p.Holds(nil, value)}}
}

// dropAnswers discards the answers so far, because only later ones count.
func (r *record) dropAnswers(p *trackedProbe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.samples = nil
}

// noteAnswer notes a probe's answer.
func (r *record) noteAnswer(p *trackedProbe, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, holds := time.Now(), p.Holds(p.before, value)
	held := len(p.samples) == 0 || p.samples[len(p.samples)-1].Holds
	p.samples = append(p.samples, Sample{now, value, holds})
	p.gaps.note(now, nil)
	switch {
	case held && !holds:
		r.emit(Event{Kind: EventProbe, State: StateBroken, Text: fmt.Sprintf("%s: it is %s, want %s", p.Name, drill.FormatNumber(value), p.Want())})
	case !held && holds:
		r.emit(Event{Kind: EventProbe, State: StateHolds, Text: fmt.Sprintf("%s: it is %s again", p.Name, drill.FormatNumber(value))})
	}
}

// noteIdle notes that no answer to a probe is expected for now.
func (r *record) noteIdle(p *trackedProbe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.gaps.begin(time.Now())
}

// noteNoAnswer notes that a probe had no answer.
func (r *record) noteNoAnswer(p *trackedProbe, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := p.gaps.open
	if p.gaps.note(time.Now(), err); !was && p.gaps.open {
		r.emit(Event{Kind: EventProbe, State: StateUnanswered, Text: fmt.Sprintf("%s: %v", p.Name, err)})
	}
}
