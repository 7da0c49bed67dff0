package run

import (
	"fmt"
	"time"

	"firedrill/chaos/drill"
)

// noteNoBaseline notes that a signal had no value before the faults.
func (r *record) noteNoBaseline(s *trackedSight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Before, s.Held = nil, false
}

// noteBaseline notes a signal's value before the faults.
func (r *record) noteBaseline(s *trackedSight, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Before, s.Held = &value, s.mayLack && s.holds(nil, value)
}

// noteLook notes the answer to one look at a signal, or the error in place of it. The
// trace and the link to it are "" for signals without traces.
func (r *record) noteLook(s *trackedSight, value float64, trace, link string, err error) {
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

// isFound reports whether a signal was seen as expected.
func (r *record) isFound(s *trackedSight) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !s.Seen.IsZero()
}
