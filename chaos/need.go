package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Need is something that evidence depends on and that only the machine can give.
type Need string

// The needs.
const (
	// NeedProcessor is that processes run when they want to.
	NeedProcessor Need = "processor"
	// NeedScrapes is that Prometheus gets samples of its targets when they are due.
	NeedScrapes Need = "scrapes"
	// NeedRules is that rules are evaluated when they are due.
	NeedRules Need = "rules"
	// NeedLoad is that requests are sent when they are due.
	NeedLoad Need = "load"
)

// allNeeds lists them in the order in which people are told of them.
func allNeeds() []Need { return []Need{NeedProcessor, NeedScrapes, NeedRules, NeedLoad} }

// needsOf returns what the answer to a query needs, unless its drill says otherwise.
func needsOf(l Language) []Need {
	switch l {
	case PromQL:
		return []Need{NeedProcessor, NeedScrapes, NeedLoad}
	case LogQL, TraceQL:
		return []Need{NeedProcessor, NeedLoad}
	case HTTP:
		return []Need{NeedProcessor}
	}
	return nil
}

// A Witness tells whether the machine keeps up.
type Witness interface {
	// Late returns how late each need is given now. A need of which nothing is known is absent.
	Late(ctx context.Context) map[Need]time.Duration
}

// limits returns how late a need may be given before it explains what is not as expected (strained), and before evidence
// that depends on it proves nothing at all (starved).
//
// A process that waits a tenth of a second makes a request of four services miss the objectives of the shop, which start at
// a quarter of a second. Scrapes are due every second and every five, rules every five: a strained machine has missed one.
func (n Need) limits() (strained, starved time.Duration) {
	switch n {
	case NeedProcessor:
		return 100 * time.Millisecond, 2 * time.Second
	case NeedScrapes:
		return 2 * time.Second, 8 * time.Second
	case NeedRules:
		return 3 * time.Second, 10 * time.Second
	case NeedLoad:
		return 100 * time.Millisecond, 2 * time.Second
	}
	return 0, 0
}

// late says in words that a need is given late by d.
func (n Need) late(d time.Duration) string {
	switch n {
	case NeedProcessor:
		return fmt.Sprintf("processes waited up to %s for a processor", precise(d))
	case NeedScrapes:
		return fmt.Sprintf("scrapes came up to %s late", precise(d))
	case NeedRules:
		return fmt.Sprintf("rules were evaluated up to %s late", precise(d))
	case NeedLoad:
		return fmt.Sprintf("the load generator sent requests up to %s late", precise(d))
	}
	return fmt.Sprintf("%s came up to %s late", n, precise(d))
}

// precise writes a lateness: milliseconds below a second, tenths above.
func precise(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return Seconds(d).String()
}

// MachineRun is what the machine gave while a drill ran.
type MachineRun struct {
	// Watched is whether anything was measured.
	Watched bool `json:"watched"`
	// Worst is the greatest lateness of each need.
	Worst map[Need]Seconds `json:"worst_seconds,omitempty"`
	// Shortfalls are the times at which a need was given too late, in the order in which they began.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
}

// Shortfall is a time at which the machine gave a need too late.
type Shortfall struct {
	Need    Need      `json:"need"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Worst   Seconds   `json:"worst_seconds"`
	Starved bool      `json:"starved"` // and not only strained
}

// saw adds one reading that tells of the time from from to to. Readings of a need come in the order of their times.
func (m *MachineRun) saw(n Need, late time.Duration, from, to time.Time) {
	m.Watched = true
	if m.Worst == nil {
		m.Worst = map[Need]Seconds{}
	}
	m.Worst[n] = max(m.Worst[n], Seconds(late))
	strained, starved := n.limits()
	if late < strained {
		return
	}
	s := Shortfall{n, from, to, Seconds(late), late >= starved}
	for i := range slices.Backward(m.Shortfalls) {
		last := &m.Shortfalls[i]
		if last.Need != n {
			continue
		}
		if last.Starved == s.Starved && !last.To.Before(s.From) {
			last.To, last.Worst = s.To, max(last.Worst, s.Worst)
			return
		}
		break
	}
	m.Shortfalls = append(m.Shortfalls, s)
}

// short returns for how long at least one of some needs was given too late between two times, and the shortfalls that say
// so. With starved only such count.
func (m *MachineRun) short(want []Need, from, to time.Time, starved bool) (total time.Duration, which []Shortfall) {
	for _, s := range m.Shortfalls {
		if slices.Contains(want, s.Need) && (s.Starved || !starved) && s.From.Before(to) && from.Before(s.To) {
			which = append(which, s)
		}
	}
	slices.SortStableFunc(which, func(a, b Shortfall) int { return a.From.Compare(b.From) })
	covered := from
	for _, s := range which {
		begin, end := latest(s.From, covered), earliest(s.To, to)
		if end.After(begin) {
			total += end.Sub(begin)
			covered = end
		}
	}
	return total, which
}

// words says what was late, and for how long in all.
func words(total time.Duration, which []Shortfall) string {
	worst := map[Need]Seconds{}
	for _, s := range which {
		worst[s.Need] = max(worst[s.Need], s.Worst)
	}
	var parts []string
	for _, n := range allNeeds() {
		if d, there := worst[n]; there {
			parts = append(parts, n.late(time.Duration(d)))
		}
	}
	return fmt.Sprintf("this machine did not keep up for %s: %s", Seconds(total), strings.Join(parts, ", "))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
