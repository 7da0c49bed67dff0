package sim

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// Candidate is a policy with the quality of its alerts.
type Candidate struct {
	Policy    slo.Policy
	Judgement Judgement // on the catalogue
	Random    Judgement // on random months, which the search does not use
	Cost      float64   // samples that Prometheus reads per second, with SeriesPerCounter series per counter
}

// Tuning is the result of a search.
type Tuning struct {
	Tried   int
	Months  int // number of random months
	Default Candidate
	Book    Candidate // the workbook's policy, with Firedrill's rules
	// Front holds the policies that no other policy beats. A policy beats another if it is at least
	// as good in detection, precision and cost, and better in one of them. Every policy of the
	// front detects at least as many significant incidents as the default, with no more pages or
	// tickets. They are in the order of detection.
	Front []Candidate
	// Better holds the policies of the front that beat the default.
	Better []Candidate
}

// DefaultOnFront reports whether no policy of the search beats the default.
func (t Tuning) DefaultOnFront() bool { return len(t.Better) == 0 }

// space is the search space: two pairs for pages and two for tickets, with values around the
// workbook's.
type space struct{ fast, slow, day, days []slo.Pair }

func searched() space {
	return space{
		fast: pairs([]time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour}, []float64{0.01, 0.015, 0.02, 0.03}, []time.Duration{6, 12, 24}),
		slow: pairs([]time.Duration{2 * time.Hour, 3 * time.Hour, 6 * time.Hour}, []float64{0.02, 0.03, 0.04, 0.05}, []time.Duration{4, 6, 12}),
		day:  pairs([]time.Duration{12 * time.Hour, day}, []float64{0.05, 0.075, 0.1}, []time.Duration{4, 6, 12}),
		days: pairs([]time.Duration{2 * day, 3 * day}, []float64{0.05, 0.1, 0.15}, []time.Duration{4, 6, 12}),
	}
}

// pairs returns all combinations of long windows, shares of the budget that are spent when the pair
// begins to hold, and ratios of the long to the short window.
func pairs(longs []time.Duration, shares []float64, parts []time.Duration) []slo.Pair {
	var all []slo.Pair
	for _, long := range longs {
		for _, share := range shares {
			for _, part := range parts {
				p := slo.Pair{Long: long, Short: long / part, Burn: math.Round(1000*share*Period.Seconds()/long.Seconds()) / 1000}
				if workable(p) {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// workable reports whether a pair suits every objective, and a workshop.
func workable(p slo.Pair) bool {
	return p.Short <= rules.LongestRaw && slo.Workshop().Validate(slo.Policy{Period: Period, Page: slo.Alert{Pairs: []slo.Pair{p}}}) == nil
}

// Tune searches windows and burn rates on a catalogue with the arithmetic. It then judges the
// policies that beat the default on a number of random months.
func Tune(ctx context.Context, c Catalogue, months int) (Tuning, error) {
	s, err := Objective()
	if err != nil {
		return Tuning{}, err
	}
	t := newTuner(c, s)
	if t.costs, err = t.windowCosts(); err != nil {
		return Tuning{}, err
	}
	out := Tuning{Months: months}
	if out.Default, err = t.candidate(slo.Default()); err != nil {
		return Tuning{}, err
	}
	if out.Book, err = t.candidate(slo.Workbook()); err != nil {
		return Tuning{}, err
	}
	all, err := t.search(ctx)
	if err != nil {
		return Tuning{}, err
	}
	out.Tried = len(all)
	for _, p := range front(slices.DeleteFunc(all, out.Default.spares)) {
		found, err := t.candidate(p.policy())
		if err != nil {
			return Tuning{}, err
		}
		out.Front = append(out.Front, found)
		if found.beats(out.Default) {
			out.Better = append(out.Better, found)
		}
	}
	return out, out.try(ctx, s)
}

// try judges the default, the workbook's policy, and the policies that beat the default on random
// months.
func (t *Tuning) try(ctx context.Context, s slo.SLO) error {
	months := make([]*tuner, t.Months)
	for i := range months {
		months[i] = newTuner(Random(uint64(i), s.Budget()), s)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	tried := []*Candidate{&t.Default, &t.Book}
	for i := range t.Better {
		tried = append(tried, &t.Better[i])
	}
	for _, c := range tried {
		group.Go(func() error {
			var pooled Catalogue
			for _, month := range months {
				found, err := month.candidate(c.Policy)
				if err = cmp.Or(err, ctx.Err()); err != nil {
					return err
				}
				pooled.Incidents = append(pooled.Incidents, month.catalogue.Incidents...)
				c.Random.Incidents = append(c.Random.Incidents, found.Judgement.Incidents...)
				c.Random.Pages += found.Judgement.Pages
				c.Random.Tickets += found.Judgement.Tickets
				c.Random.Strays += found.Judgement.Strays
			}
			c.Random.sum(pooled)
			return nil
		})
	}
	return group.Wait()
}

// spares reports whether p can be dropped in comparison with c: it detects fewer significant
// incidents, or notifies more often.
func (c Candidate) spares(p point) bool {
	return p.recall < c.Judgement.Recall || p.pages > c.Judgement.Pages || p.tickets > c.Judgement.Tickets
}

// beats reports whether a candidate is at least as good as another in detection, precision and
// cost, and better in one of them.
func (c Candidate) beats(other Candidate) bool { return c.point().beats(other.point()) }

func (c Candidate) point() point {
	return point{detection: c.Judgement.Detection, precision: c.Judgement.Precision, cost: c.Cost, recall: c.Judgement.Recall}
}

// tuner is the data that all candidates share.
type tuner struct {
	catalogue Catalogue
	objective slo.SLO
	exact     *arithmetic
	space     space
	costs     map[time.Duration]float64 // samples per second for all series recorded for a window
}

func newTuner(c Catalogue, s slo.SLO) *tuner {
	longest := slices.MaxFunc(searched().days, func(a, b slo.Pair) int { return cmp.Compare(a.Long, b.Long) }).Long
	return &tuner{catalogue: c, objective: s, space: searched(), exact: newArithmetic(c.replay(Period, longest+day), s.Budget())}
}

// half is one severity of a policy, with its results.
type half struct {
	pairs   [2]slo.Pair
	notices []Notice // by incident
	times   int      // number of notifications
	strays  int
}

// search judges all combinations.
func (t *tuner) search(ctx context.Context) ([]point, error) {
	pages := t.halves(ctx, slo.Page, 0, t.space.fast, t.space.slow)
	tickets := map[time.Duration][]half{} // by the window that long windows sum
	var all []point
	buffer := make([]Outcome, len(t.catalogue.Incidents))
	t.describe(buffer)
	for _, page := range pages {
		base := min(page.pairs[0].Short, page.pairs[1].Short)
		if tickets[base] == nil {
			tickets[base] = t.halves(ctx, slo.Ticket, base, t.space.day, t.space.days)
		}
		for _, ticket := range tickets[base] {
			all = append(all, t.join(page, ticket, buffer))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// halves returns all alerts of a severity that have one pair of each list.
func (t *tuner) halves(ctx context.Context, severity slo.Severity, base time.Duration, first, second []slo.Pair) []half {
	clock := slo.Production()
	every := map[slo.Severity]time.Duration{slo.Page: clock.Interval, slo.Ticket: clock.LongInterval()}[severity]
	if base > 0 {
		t.exact.sums(base) // computed once, before goroutines read it
	}
	fires := make([][]Span, len(first)+len(second))
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range slices.Concat(first, second) {
		group.Go(func() error {
			fires[i] = t.exact.alert(Model{
				Severity: severity, Alert: slo.Alert{Pairs: []slo.Pair{p}}, Every: every,
				Raw: rules.LongestRaw, Base: base, MinBadEvents: t.objective.MinBadEvents,
			})
			return nil
		})
	}
	_ = group.Wait() // the arithmetic does not fail
	var all []half
	for i, a := range first {
		for k, b := range second {
			if a.Long >= b.Long { // skip pairs with the same long window, and duplicates
				continue
			}
			spans := union(fires[i], fires[len(first)+k])
			h := half{pairs: [2]slo.Pair{a, b}, times: len(spans)}
			h.notices = notices(t.catalogue, t.exact.timeline, t.exact.budget, spans)
			h.strays = strays(h.notices, spans)
			all = append(all, h)
		}
	}
	return all
}

// describe fills in the fields that do not depend on alerts.
func (t *tuner) describe(outcomes []Outcome) {
	copy(outcomes, judge(t.catalogue, t.exact.timeline, t.exact.budget, Firing{}).Incidents)
}

// join judges two halves together.
func (t *tuner) join(page, ticket half, outcomes []Outcome) point {
	for i := range outcomes {
		outcomes[i].Page, outcomes[i].Ticket = page.notices[i], ticket.notices[i]
	}
	j := Judgement{Pages: page.times, Tickets: ticket.times, Strays: page.strays + ticket.strays, Incidents: outcomes}
	j.sum(t.catalogue)
	p := point{
		page: page.pairs, ticket: ticket.pairs, pages: page.times, tickets: ticket.times,
		detection: j.Detection, precision: j.Precision, recall: j.Recall,
	}
	for _, w := range p.policy().Windows() {
		p.cost += t.costs[w]
	}
	return p
}

// candidate judges a policy by the rules that are generated for it.
func (t *tuner) candidate(p slo.Policy) (Candidate, error) {
	set, err := Own(t.objective, rules.Options{Policy: p, Clock: slo.Production()})
	if err != nil {
		return Candidate{}, err
	}
	all, err := set.compile()
	if err != nil {
		return Candidate{}, err
	}
	fires := t.exact.fires(set.Model)
	return Candidate{
		Policy: p, Cost: cost(all, Resolution, SeriesPerCounter),
		Judgement: judge(t.catalogue, t.exact.timeline, t.exact.budget, fires),
	}, nil
}

// windowCosts returns, for each window of the search space, the cost of all series recorded for it.
func (t *tuner) windowCosts() (map[time.Duration]float64, error) {
	every := slo.Policy{
		Period: Period,
		Page:   slo.Alert{Pairs: slices.Concat(t.space.fast, t.space.slow)},
		Ticket: slo.Alert{Pairs: slices.Concat(t.space.day, t.space.days)},
	}
	set, err := Own(t.objective, rules.Options{Policy: every, Clock: slo.Production()})
	if err != nil {
		return nil, err
	}
	all, err := set.compile()
	if err != nil {
		return nil, fmt.Errorf("compile all rules that are searched: %w", err)
	}
	costs := map[time.Duration]float64{}
	for _, w := range every.Windows() {
		names := []string{slo.SeriesBadEvents(w), slo.SeriesTotalEvents(w), slo.SeriesErrorRatio(w), slo.SeriesBurnRate(w)}
		for i, r := range all {
			if slices.Contains(names, r.record) {
				costs[w] += r.cost(all[:i], Resolution, SeriesPerCounter)
			}
		}
	}
	return costs, nil
}
