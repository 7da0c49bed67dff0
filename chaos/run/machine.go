package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/machine"
)

// A Witness tells whether the machine keeps up.
type Witness interface {
	// Late returns how late each need is given now. A need of which nothing is known is absent.
	Late(ctx context.Context) map[drill.Need]time.Duration
}

// limits returns how late need n may be given before it explains what is not as expected (strained), and before evidence
// that depends on it proves nothing at all (starved).
//
// Processes that wait for a twentieth of a second make a request of four services miss the objectives of the shop, which start
// at a quarter of a second. Scrapes are due every second and every five, rules every five: a strained machine has missed one.
func limits(n drill.Need) (strained, starved time.Duration) {
	switch n {
	case drill.NeedProcessor:
		return machine.Strained, 2 * time.Second
	case drill.NeedScrapes:
		return 2 * time.Second, 8 * time.Second
	case drill.NeedRules:
		return 3 * time.Second, 10 * time.Second
	case drill.NeedLoad:
		return 100 * time.Millisecond, 2 * time.Second
	}
	return 0, 0
}

// latenessText returns a sentence that says that need n is given late by d.
func latenessText(n drill.Need, d time.Duration) string {
	switch n {
	case drill.NeedProcessor:
		return fmt.Sprintf("work waited up to %s for a processor", precise(d))
	case drill.NeedScrapes:
		return fmt.Sprintf("scrapes came up to %s late", precise(d))
	case drill.NeedRules:
		return fmt.Sprintf("rules were evaluated up to %s late", precise(d))
	case drill.NeedLoad:
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
	Worst map[drill.Need]Seconds `json:"worst_seconds,omitempty"`
	// Shortfalls are the times at which a need was given too late, in the order in which they began.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
}

// Shortfall is a time at which the machine gave a need too late.
type Shortfall struct {
	Need    drill.Need `json:"need"`
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to"`
	Worst   Seconds    `json:"worst_seconds"`
	Starved bool       `json:"starved"` // and not only strained
}

// saw adds one reading that tells of the time from from to to. Readings of a need come in the order of their times.
func (m *MachineRun) saw(n drill.Need, late time.Duration, from, to time.Time) {
	m.Watched = true
	if m.Worst == nil {
		m.Worst = map[drill.Need]Seconds{}
	}
	m.Worst[n] = max(m.Worst[n], Seconds(late))
	strained, starved := limits(n)
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
func (m *MachineRun) short(want []drill.Need, from, to time.Time, starved bool) (total time.Duration, which []Shortfall) {
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
	worst := map[drill.Need]Seconds{}
	for _, s := range which {
		worst[s.Need] = max(worst[s.Need], s.Worst)
	}
	var parts []string
	for _, n := range drill.AllNeeds() {
		if d, there := worst[n]; there {
			parts = append(parts, latenessText(n, time.Duration(d)))
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
