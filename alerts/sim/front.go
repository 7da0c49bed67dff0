package sim

import (
	"cmp"
	"slices"
	"time"

	"firedrill/alerts/slo"
)

// point is a policy with its results in the search space.
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

// beats reports whether p is at least as good as q in detection, precision and cost, and better in
// at least one of them.
func (p point) beats(q point) bool {
	return p.asGood(q) && (p.detection < q.detection || p.precision > q.precision || p.cost < q.cost)
}

func (p point) asGood(q point) bool {
	return p.detection <= q.detection && p.precision >= q.precision && p.cost <= q.cost
}

// front returns the Pareto front: the points that no other point beats. Of equally good points it
// keeps one. It sorts all.
func front(all []point) []point {
	slices.SortFunc(all, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.detection, b.detection), cmp.Compare(b.precision, a.precision), cmp.Compare(a.cost, b.cost))
	})
	var kept []point
	for _, p := range all {
		// In this order, every point that beats p, or is as good, comes before p.
		if !slices.ContainsFunc(kept, func(k point) bool { return k.asGood(p) }) {
			kept = append(kept, p)
		}
	}
	return kept
}
