package rules

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/alerts/slo"
)

// Write writes the explanation as text.
func (e Explanation) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s: %s %% over %s", e.SLO, e.Service, slo.FormatNumber(e.Objective), long(e.Period))
	if e.Scale != 1 {
		fmt.Fprintf(&b, " (scale %s: %s of the objective; all times here are on the wall)",
			slo.FormatScale(e.Scale), long(Seconds(stretch(time.Duration(e.Period), e.Scale))))
	}
	b.WriteString("\n")
	if e.Description != "" {
		fmt.Fprintf(&b, "  %s\n", e.Description)
	}
	fmt.Fprintf(&b, "  %s of the events may be bad. A total outage spends that in %s.\n\n", percent(1-e.Objective/100), brief(e.Exhaustion))
	e.conditions(&b)
	if err := e.outages(&b); err != nil {
		return err
	}
	e.never(&b)
	e.traffic(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (e Explanation) conditions(b *strings.Builder) {
	b.WriteString("  The rules\n")
	for _, c := range e.Conditions {
		fmt.Fprintf(b, "    %-6s over %s and over %s more than %s of the events are bad (%sx): then %s of the budget is gone.",
			c.Severity, long(c.Long), long(c.Short), percent(c.Ratio), slo.FormatNumber(c.Burn), percent(c.Spent))
		if !c.CanHold {
			b.WriteString(" That can never be: the objective is too low for this burn rate.")
		}
		b.WriteString("\n")
	}
	for _, a := range e.Alerts {
		if a.Pairs > 0 {
			continue
		}
		fmt.Fprintf(b, "    %-6s %s: %s", a.Severity, a.Alert, a.Summary)
		if a.For > 0 {
			fmt.Fprintf(b, ", for %s", long(a.For))
		}
		b.WriteString(".\n")
	}
	if len(e.Alerts) == 0 {
		b.WriteString("    No alert: the objective disables them.\n")
	}
	b.WriteString("\n")
}

func (e Explanation) outages(b *strings.Builder) error {
	fmt.Fprintf(b, "  What errors cause (pages up to %s later, tickets up to %s: scrape and evaluation)\n", brief(e.Slack), brief(e.TicketSlack))
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "    bad events\tburn rate\tpages after\tand ends after them\tticket after\tand ends after them\tbudget gone after")
	for _, v := range e.Outages {
		fmt.Fprintf(t, "    %s\t%sx\t%s\t%s\t%s\t%s\t%s\n", percent(v.Ratio), compact(v.Burn),
			when(v.Page, v.Page.Detection), when(v.Page, v.Page.Reset),
			when(v.Ticket, v.Ticket.Detection), when(v.Ticket, v.Ticket.Reset), brief(v.Exhaustion))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("explain %s of %s: %w", e.SLO, e.Service, err)
	}
	b.WriteString("\n")
	return nil
}

func (e Explanation) never(b *strings.Builder) {
	b.WriteString("  What never alerts\n")
	e.neverOf(b, slo.Page, "page", e.NeverPages)
	e.neverOf(b, slo.Ticket, "become a ticket", e.NeverTickets)
	absent := slices.ContainsFunc(e.Alerts, func(a Generated) bool { return a.Alert == AlertAbsent })
	b.WriteString("    Time without data counts as time without errors")
	if absent {
		b.WriteString("; " + AlertAbsent + " fires then")
	}
	b.WriteString(".\n\n")
}

// neverOf writes what causes no alert of a severity. what is what such an alert does.
func (e Explanation) neverOf(b *strings.Builder, severity slo.Severity, what string, ratio float64) {
	var others []string // alerts of the severity that do not depend on burn rates
	burns := false
	for _, a := range e.Alerts {
		switch {
		case a.severity == severity && a.Pairs > 0:
			burns = true
		case a.Severity == string(severity):
			others = append(others, a.Alert)
		}
	}
	switch {
	case !burns && len(others) > 0:
		fmt.Fprintf(b, "    No burn rate can %s: there is no such alert. Only %s can.\n", what, strings.Join(others, " and "))
	case !burns:
		fmt.Fprintf(b, "    Nothing can %s: there is no such alert.\n", what)
	case ratio >= 1:
		fmt.Fprintf(b, "    No burn rate can %s, not even in a total outage: the objective is too low for these burn rates.\n", what)
	default:
		fmt.Fprintf(b, "    Up to %s of bad events never %s, however long they last.\n", percent(ratio), what)
	}
}

func (e Explanation) traffic(b *strings.Builder) {
	b.WriteString("  How much traffic it takes\n")
	for _, c := range e.Conditions {
		if c.CanHold {
			fmt.Fprintf(b, "    %-6s over %s: with fewer than %.0f events in it, a single failure is above %sx.\n",
				c.Severity, long(c.Long), c.Single, slo.FormatNumber(c.Burn))
		}
	}
	t := e.Traffic
	if len(e.Conditions) == 0 {
		b.WriteString("    There is no alert that depends on burn rates.\n\n")
		return
	}
	if t.MinBadEvents == 0 {
		b.WriteString("    There is no guard against that (low_traffic.min_bad_events is 0).\n\n")
		return
	}
	fmt.Fprintf(b, "    So an alert also wants %s bad events in its long window.", slo.FormatNumber(t.MinBadEvents))
	if t.Blind > 0 {
		fmt.Fprintf(b, " Below %s that, not the burn rate, decides when it pages;\n    below %s nothing can page.",
			perTime(t.GuardDecides), perTime(t.Blind))
	}
	b.WriteString("\n\n")
}

// perTime formats a rate in a unit that gives a readable number.
func perTime(perSecond float64) string {
	switch {
	case perSecond >= 1:
		return fmt.Sprintf("%.1f events a second", perSecond)
	case perSecond*60 >= 1:
		return fmt.Sprintf("%.1f events a minute", perSecond*60)
	}
	return fmt.Sprintf("%.1f events an hour", perSecond*3600)
}

func when(p Prediction, at Seconds) string {
	if !p.Fires {
		return "never"
	}
	return brief(at)
}

// brief formats a duration with about three digits.
func brief(s Seconds) string {
	d := time.Duration(s)
	const day = 24 * time.Hour
	switch {
	case d >= 10*365*day:
		return "years"
	case d >= 2*day:
		return fmt.Sprintf("%.1fd", d.Hours()/24)
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Millisecond)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func long(s Seconds) string { return slo.Format(time.Duration(s)) }

func percent(ratio float64) string { return compact(100*ratio) + " %" }

// compact formats a number with three significant digits.
func compact(v float64) string {
	if v == 0 {
		return "0"
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	return slo.FormatNumber(math.Round(v/unit) * unit)
}
