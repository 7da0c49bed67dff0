package run

import (
	"fmt"
	"time"

	"firedrill/chaos/drill"
)

// noBaseline notes that a signal had no value before the faults.
func (r *record) noBaseline(s *trackedSight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Before, s.Held = nil, false
}

// baseline notes a signal's value before the faults.
func (r *record) baseline(s *trackedSight, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Before, s.Held = &value, s.mayLack && s.holds(nil, value)
}

// glanced notes the answer to one look at a signal, or the error in place of it. The
// trace and the link to it are "" for signals without traces.
func (r *record) glanced(s *trackedSight, value float64, trace, link string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.gaps.note(time.Now(), err)
	if err != nil {
		return
	}
	if s.During == nil || s.closer(value, *s.During) {
		s.During, s.TraceID = &value, trace
		if link != "" {
			s.Link = link
		}
	}
	if s.Seen.IsZero() && s.holds(s.Before, value) {
		s.Seen = time.Now()
		r.emit(Event{Kind: EventSeen, State: EventState(s.Signal), Text: fmt.Sprintf("%s: %s", s.Name, drill.FormatNumber(value))})
	}
}

// found reports whether a signal was seen as wanted.
func (r *record) found(s *trackedSight) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !s.Seen.IsZero()
}
