package sim

import "time"

// lifecycle is the state of one alert, with the semantics of Prometheus. The alert fires when its
// condition has held for the time hold. It keeps firing for the time keep after the condition ends.
// See AlertingRule.Eval in Prometheus's rules/alerting.go.
type lifecycle struct {
	hold, keep time.Duration
	since      time.Duration // time at which the condition began to hold
	ended      time.Duration // time at which it ended, if the alert is still firing
	holds      bool          // the alert is pending or firing
	firing     bool
	keeping    bool // firing after the condition ended
}

// at reports whether the alert fires at an evaluation. holds says whether its condition holds then.
// Calls must be in the order of time.
func (l *lifecycle) at(now time.Duration, holds bool) bool {
	if holds {
		if !l.holds {
			l.holds, l.since = true, now
		}
		l.keeping = false
		l.firing = l.firing || now-l.since >= l.hold
		return l.firing
	}
	if l.firing && l.keep > 0 {
		if !l.keeping {
			l.keeping, l.ended = true, now
		}
		if now-l.ended < l.keep {
			return true
		}
	}
	l.holds, l.firing, l.keeping = false, false, false
	return false
}

// spans collects the times in which something is true, from its value at every evaluation.
type spans struct {
	all  []Span
	open bool
}

func (s *spans) at(now time.Duration, is bool) {
	switch {
	case is && !s.open:
		s.all = append(s.all, Span{From: now})
	case !is && s.open:
		s.all[len(s.all)-1].To = now
	}
	s.open = is
}

// end closes the last span if it is still open, and returns all.
func (s *spans) end(at time.Duration) []Span {
	if s.open {
		s.all[len(s.all)-1].To, s.open = at, false
	}
	return s.all
}

// union returns the times that are in a or b, in order. Spans that touch are merged.
func union(a, b []Span) []Span {
	var out []Span
	for len(a) > 0 || len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && b[0].From < a[0].From {
			a, b = b, a
		}
		next := a[0]
		a = a[1:]
		if n := len(out); n > 0 && next.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, next.To)
			continue
		}
		out = append(out, next)
	}
	return out
}

// covers reports whether one of the spans contains a time.
func covers(all []Span, at time.Duration) bool {
	for _, s := range all {
		if at >= s.From && at < s.To {
			return true
		}
	}
	return false
}
