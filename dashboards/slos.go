package dashboards

import (
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"firedrill/alerts/slo"
)

// Selector and grouping of the recorded series of the selected objectives. Synthetic history has
// one more label than measured data, and only one of both exists at any time.
const (
	chosen    = `{service=~"$service",slo=~"$slo",scale=~"$scale"}`
	objective = "service, slo"
)

func recorded(series string) string { return "max by (" + objective + ") (" + series + chosen + ")" }

// slos returns the dashboard of error budgets, burn rates and their alerts. Alerts link to it by
// its UID and the variables service and slo.
func slos() Board {
	policy := slo.Default()
	return Board{
		UID: "slo", Title: "SLOs",
		About: "Error budgets: what is left, how fast it burns over each window, when it is spent, and the alerts that follow.",
		from:  "now-1h",
		picks: []pick{
			several(choose("service", "Service", prometheusBackend, slo.SeriesObjective, slo.LabelService)),
			several(choose("slo", "Objective", prometheusBackend, slo.SeriesObjective+`{service=~"$service"}`, slo.LabelSLO)),
			choose("scale", "Scale", prometheusBackend, slo.SeriesObjective, slo.LabelScale),
		},
		events: []event{faultTimes(), alertTimes(`,slo!="",service=~"$service",slo=~"$slo"`)},
		rows: []row{
			{"Objectives", []panel{
				grid("All objectives", "Windows are in the objective's time: at scale 60 an hour of it is a minute on the wall. Made-up history counts too.",
					col{"objective", "percentunit", recorded(slo.SeriesObjective)},
					col{"budget left", "percentunit", recorded(slo.SeriesBudgetRemaining)},
					col{"burn rate, 1 h", "suffix:×", recorded(slo.SeriesBurnRate(policy.Page.Pairs[0].Long))},
					col{"spent in", "s", recorded(slo.SeriesTimeToExhaustion)}),
			}},
			{"Budget", []panel{
				limits(graph("Budget left", "1 is untouched; at 0 the objective is missed.", "percentunit",
					promql(recorded(slo.SeriesBudgetRemaining), "{{service}} {{slo}}")).Span(half), bad, above(0, good)),
				graph("Time until it is spent", "On the wall, if errors go on as in the last hour. At most one period.", "s",
					promql(recorded(slo.SeriesTimeToExhaustion), "{{service}} {{slo}}")).Span(half),
			}},
			{"How fast it burns", []panel{
				limits(graph("Burn rate by window", fmt.Sprintf("How many times too fast the worst of the chosen objectives burns. An alert fires when a long window and its short one are over their line: %s.", pairs(policy)),
					"suffix:×", burnRates(policy)...).Span(half), good, burnLimits(policy)...),
				graph("Burn rate by objective", "The hour's window, which decides about pages.", "suffix:×",
					promql(recorded(slo.SeriesBurnRate(policy.Page.Pairs[0].Long)), "{{service}} {{slo}}")).Span(half),
			}},
			{"What is counted", []panel{
				graph("Errors", "Share of bad events over the short window of pages.", "percentunit",
					promql(recorded(slo.SeriesErrorRatio(policy.Page.Pairs[0].Short)), "{{service}} {{slo}}")).Span(half),
				graph("Events", "Events a second on the wall, good and bad. Few events make ratios jump.", "ops",
					promql(recorded(slo.SeriesTotalEvents(policy.Page.Pairs[0].Short)), "{{service}} {{slo}}")).Span(half),
			}},
			{"Alerts", []panel{
				quiet("total-outage", "No alert about an objective was pending or fired.",
					states("Alerts on the timeline", "When each alert about the chosen objectives was pending or firing.",
						promql(`max by (alertname, severity, service, slo, alertstate) (ALERTS{slo!="",service=~"$service",slo=~"$slo"})`,
							"{{service}} {{slo}} {{severity}} {{alertstate}}"))),
			}},
		},
	}
}

// burnRates returns one query per window, the shortest window first.
func burnRates(p slo.Policy) []query {
	var all []query
	for _, w := range p.Windows() {
		all = append(all, promql("max("+slo.SeriesBurnRate(w)+chosen+")", slo.Format(w)))
	}
	return all
}

// burnLimits returns the burn rates at which alerts fire, in ascending order.
func burnLimits(p slo.Policy) []dashboard.Threshold {
	var all []dashboard.Threshold
	for _, a := range []slo.Alert{p.Ticket, p.Page} {
		colour := warn
		if len(all) > 0 {
			colour = bad
		}
		for _, pair := range slices.Backward(a.Pairs) {
			all = append(all, above(pair.Burn, colour))
		}
	}
	return all
}

// pairs returns the conditions of the alerts as text.
func pairs(p slo.Policy) string {
	text := ""
	for _, a := range []slo.Alert{p.Page, p.Ticket} {
		for _, pair := range a.Pairs {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%s× over %s and %s", slo.FormatNumber(pair.Burn), slo.Format(pair.Long), slo.Format(pair.Short))
		}
	}
	return text
}
