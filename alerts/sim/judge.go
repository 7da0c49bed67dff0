package sim

import (
	"math"
	"time"

	"firedrill/alerts/slo"
)

// Significant is the share of a period's budget from which on an incident is one that
// somebody must hear of. (Workbook: "2 % of the budget in an hour" pages.)
const Significant = 0.02

// Judgement is how good the alerts of a rule set are. Shares are from 0 to 1.
type Judgement struct {
	// Precision is the share of the incidents told of that are significant; NaN if none
	// is told of. What tells of no incident counts as one that is not. Workbook: "the proportion of events detected that were significant".
	Precision float64
	// Recall is the share of significant incidents that are told of. Workbook: "the
	// proportion of significant events detected".
	Recall float64
	// Pages and Tickets are notifications in the period; Strays are those of them that
	// tell of no incident.
	Pages, Tickets, Strays int
	// Detection is how long a significant incident goes unnoticed: the geometric mean,
	// for an incident lasts minutes or days. One that nobody hears of counts with its
	// whole length.
	Detection time.Duration
	// Unnoticed is the share of the budget that a significant incident spends before
	// anybody hears of it: the mean. All that it spends, if nobody does.
	Unnoticed float64
	Incidents []Outcome
}

// Outcome is what a rule set's alerts did about one incident.
type Outcome struct {
	Incident    string
	Spent       float64 // share of the period's budget
	Significant bool
	Page        Notice
	Ticket      Notice
}

// Notice is what the alerts of one severity did.
type Notice struct {
	Fires bool
	// Masked: it fired on from an earlier incident, so that nobody was told of this one.
	Masked    bool
	Detection time.Duration // from the incident's start to the notification
	Reset     time.Duration // from the incident's end to that of the last alert; below 0 if that was before
	Spent     float64       // share of the budget gone at the detection
	Times     int           // notifications
}

// Detected tells whether anybody heard of the incident.
func (o Outcome) Detected() bool { return o.Page.Fires || o.Ticket.Fires }

// First is what told of it: the page if there is one, for a ticket waits until
// somebody looks.
func (o Outcome) First() Notice {
	if o.Page.Fires {
		return o.Page
	}
	return o.Ticket
}

// judge compares what fired with what happened.
func judge(c Catalogue, t timeline, budget float64, fires Firing) Judgement {
	j := Judgement{Pages: len(fires[slo.Page]), Tickets: len(fires[slo.Ticket])}
	pages, tickets := notices(c, t, budget, fires[slo.Page]), notices(c, t, budget, fires[slo.Ticket])
	for i, in := range c.Incidents {
		o := Outcome{Incident: in.Name, Spent: t.spent(Span{in.Start, in.End()}, budget), Page: pages[i], Ticket: tickets[i]}
		o.Significant = o.Spent >= Significant
		j.Incidents = append(j.Incidents, o)
	}
	j.Strays = strays(pages, fires[slo.Page]) + strays(tickets, fires[slo.Ticket])
	j.sum(c)
	return j
}

// strays counts the notifications that tell of no incident.
func strays(told []Notice, fires []Span) int {
	left := len(fires)
	for _, n := range told {
		left -= n.Times
	}
	return left
}

// late is how long after an incident's end an alert may begin that tells of it: for as
// long as its condition must hold.
const late = 6 * time.Hour

// notices is what alerts tell of each incident. A notification belongs to the incident
// that began last: incidents do not overlap.
func notices(c Catalogue, t timeline, budget float64, fires []Span) []Notice {
	all := make([]Notice, len(c.Incidents))
	for i, in := range c.Incidents {
		until := in.End() + late
		if i+1 < len(c.Incidents) {
			until = min(until, c.Incidents[i+1].Start)
		}
		all[i] = notice(in, until, fires)
		all[i].Spent = t.spent(Span{in.Start, in.Start + all[i].Detection}, budget)
	}
	return all
}

// notice is what alerts that begin until then tell of an incident.
func notice(in Incident, until time.Duration, fires []Span) Notice {
	n := Notice{Masked: covers(fires, in.Start)}
	for _, s := range fires {
		if s.From < in.Start || s.From >= until {
			continue
		}
		if !n.Fires {
			n.Fires, n.Masked, n.Detection = true, false, s.From-in.Start
		}
		n.Times++
		n.Reset = s.To - in.End()
	}
	return n
}

// sum makes figures of all incidents.
func (j *Judgement) sum(c Catalogue) {
	var significant, told, right float64
	var logs, unnoticed float64
	for i, o := range j.Incidents {
		if o.Detected() {
			told++
		}
		if !o.Significant {
			continue
		}
		significant++
		took, spent := c.Incidents[i].Duration, o.Spent
		if o.Detected() {
			right++
			took, spent = o.First().Detection, o.First().Spent
		}
		logs += math.Log(max(took, Resolution).Seconds())
		unnoticed += spent
	}
	j.Precision = right / (told + float64(j.Strays))
	j.Recall = right / significant
	j.Detection = time.Duration(math.Exp(logs/significant) * float64(time.Second)).Round(time.Second)
	j.Unnoticed = unnoticed / significant
}
