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

// A Witness measures whether the machine keeps up.
type Witness interface {
	// Late returns how late each need is served now. A need that is not measured is
	// absent.
	Late(ctx context.Context) map[drill.Need]time.Duration
}

// limits returns two bounds of how late need n may be served. Above strained, the
// lateness explains a failure. Above starved, evidence that depends on the need proves
// nothing.
//
// If processes wait for 50 ms, a request through four services misses the shop's
// objectives, which start at 250 ms. Scrapes are due every second or every five, rules
// every five seconds: a strained machine has missed one.
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

// latenessText returns in words that need n is served late by d.
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

// precise returns a lateness in milliseconds below a second, and in tenths above.
func precise(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return Seconds(d).String()
}

// MachineRun is how well the machine kept up while a drill ran.
type MachineRun struct {
	// Watched is true if anything was measured.
	Watched bool `json:"watched"`
	// Worst is the greatest lateness of each need.
	Worst map[drill.Need]Seconds `json:"worst_seconds,omitempty"`
	// Shortfalls are the times at which a need was served too late, sorted by when
	// they began.
	Shortfalls []Shortfall `json:"shortfalls,omitempty"`
}

// Shortfall is a time at which the machine served a need too late.
type Shortfall struct {
	Need    drill.Need `json:"need"`
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to"`
	Worst   Seconds    `json:"worst_seconds"`
	Starved bool       `json:"starved"` // starved, and not only strained
}

// add adds one reading, which is about the time between from and to. Readings of a need
// must be in the order of their times.
func (m *MachineRun) add(n drill.Need, late time.Duration, from, to time.Time) {
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

// short returns for how long at least one of some needs was served too late between
// two times, and those shortfalls. If starved is true, only starved ones count.
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

// words returns a sentence that says what was late, and for how long in all.
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
