package sim

import "time"

// lifecycle is Prometheus's of one alert: it fires when its condition has held for
// hold, and on for keep after it ended. See AlertingRule.Eval in Prometheus's
// rules/alerting.go.
type lifecycle struct {
	hold, keep time.Duration
	since      time.Duration // when the condition began to hold
	ended      time.Duration // when it ceased to, while the alert fires on
	holds      bool          // pending or firing, of which
	firing     bool
	keeping    bool // firing on
}

// at tells whether the alert fires at an evaluation where its condition holds or not.
// Times are in order.
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

// spans collects when something is so, told at every evaluation.
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

// end closes what still is so at the end.
func (s *spans) end(at time.Duration) []Span {
	if s.open {
		s.all[len(s.all)-1].To, s.open = at, false
	}
	return s.all
}

// union is when any of them is so: in order, and without those that touch.
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

// covers tells whether one of the spans holds a time.
func covers(all []Span, at time.Duration) bool {
	for _, s := range all {
		if at >= s.From && at < s.To {
			return true
		}
	}
	return false
}
