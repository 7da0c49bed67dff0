package slo

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Severity says how soon a person must respond.
type Severity string

// The severities, as values of the label "severity".
const (
	Page   Severity = "page"   // at once
	Ticket Severity = "ticket" // in working hours
)

const day = 24 * time.Hour

// Pair is one condition on the burn rate. It holds while the burn rate exceeds Burn over both the
// long and the short window. The long window ensures that the errors are significant. The short
// window makes the condition end soon after the errors.
type Pair struct {
	Long, Short time.Duration
	Burn        float64 // burn rate; 1 spends the budget in exactly one period
}

// Alert fires while at least one of its pairs holds.
type Alert struct {
	Pairs      []Pair
	For        time.Duration // how long a pair must hold before the alert fires
	KeepFiring time.Duration // how long the alert still fires after the last pair ends
}

// Policy sets the windows and burn rates of an objective's alerts. Its times are in SLO time,
// before scaling.
type Policy struct {
	Period       time.Duration // time over which an objective must hold
	Page, Ticket Alert
}

// Workbook returns the policy of the Site Reliability Workbook, chapter 5, sixth strategy. It
// consists of Table 5-8 and the pair of 24 hours and 2 hours that the workbook's PromQL adds.
// https://sre.google/workbook/alerting-on-slos/
func Workbook() Policy {
	return Policy{
		Period: 30 * day,
		Page: Alert{Pairs: []Pair{
			{Long: time.Hour, Short: 5 * time.Minute, Burn: 14.4},
			{Long: 6 * time.Hour, Short: 30 * time.Minute, Burn: 6},
		}},
		Ticket: Alert{Pairs: []Pair{
			{Long: day, Short: 2 * time.Hour, Burn: 3},
			{Long: 3 * day, Short: 6 * time.Hour, Burn: 1},
		}},
	}
}

// Default returns the policy of Firedrill's rules. It pages when 2 % of the budget is spent within
// two or three hours. It opens tickets when 5 % is spent in half a day, or 10 % in three days. On
// the incidents of alerts/incidents, no other policy of the same precision and cost detects faster
// ("firedrill slo tune"). It differs from the workbook's policy as follows:
//
//   - A page for 2 % in two hours fires as soon as one for 2 % in one hour, and catches smaller
//     burns too.
//   - For days after a bad day the three-day window stays above 1x, and the short window alone
//     decides. A short window of 6 hours opens a ticket for every restart. One of 12 hours does
//     not.
//   - Rules with long windows are evaluated less often, so a window of 12h costs less than one of
//     6h.
func Default() Policy {
	return Policy{
		Period: 30 * day,
		Page: Alert{Pairs: []Pair{
			{Long: 2 * time.Hour, Short: 5 * time.Minute, Burn: 7.2},
			{Long: 3 * time.Hour, Short: 15 * time.Minute, Burn: 4.8},
		}},
		Ticket: Alert{Pairs: []Pair{
			{Long: 12 * time.Hour, Short: 2 * time.Hour, Burn: 3},
			{Long: 3 * day, Short: 12 * time.Hour, Burn: 1},
		}},
	}
}

// Named returns the policy with a name: "default", or "workbook" for the well-known policy that the
// Site Reliability Workbook recommends. It returns an error for any other name.
func Named(name string) (Policy, error) {
	switch name {
	case "default":
		return Default(), nil
	case "workbook":
		return Workbook(), nil
	}
	return Policy{}, fmt.Errorf("there is no policy %q: want default or workbook", name)
}

// Over returns the policy with the period of an objective, if it has one of its own. Windows and burn rates stay as they
// are, so with a shorter period each pair stands for a larger share of the budget.
func (p Policy) Over(s SLO) Policy {
	if s.Period > 0 {
		p.Period = s.Period
	}
	return p
}

// Windows returns every window of the policy and its period, in ascending order without duplicates.
func (p Policy) Windows() []time.Duration {
	all := []time.Duration{p.Period}
	for _, pair := range p.pairs() {
		all = append(all, pair.Long, pair.Short)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p Policy) pairs() []Pair { return slices.Concat(p.Page.Pairs, p.Ticket.Pairs) }

// Validate returns an error if the policy has no pair, or a pair with invalid windows or burn rate.
func (p Policy) Validate() error {
	var errs []error
	if len(p.pairs()) == 0 {
		errs = append(errs, errors.New("a policy needs a pair of windows"))
	}
	for _, pair := range p.pairs() {
		if pair.Short <= 0 || pair.Short >= pair.Long || pair.Long > p.Period || pair.Burn <= 0 {
			errs = append(errs, fmt.Errorf("pair %v/%v at %vx: want 0 < short < long <= %v, and a burn rate above 0",
				pair.Long, pair.Short, pair.Burn, p.Period))
		}
	}
	return errors.Join(errs...)
}
