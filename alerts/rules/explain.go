package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"firedrill/alerts/slo"
)

// Explanation describes what the rules of an objective will do. Times are wall-clock times.
type Explanation struct {
	Service     string  `json:"service"`
	SLO         string  `json:"slo"`
	Description string  `json:"description,omitempty"`
	Objective   float64 `json:"objective_percent"`
	Scale       float64 `json:"scale"`
	Period      Seconds `json:"period_seconds"`
	Exhaustion  Seconds `json:"total_outage_spends_budget_after_seconds"`
	// How much later than predicted a page or a ticket may begin or end.
	Slack       Seconds `json:"page_slack_seconds"`
	TicketSlack Seconds `json:"ticket_slack_seconds"`

	Alerts     []Generated `json:"alerts"` // every alert of the rules
	Conditions []Condition `json:"conditions"`
	Outages    []Verdict   `json:"outages"`
	Traffic    Traffic     `json:"traffic"`

	// Error ratios up to these values never fire a burn-rate alert of the severity, however long they last. 1
	// means that none fires, as when there is none.
	NeverPages   float64 `json:"never_pages_up_to"`
	NeverTickets float64 `json:"never_tickets_up_to"`
}

// Condition describes one pair of windows.
type Condition struct {
	Severity slo.Severity `json:"severity"`
	Long     Seconds      `json:"long_seconds"`
	Short    Seconds      `json:"short_seconds"`
	Burn     float64      `json:"burn_rate"`
	Ratio    float64      `json:"error_ratio"`     // the pair holds above this ratio
	Spent    float64      `json:"budget_spent"`    // share of the budget spent when it begins to hold
	CanHold  bool         `json:"can_hold"`        // false: even a total outage does not suffice
	Single   float64      `json:"single_failures"` // with fewer events in the long window, a single failure exceeds the threshold
}

// Verdict describes the alerts that an outage causes. The outage lasts until they fire, and at
// least one hour of SLO time.
type Verdict struct {
	Ratio      float64    `json:"error_ratio"`
	Burn       float64    `json:"burn_rate"`
	Length     Seconds    `json:"length_seconds"`
	Exhaustion Seconds    `json:"budget_spent_after_seconds"`
	Page       Prediction `json:"page"`
	Ticket     Prediction `json:"ticket"`
}

// Traffic describes how many events the alerts need.
type Traffic struct {
	MinBadEvents float64 `json:"min_bad_events"`
	// GuardDecides is a rate in events per second. Below it, the low-traffic guard determines when
	// the first page fires, not the burn rate.
	GuardDecides float64 `json:"guard_decides_below_per_second"`
	// Blind is a rate in events per second. Below it, no page can fire.
	Blind float64 `json:"no_page_below_per_second"`
}

// ratios are the error ratios of the outages that are explained.
var ratios = []float64{1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001}

// Explain predicts what the rules of an objective will do. It reads the alerts back from the rules that BuildGroups
// generates, so that it says nothing that the rules do not do. It returns the same errors as BuildGroups.
func Explain(s slo.SLO, o Options) (Explanation, error) {
	o.Policy = o.Policy.Over(s)
	groups, err := BuildGroups(s, o)
	if err != nil {
		return Explanation{}, err
	}
	alerts, err := generatedAlerts(groups)
	if err != nil {
		return Explanation{}, fmt.Errorf("explain %s: %w", s.ID(), err)
	}
	b := newReadBack(s, o, alerts)
	e := Explanation{
		Service: s.Service, SLO: s.Name, Description: s.Description, Objective: s.Objective, Scale: o.Clock.Scale,
		Period:       wall(o, o.Policy.Period),
		Exhaustion:   wall(o, slo.TimeToExhaustion(1/s.Budget(), o.Policy.Period)),
		Slack:        Seconds(o.Clock.Scrape + o.Clock.Interval),
		TicketSlack:  Seconds(o.Clock.Scrape + o.Clock.LongInterval()),
		Alerts:       alerts,
		NeverPages:   min(1, b.page.LeastRatio(s.Budget())),
		NeverTickets: min(1, b.ticket.LeastRatio(s.Budget())),
		Traffic:      b.traffic(),
	}
	for _, p := range b.page.Pairs {
		e.Conditions = append(e.Conditions, condition(s, o, slo.Page, p))
	}
	for _, p := range b.ticket.Pairs {
		e.Conditions = append(e.Conditions, condition(s, o, slo.Ticket, p))
	}
	for _, ratio := range ratios {
		// The table ends with one outage that fires no alert.
		if n := len(e.Outages); n > 0 && !e.Outages[n-1].Page.Fires && !e.Outages[n-1].Ticket.Fires {
			break
		}
		e.Outages = append(e.Outages, b.verdict(ratio))
	}
	return e, nil
}

func condition(s slo.SLO, o Options, severity slo.Severity, p slo.Pair) Condition {
	return Condition{
		Severity: severity, Long: wall(o, p.Long), Short: wall(o, p.Short), Burn: p.Burn,
		Ratio: p.Threshold(s.Budget()), Spent: p.SpentAtDetection(o.Policy.Period),
		CanHold: p.CanHold(s.Budget()), Single: p.LeastEvents(s.Budget()),
	}
}

func (b readBack) verdict(ratio float64) Verdict {
	forever := slo.Outage{Ratio: ratio, Length: b.Clock.Wall(b.Policy.Period)}
	// Every alert that can fire does so before the outage ends, so that the reset times cover all
	// of them.
	length := max(b.Clock.Wall(time.Hour),
		2*time.Duration(b.predict(slo.Page, forever).Detection), 2*time.Duration(b.predict(slo.Ticket, forever).Detection))
	outage := slo.Outage{Ratio: ratio, Length: length}
	burn := outage.Burn(b.slo.Budget())
	return Verdict{
		Ratio: ratio, Burn: burn, Length: Seconds(length),
		Exhaustion: wall(b.Options, slo.TimeToExhaustion(burn, b.Policy.Period)),
		Page:       b.predict(slo.Page, outage),
		Ticket:     b.predict(slo.Ticket, outage),
	}
}

// traffic computes Traffic. A pair with threshold θ over a window W holds with θ·W·r bad events in
// the window.
func (b readBack) traffic() Traffic {
	t := Traffic{MinBadEvents: b.slo.MinBadEvents}
	pairs := slices.DeleteFunc(slices.Clone(b.page.Pairs), func(p slo.Pair) bool { return !p.CanHold(b.slo.Budget()) })
	if len(pairs) == 0 || b.slo.MinBadEvents == 0 {
		return t
	}
	t.Blind = math.Inf(1)
	for _, p := range pairs {
		seconds := b.Clock.Wall(p.Long).Seconds()
		t.GuardDecides = max(t.GuardDecides, b.slo.MinBadEvents*p.LeastEvents(b.slo.Budget())/seconds)
		t.Blind = min(t.Blind, b.slo.MinBadEvents/seconds)
	}
	return t
}

// Seconds is a wall-clock duration. Its JSON form is a number of seconds.
type Seconds time.Duration

// MarshalJSON implements json.Marshaler.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return []byte(slo.FormatNumber(time.Duration(s).Seconds())), nil
}

func wall(o Options, d time.Duration) Seconds { return Seconds(o.Clock.Wall(d)) }
