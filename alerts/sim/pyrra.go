package sim

import (
	"fmt"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// pyrraWindow is one line of Pyrra's table. Windows and hold times are fixed fractions of the
// period, rounded to minutes. For four weeks they are round numbers.
type pyrraWindow struct {
	severity          slo.Severity
	long, short, hold time.Duration // for a period of four weeks
	burn              float64
}

// pyrraWindows returns the table of Pyrra's defaults.
// https://github.com/pyrra-dev/pyrra, slo/rules.go, Windows.
func pyrraWindows() []pyrraWindow {
	return []pyrraWindow{
		{slo.Page, time.Hour, 5 * time.Minute, 2 * time.Minute, 14},
		{slo.Page, 6 * time.Hour, 30 * time.Minute, 15 * time.Minute, 7},
		{slo.Ticket, day, 2 * time.Hour, time.Hour, 2},
		{slo.Ticket, 4 * day, 6 * time.Hour, 3 * time.Hour, 1},
	}
}

// pyrraInterval is the time between two evaluations of Pyrra's rules. For rules over the whole
// period it is five times as long if the period is four weeks or more.
const pyrraInterval = 30 * time.Second

// pyrra returns the rules of Pyrra's formulas for an indicator of the kind ratio.
func pyrra(s slo.SLO) RuleSet {
	set := RuleSet{Name: "pyrra", About: "Pyrra's formulas, defaults"}
	period := slo.Workbook().Period
	scaled := func(d time.Duration) time.Duration {
		const fourWeeks = 28 * day
		return (period / (fourWeeks / d)).Round(time.Minute)
	}
	labels := map[string]string{"slo": s.Name}
	increase := rules.Group{Name: s.Name + "-increase", Interval: 5 * pyrraInterval}
	for _, metric := range []string{SeriesAll, SeriesBad} {
		increase.Rules = append(increase.Rules, rules.Rule{
			Record: metric + ":increase" + slo.Format(period), Labels: labels,
			Expr: fmt.Sprintf("sum(increase(%s[%s]))", metric, slo.Format(period)),
		})
	}
	increase.Rules = append(increase.Rules, rules.Rule{
		Alert: "SLOMetricAbsent", Expr: fmt.Sprintf("absent(%s) == 1", SeriesAll), For: scaled(2 * time.Minute),
		Labels: map[string]string{"slo": s.Name, "severity": "critical"},
	})
	group := rules.Group{Name: s.Name, Interval: pyrraInterval}
	series := func(w time.Duration) string { return "simulated_requests:burnrate" + slo.Format(w) }
	recorded := map[time.Duration]bool{}
	var alerts []rules.Rule
	for _, w := range pyrraWindows() {
		long, short, hold := scaled(w.long), scaled(w.short), scaled(w.hold)
		for _, window := range []time.Duration{short, long} {
			if !recorded[window] {
				recorded[window] = true
				group.Rules = append(group.Rules, rules.Rule{Record: series(window), Expr: errorRatio(window), Labels: labels})
			}
		}
		threshold := fmt.Sprintf("(%.f * (1-%s))", w.burn, slo.FormatNumber(1-s.Budget()))
		name := map[slo.Severity]string{slo.Page: "critical", slo.Ticket: "warning"}[w.severity]
		alerts = append(alerts, rules.Rule{
			Alert: "ErrorBudgetBurn", For: hold,
			Expr: fmt.Sprintf("%s{slo=%q} > %s and %s{slo=%q} > %s",
				series(short), s.Name, threshold, series(long), s.Name, threshold),
			Labels: map[string]string{"slo": s.Name, "severity": name, "long": slo.Format(long), "short": slo.Format(short)},
		})
		set.Model = append(set.Model, Model{
			Severity: w.severity, Every: pyrraInterval,
			Alert: slo.Alert{Pairs: []slo.Pair{{Long: long, Short: short, Burn: w.burn}}, For: hold},
		})
	}
	group.Rules = append(group.Rules, alerts...)
	set.Text = render(increase, group)
	return set
}
