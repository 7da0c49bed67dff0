package rules

import (
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

	Conditions []Condition `json:"conditions"`
	Outages    []Verdict   `json:"outages"`
	Traffic    Traffic     `json:"traffic"`

	// Error ratios up to these values never fire a page or a ticket, however long they last. 1
	// means that it never fires, as when it is disabled.
	NeverPages   float64 `json:"never_pages_up_to"`
	NeverTickets float64 `json:"never_tickets_up_to"`
	NoPage       bool    `json:"page_disabled"`
	NoTicket     bool    `json:"ticket_disabled"`
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

// Explain predicts what the rules of an objective will do. It returns the same errors as
// BuildGroups.
func Explain(s slo.SLO, o Options) (Explanation, error) {
	if _, err := BuildGroups(s, o); err != nil {
		return Explanation{}, err
	}
	if s.Alerting.Page.Disable {
		o.Policy.Page.Pairs = nil
	}
	if s.Alerting.Ticket.Disable {
		o.Policy.Ticket.Pairs = nil
	}
	e := Explanation{
		Service: s.Service, SLO: s.Name, Description: s.Description, Objective: s.Objective, Scale: o.Clock.Scale,
		Period:       wall(o, o.Policy.Period),
		Exhaustion:   wall(o, slo.TimeToExhaustion(1/s.Budget(), o.Policy.Period)),
		Slack:        Seconds(o.Clock.Scrape + o.Clock.Interval),
		TicketSlack:  Seconds(o.Clock.Scrape + o.Clock.LongInterval()),
		NeverPages:   min(1, o.Policy.Page.LeastRatio(s.Budget())),
		NeverTickets: min(1, o.Policy.Ticket.LeastRatio(s.Budget())),
		NoPage:       s.Alerting.Page.Disable,
		NoTicket:     s.Alerting.Ticket.Disable,
		Traffic:      traffic(s, o),
	}
	for _, p := range o.Policy.Page.Pairs {
		e.Conditions = append(e.Conditions, condition(s, o, slo.Page, p))
	}
	for _, p := range o.Policy.Ticket.Pairs {
		e.Conditions = append(e.Conditions, condition(s, o, slo.Ticket, p))
	}
	for _, ratio := range ratios {
		// The table ends with one outage that fires no alert.
		if n := len(e.Outages); n > 0 && !e.Outages[n-1].Page.Fires && !e.Outages[n-1].Ticket.Fires {
			break
		}
		e.Outages = append(e.Outages, verdict(s, o, ratio))
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

func verdict(s slo.SLO, o Options, ratio float64) Verdict {
	forever := slo.Outage{Ratio: ratio, Length: o.Clock.Wall(o.Policy.Period)}
	length := o.Clock.Wall(time.Hour)
	page, ticket := Predict(s, o, slo.Page, forever), Predict(s, o, slo.Ticket, forever)
	// Every alert that can fire does so before the outage ends, so that the reset times cover all
	// of them.
	length = max(length, 2*time.Duration(page.Detection), 2*time.Duration(ticket.Detection))
	outage := slo.Outage{Ratio: ratio, Length: length}
	return Verdict{
		Ratio: ratio, Burn: outage.Burn(s.Budget()), Length: Seconds(length),
		Exhaustion: wall(o, slo.TimeToExhaustion(outage.Burn(s.Budget()), o.Policy.Period)),
		Page:       Predict(s, o, slo.Page, outage),
		Ticket:     Predict(s, o, slo.Ticket, outage),
	}
}

// traffic computes Traffic. A pair with threshold θ over a window W holds with θ·W·r bad events in
// the window.
func traffic(s slo.SLO, o Options) Traffic {
	t := Traffic{MinBadEvents: s.MinBadEvents}
	pairs := slices.DeleteFunc(slices.Clone(o.Policy.Page.Pairs), func(p slo.Pair) bool { return !p.CanHold(s.Budget()) })
	if len(pairs) == 0 || s.MinBadEvents == 0 {
		return t
	}
	t.Blind = math.Inf(1)
	for _, p := range pairs {
		seconds := o.Clock.Wall(p.Long).Seconds()
		t.GuardDecides = max(t.GuardDecides, s.MinBadEvents*p.LeastEvents(s.Budget())/seconds)
		t.Blind = min(t.Blind, s.MinBadEvents/seconds)
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
