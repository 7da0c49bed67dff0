package rules

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"firedrill/alerts/slo"
)

// Names of the alerts that every objective has. An objective names its burn-rate alert itself.
const (
	AlertAbsent = "SLIAbsent"        // an objective has no data
	AlertSpent  = "ErrorBudgetSpent" // the budget of a period is spent
)

// How long SLIAbsent waits before it fires. A service that restarts has no data for a moment. A
// restart takes as long at every scale, so the floor is not scaled.
const (
	absentFor      = 5 * time.Minute
	absentForFloor = 30 * time.Second
)

// pages returns the alerts that are evaluated with the short windows.
func (b builder) pages() []Rule {
	var all []Rule
	if a := b.Policy.Page; len(a.Pairs) > 0 && !b.slo.Alerting.Page.Disable {
		all = append(all, b.burning(slo.Page, a, b.slo.Alerting.Page))
	}
	if severity, wanted := absentSeverity(b.slo); wanted {
		all = append(all, b.absent(severity))
	}
	return all
}

// absentSeverity returns the severity of SLIAbsent: the highest severity of the objective's enabled
// alerts. wanted is false if all are disabled.
func absentSeverity(s slo.SLO) (severity slo.Severity, wanted bool) {
	switch {
	case !s.Alerting.Page.Disable:
		return slo.Page, true
	case !s.Alerting.Ticket.Disable:
		return slo.Ticket, true
	}
	return "", false
}

// tickets returns the alerts that are evaluated with the long windows.
func (b builder) tickets() []Rule {
	if b.slo.Alerting.Ticket.Disable {
		return nil
	}
	var all []Rule
	if a := b.Policy.Ticket; len(a.Pairs) > 0 {
		all = append(all, b.burning(slo.Ticket, a, b.slo.Alerting.Ticket))
	}
	return append(all, b.spent())
}

// burning returns the burn-rate alert of one severity.
func (b builder) burning(severity slo.Severity, a slo.Alert, meta slo.AlertMeta) Rule {
	var pairs []string
	for _, p := range a.Pairs {
		pairs = append(pairs, "(\n"+indent(b.pair(p))+"\n)")
	}
	r := b.alert(b.slo.Alerting.Name, severity, strings.Join(pairs, "\nor\n"))
	r.For, r.KeepFiring = b.Clock.Wall(a.For), b.Clock.Wall(a.KeepFiring)
	r.Annotations["summary"] = fmt.Sprintf("%s of %s: the error budget burns {{ $value | printf \"%%.1f\" }} times too fast", b.slo.Name, b.slo.Service)
	r.Annotations["description"] = b.describe(a)
	maps.Copy(r.Labels, meta.Labels)
	maps.Copy(r.Annotations, meta.Annotations)
	return r
}

// pair returns the condition of one pair of windows, including the low-traffic guard.
func (b builder) pair(p slo.Pair) string {
	burn := slo.FormatNumber(p.Burn)
	expr := fmt.Sprintf("%s > %s\nand\n%s > %s",
		b.series(slo.SeriesBurnRate(p.Long)), burn, b.series(slo.SeriesBurnRate(p.Short)), burn)
	if b.slo.MinBadEvents > 0 {
		// Half an event less: rates are extrapolated and seldom give a whole number of events.
		expr += fmt.Sprintf("\nand\n%s * %s > %s",
			b.series(slo.SeriesBadEvents(p.Long)), b.seconds(p.Long), slo.FormatNumber(b.slo.MinBadEvents-0.5))
	}
	return expr
}

// absent returns the alert that fires while the error ratio is unknown. No other alert of the
// objective can fire then.
func (b builder) absent(severity slo.Severity) Rule {
	r := b.alert(AlertAbsent, severity, b.unknown())
	r.For = max(b.Clock.Wall(absentFor), absentForFloor)
	r.Annotations["summary"] = fmt.Sprintf("%s of %s cannot be measured", b.slo.Name, b.slo.Service)
	r.Annotations["description"] = fmt.Sprintf("The queries of events have had no result for %s: a service is down or not scraped, or a metric has gone or has another name. No other alert of this objective can fire.", slo.Format(r.For)) + b.scaleRemark()
	r.Annotations["runbook"] = runbook(AlertAbsent)
	return r
}

// hadEvents is how far back to look for events, in SLO time. It distinguishes an idle service from
// a broken indicator.
const hadEvents = 6 * time.Hour

// unknown returns the expression that is true while the error ratio is unknown. A service that is
// scraped and has had no event for hours is idle, because its series appear with its first event. A
// service that is not scraped is not idle. Neither is one whose series have just disappeared.
func (b builder) unknown() string {
	expr := fmt.Sprintf("absent(%s)", b.series(slo.SeriesErrorRatio(b.windows[0])))
	job, ok := b.slo.SLI.Job()
	if !ok { // the job that exposes the series is unknown
		return expr
	}
	measured := strings.TrimSuffix(b.selector, "}") + "," + slo.LabelSynthetic + `=""}`
	return fmt.Sprintf("%s\nunless on ()\n(\n  max(up{%s}) == 1\n  unless on ()\n  max_over_time(%s%s[%s]) > 0\n)",
		expr, job, slo.SeriesTotalEvents(b.windows[0]), measured, b.wall(hadEvents))
}

func (b builder) spent() Rule {
	expr := fmt.Sprintf("1 - %s >= 1", b.series(slo.SeriesBudgetRemaining))
	if b.slo.MinBadEvents > 0 {
		expr += fmt.Sprintf("\nand\n%s * %s > %s",
			b.series(slo.SeriesBadEvents(b.Policy.Period)), b.seconds(b.Policy.Period), slo.FormatNumber(b.slo.MinBadEvents-0.5))
	}
	r := b.alert(AlertSpent, slo.Ticket, expr)
	r.Annotations["summary"] = fmt.Sprintf("%s of %s: the error budget is spent", b.slo.Name, b.slo.Service)
	r.Annotations["description"] = fmt.Sprintf("{{ $value | humanizePercentage }} of the errors that %s %% over %s allows have happened. Only what leaves the window gives budget back.",
		slo.FormatNumber(b.slo.Objective), slo.Format(b.Policy.Period)) + b.scaleRemark()
	r.Annotations["runbook"] = runbook(AlertSpent)
	return r
}

// alert returns a rule with the labels and annotations that all alerts of the objective share.
func (b builder) alert(name string, severity slo.Severity, expr string) Rule {
	labels := map[string]string{"severity": string(severity)}
	maps.Copy(labels, b.labels)
	if b.slo.Owner != "" {
		labels["owner"] = b.slo.Owner
	}
	maps.Copy(labels, b.slo.Alerting.Labels)
	annotations := map[string]string{"dashboard": b.slo.Dashboard, "runbook": b.slo.Runbook}
	if b.slo.Traces != "" {
		annotations["traces"] = b.slo.Traces
	}
	maps.Copy(annotations, b.slo.Alerting.Annotations)
	return Rule{Alert: name, Expr: expr, Labels: labels, Annotations: annotations}
}

// describe returns the description of a burn-rate alert: the objective, the burn rate, and the
// remaining budget.
func (b builder) describe(a slo.Alert) string {
	var windows []string
	for _, p := range a.Pairs {
		windows = append(windows, fmt.Sprintf("%sx over %s and %s", slo.FormatNumber(p.Burn), slo.Format(p.Long), slo.Format(p.Short)))
	}
	text := b.slo.Description
	if text != "" {
		text += " "
	}
	remaining := fmt.Sprintf("{{ with query %s }}{{ . | first | value | humanizePercentage }}{{ else }}an unknown part{{ end }}",
		quoteTemplate(b.series(slo.SeriesBudgetRemaining)))
	return text + fmt.Sprintf("The objective is %s %% over %s; errors are {{ $value | printf \"%%.1f\" }} times as frequent as that allows (this alert: %s). Of the budget, %s is left.",
		slo.FormatNumber(b.slo.Objective), slo.Format(b.Policy.Period), strings.Join(windows, ", or "), remaining) + b.scaleRemark()
}

// scaleRemark returns a remark about the time scale, so that an alert of a workshop is not mistaken
// for one of production. It is empty at scale 1.
func (b builder) scaleRemark() string {
	if b.Clock.Scale == 1 {
		return ""
	}
	return fmt.Sprintf(" Time runs at scale %s: an hour of the objective is %s.",
		slo.FormatScale(b.Clock.Scale), b.wall(time.Hour))
}

// runbook returns the path of an alert's runbook in the repository.
func runbook(alert string) string { return "docs/runbooks/" + alert + ".md" }

// quoteTemplate quotes a string for use in a Prometheus template.
func quoteTemplate(s string) string { return "`" + s + "`" }

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
