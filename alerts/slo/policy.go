package slo

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Severity is how soon a person must look.
type Severity string

// The severities, as values of the label "severity".
const (
	Page   Severity = "page"   // now
	Ticket Severity = "ticket" // in working hours
)

const day = 24 * time.Hour

// Pair is one condition on the burn rate: it holds while the budget burns faster
// than Burn over the long window and over the short one. The long window makes it
// matter, the short one makes it end soon after the errors do.
type Pair struct {
	Long, Short time.Duration
	Burn        float64 // times the rate that spends the budget in exactly one period
}

// Alert fires while one of its pairs holds.
type Alert struct {
	Pairs      []Pair
	For        time.Duration // how long a pair must hold first
	KeepFiring time.Duration // how long it goes on after the last pair ended
}

// Policy is how objectives are guarded, in the objective's time: before scaling.
type Policy struct {
	Period       time.Duration // over which an objective must hold
	Page, Ticket Alert
}

// Workbook is the policy of the Site Reliability Workbook, chapter 5, sixth
// strategy: Table 5-8, and the pair of 24 hours and 2 hours that its PromQL adds.
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

// Default is the policy of the rules that the kit makes. It pages when 2 % of the
// budget are gone within two or three hours, and makes tickets of 5 % in half a day
// and 10 % in three days. On the incidents of alerts/incidents it is as quick as any
// other of its precision and cost ("firedrill slo tune"); where it differs from the
// workbook's:
//
//   - 2 % in two hours are told of as soon as 2 % in one, and smaller burns too.
//   - After a bad day the window of three days stays above 1x, and then the short
//     window alone decides: six hours make a ticket of every restart, twelve do not.
//   - Rules of long windows are evaluated seldom, so 12h costs less than 6h.
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

// Named is a policy by its name: "default", or "workbook" for the one that the Site
// Reliability Workbook recommends and most people know.
func Named(name string) (Policy, error) {
	switch name {
	case "default":
		return Default(), nil
	case "workbook":
		return Workbook(), nil
	}
	return Policy{}, fmt.Errorf("there is no policy %q: want default or workbook", name)
}

// Windows lists every window that the policy looks at, the period too, ascending.
func (p Policy) Windows() []time.Duration {
	all := []time.Duration{p.Period}
	for _, pair := range p.pairs() {
		all = append(all, pair.Long, pair.Short)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p Policy) pairs() []Pair { return slices.Concat(p.Page.Pairs, p.Ticket.Pairs) }

// Validate reports what no policy can mean.
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
