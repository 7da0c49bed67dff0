package dashboards

import "firedrill/alerts/slo"

// drills returns the dashboard of drills. It shows faults above what users noticed, on one time
// axis.
func drills() Board {
	short := slo.Default().Page.Pairs[0].Short
	return Board{
		UID: "drills", Title: "Drills",
		About:  "What a drill broke and when, above what users noticed and which alerts said so, on one time axis.",
		events: timeline(),
		rows: []row{
			{"What was broken", []panel{
				quiet("total-outage", "No drill breaks anything.",
					states("Faults", "When each fault was at work. A mystery drill tells when it is over.",
						promql(activeFaults, "{{drill}}: {{kind}} on {{target}}")).Height(tall)),
				quiet("total-outage", "No drill runs.",
					states("Drills", "When each drill ran.", promql(`max by (drill) (drill_active)`, "{{drill}}")).Height(low+1)),
			}},
			{"What users noticed", []panel{
				graph("Errors of each objective", "Share of bad events over the short window.", "percentunit",
					promql("max by ("+objective+") ("+slo.SeriesErrorRatio(short)+")", "{{service}} {{slo}}")).Span(full),
				graph("Burn rate of each objective", "How many times too fast its budget burns, over the short window.", "suffix:×",
					promql("max by ("+objective+") ("+slo.SeriesBurnRate(short)+")", "{{service}} {{slo}}")).Span(full),
				graph("Customers' requests", "Requests a second at the gateway, by what became of them.", "reqps",
					promql(`sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{job="gateway"}[$__rate_interval]))`, "{{http_response_status_code}}")),
				graph("Duration", "One request in twenty takes longer, by service.", "s",
					withExemplars(quantile(0.95, "http_server_request_duration_seconds", "job"), "{{job}}")),
				graph("Orders", "Orders a second, by outcome.", "ops",
					promql(`sum by (outcome) (rate(shop_orders_total[$__rate_interval]))`, "{{outcome}}")),
			}},
			{"Who said so", []panel{
				quiet("total-outage", "No alert was pending or fired.",
					states("Alerts", "When each alert was pending or firing.",
						promql(`max by (alertname, service, slo, severity, alertstate) (ALERTS{severity!="none"})`, "{{alertname}} {{service}} {{slo}} {{severity}} {{alertstate}}"))),
				graph("Notifications", "Notifications a second that Alertmanager sent, and tries that failed.", "ops",
					promql(`sum(rate(alertmanager_notifications_total{integration="webhook"}[$__rate_interval]))`, "sent"),
					promql(`sum(rate(alertmanager_notifications_failed_total{integration="webhook"}[$__rate_interval]))`, "failed")).Span(half),
				graph("Up", "Programs that can be scraped.", "short",
					promql(`count(up == 1)`, "up"), promql(`count(up)`, "known")).Span(half),
			}},
			{"What it says", []panel{
				quiet("total-outage", "No drill told anything in this time.",
					reading("Events of drills", "What the runner did and saw, as it happened.", drillEvents)),
			}},
		},
	}
}
