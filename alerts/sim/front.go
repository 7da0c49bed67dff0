package sim

import (
	"cmp"
	"slices"
	"time"

	"firedrill/alerts/slo"
)

// point is a policy in the space of what is searched for.
type point struct {
	page, ticket   [2]slo.Pair
	pages, tickets int
	detection      time.Duration
	precision      float64
	recall         float64
	cost           float64
}

func (p point) policy() slo.Policy {
	return slo.Policy{Period: Period, Page: slo.Alert{Pairs: p.page[:]}, Ticket: slo.Alert{Pairs: p.ticket[:]}}
}

// beats tells whether p is as good as q in all, and better in something.
func (p point) beats(q point) bool {
	return p.asGood(q) && (p.detection < q.detection || p.precision > q.precision || p.cost < q.cost)
}

func (p point) asGood(q point) bool {
	return p.detection <= q.detection && p.precision >= q.precision && p.cost <= q.cost
}

// front is the Pareto front: the points that no other beats, one of those that are
// alike. It sorts all.
func front(all []point) []point {
	slices.SortFunc(all, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.detection, b.detection), cmp.Compare(b.precision, a.precision), cmp.Compare(a.cost, b.cost))
	})
	var kept []point
	for _, p := range all {
		// Whatever beats it stands before it, and so does one that is in the front.
		if !slices.ContainsFunc(kept, func(k point) bool { return k.asGood(p) }) {
			kept = append(kept, p)
		}
	}
	return kept
}
