package sim

import (
	"encoding/json"
	"math"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// The JSON format of the report. Times are in seconds, shares from 0 to 1.
type (
	reportJSON struct {
		Catalogue        string    `json:"catalogue"`
		Period           seconds   `json:"period_seconds"`
		Objective        float64   `json:"objective_percent"`
		SeriesPerCounter int       `json:"series_per_counter"`
		Sets             []setJSON `json:"rule_sets"`
	}
	setJSON struct {
		Name      string                     `json:"name"`
		About     string                     `json:"about"`
		Rules     int                        `json:"rules"`
		Cost      float64                    `json:"samples_per_second"`
		Precision *float64                   `json:"precision"` // null without notifications
		Recall    *float64                   `json:"recall"`    // null without significant incidents
		Pages     int                        `json:"pages"`
		Tickets   int                        `json:"tickets"`
		Strays    int                        `json:"of_no_incident"`
		Detection seconds                    `json:"unnoticed_seconds"`
		Unnoticed float64                    `json:"unnoticed_budget"`
		NotJudged []string                   `json:"not_judged,omitempty"`
		Incidents []outcomeJSON              `json:"incidents"`
		Firing    map[slo.Severity][]spanTwo `json:"firing_seconds"`
		Proof     *Proof                     `json:"proof,omitempty"`
	}
	outcomeJSON struct {
		Incident    string     `json:"incident"`
		Spent       float64    `json:"budget_spent"`
		Significant bool       `json:"significant"`
		Page        noticeJSON `json:"page"`
		Ticket      noticeJSON `json:"ticket"`
	}
	noticeJSON struct {
		Fires     bool    `json:"fires"`
		Masked    bool    `json:"masked"`
		Detection seconds `json:"detection_seconds"`
		Reset     seconds `json:"reset_seconds"`
		Spent     float64 `json:"budget_spent"`
		Times     int     `json:"notifications"`
	}
	seconds = rules.Seconds
	spanTwo [2]seconds // from, to
)

// MarshalJSON implements json.Marshaler.
func (r Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{Catalogue: r.Catalogue.Name, Period: seconds(Period), Objective: r.Objective, SeriesPerCounter: SeriesPerCounter}
	for _, s := range r.Results {
		out.Sets = append(out.Sets, s.json())
	}
	return json.Marshal(out)
}

func (r Result) json() setJSON {
	j := r.Judgement
	out := setJSON{
		Name: r.Set.Name, About: r.Set.About, Rules: r.Rules, Cost: r.Cost,
		Precision: known(j.Precision), Recall: known(j.Recall), Pages: j.Pages, Tickets: j.Tickets, Strays: j.Strays,
		Detection: seconds(j.Detection), Unnoticed: j.Unnoticed, NotJudged: r.Unjudged, Proof: r.Proof,
		Firing: map[slo.Severity][]spanTwo{},
	}
	for _, o := range j.Incidents {
		out.Incidents = append(out.Incidents, outcomeJSON{o.Incident, o.Spent, o.Significant, o.Page.json(), o.Ticket.json()})
	}
	for severity, spans := range r.Fires {
		out.Firing[severity] = []spanTwo{}
		for _, s := range spans {
			out.Firing[severity] = append(out.Firing[severity], spanTwo{seconds(s.From), seconds(s.To)})
		}
	}
	return out
}

func (n Notice) json() noticeJSON {
	return noticeJSON{n.Fires, n.Masked, seconds(n.Detection), seconds(n.Reset), n.Spent, n.Times}
}

// known returns nil for NaN, which JSON cannot represent.
func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
