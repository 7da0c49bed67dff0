package sim

import (
	"sync"
	"time"

	"firedrill/alerts/slo"
)

// Model describes one alert without PromQL.
type Model struct {
	Severity slo.Severity
	Alert    slo.Alert     // a pair whose Short is 0 has only a long window
	Every    time.Duration // time between two evaluations
	// Windows longer than Raw sum the rate over Base at every step. If Raw is 0, all windows read
	// counters.
	Raw, Base    time.Duration
	MinBadEvents float64 // bad events that the long window must contain
}

// arithmetic evaluates models with prefix sums.
type arithmetic struct {
	timeline
	budget float64

	mu    sync.Mutex
	based map[time.Duration]sums // by the window that is summed
}

// sums holds prefix sums of rates: element i is the sum of the first i rates.
type sums struct{ all, bad []float64 }

func newArithmetic(t timeline, budget float64) *arithmetic {
	return &arithmetic{timeline: t, budget: budget, based: map[time.Duration]sums{}}
}

// fires returns the times in which the alerts of a set fire.
func (a *arithmetic) fires(models []Model) Firing {
	out := Firing{slo.Page: nil, slo.Ticket: nil}
	for _, m := range models {
		out[m.Severity] = union(out[m.Severity], a.alert(m))
	}
	return out
}

func (a *arithmetic) alert(m Model) []Span {
	state := lifecycle{hold: m.Alert.For, keep: m.Alert.KeepFiring}
	var when spans
	for now := time.Duration(0); now < a.length(); now += m.Every {
		when.at(now, state.at(now, a.holds(m, a.index(now))))
	}
	return when.end(a.length())
}

// holds reports whether at least one pair holds at a sample.
func (a *arithmetic) holds(m Model, i int) bool {
	for _, p := range m.Alert.Pairs {
		if a.pair(m, p, i) {
			return true
		}
	}
	return false
}

func (a *arithmetic) pair(m Model, p slo.Pair, i int) bool {
	all, bad := a.rates(m, p.Long, i)
	if !a.burns(all, bad, p.Burn) || bad*p.Long.Seconds() <= m.MinBadEvents-0.5 {
		return false
	}
	if p.Short == 0 {
		return true
	}
	all, bad = a.rates(m, p.Short, i)
	return a.burns(all, bad, p.Burn)
}

// burns reports whether the burn rate exceeds burn. Without events it does not, because the ratio
// is NaN.
func (a *arithmetic) burns(all, bad, burn float64) bool { return bad/all/a.budget > burn }

// rates returns all and bad events per second over a window that ends at a sample.
func (a *arithmetic) rates(m Model, w time.Duration, i int) (all, bad float64) {
	if m.Raw == 0 || w <= m.Raw {
		return a.rate(a.all, w, i), a.rate(a.bad, w, i)
	}
	s := a.sums(m.Base)
	n := int(w / a.step)
	return (s.all[i+1] - s.all[i+1-n]) / float64(n), (s.bad[i+1] - s.bad[i+1-n]) / float64(n)
}

// rate computes Prometheus's rate() of a counter with a sample at every step. The increase from the
// first to the last sample in the window is extrapolated to the window, which begins one step
// before the first sample.
func (a *arithmetic) rate(counter []float64, w time.Duration, i int) float64 {
	between := int(w/a.step) - 1
	grown := counter[i] - counter[i-between]
	sampled := float64(between) * a.step.Seconds()
	return grown * ((sampled + a.step.Seconds()) / sampled / w.Seconds())
}

func (a *arithmetic) sums(base time.Duration) sums {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.based[base]; ok {
		return s
	}
	s := sums{all: make([]float64, len(a.all)+1), bad: make([]float64, len(a.all)+1)}
	for i := range a.all {
		s.all[i+1], s.bad[i+1] = s.all[i], s.bad[i]
		if i < int(base/a.step) {
			continue
		}
		s.all[i+1] += a.rate(a.all, base, i)
		s.bad[i+1] += a.rate(a.bad, base, i)
	}
	a.based[base] = s
	return s
}
