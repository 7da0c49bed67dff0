package sim

import (
	"math"
	"time"

	"firedrill/alerts/slo"
)

// Significant is a share of a period's budget. An incident that spends this share or more must be
// detected. (Workbook: "2 % of the budget in an hour" pages.)
const Significant = 0.02

// Judgement measures how good the alerts of a rule set are. Shares are from 0 to 1.
type Judgement struct {
	// Precision is the share of detected incidents that are significant, or NaN if there were no
	// notifications. A notification of no incident counts as an insignificant incident.
	// Workbook: "the proportion of events detected that were significant".
	Precision float64
	// Recall is the share of significant incidents that are detected. Workbook: "the proportion of
	// significant events detected".
	Recall float64
	// Pages and Tickets are numbers of notifications in the period. Strays is the number of those
	// that belong to no incident.
	Pages, Tickets, Strays int
	// Detection is the geometric mean of how long significant incidents are undetected, so that one
	// long delay does not dominate. An incident that is never detected counts with its whole
	// duration.
	Detection time.Duration
	// Unnoticed is the mean share of the budget that a significant incident spends before it is
	// detected. For an incident that is never detected, it is all that the incident spends.
	Unnoticed float64
	Incidents []Outcome
}

// Outcome is the reaction of a rule set's alerts to one incident.
type Outcome struct {
	Incident    string
	Spent       float64 // share of the period's budget
	Significant bool
	Page        Notice
	Ticket      Notice
}

// Notice is the reaction of the alerts of one severity.
type Notice struct {
	Fires bool
	// Masked means that an alert for an earlier incident was still firing, so that there was no
	// notification of this one.
	Masked    bool
	Detection time.Duration // from the start of the incident to the notification
	Reset     time.Duration // from the end of the incident to the end of the last alert; negative if the alert ended first
	Spent     float64       // share of the budget spent at detection
	Times     int           // number of notifications
}

// Detected reports whether there was a notification of the incident.
func (o Outcome) Detected() bool { return o.Page.Fires || o.Ticket.Fires }

// First returns the notice that counts as the detection: the page if there is one, because a ticket
// waits until somebody looks at it.
func (o Outcome) First() Notice {
	if o.Page.Fires {
		return o.Page
	}
	return o.Ticket
}

// judge compares the alerts that fired with the incidents.
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

// strays counts the notifications that belong to no incident.
func strays(told []Notice, fires []Span) int {
	left := len(fires)
	for _, n := range told {
		left -= n.Times
	}
	return left
}

// late is how long after the end of an incident an alert may begin and still belong to it. This
// allows for the time that a condition must hold.
const late = 6 * time.Hour

// notices returns the notice of each incident. A notification belongs to the incident that began
// last. Incidents do not overlap.
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

// notice returns the notice of one incident, from the alerts that begin before until.
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

// sum computes the figures of all incidents.
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
