package dashboards

import (
	"fmt"
	"strings"

	"firedrill/alerts/slo"
)

// firing selects the alerts that matter. It excludes Watchdog, which always fires to prove that
// alerts arrive.
const firing = `ALERTS{alertstate="firing",severity!="none"}`

// start returns the first dashboard: what Firedrill is, its state, and links to the other
// dashboards.
func start() Board {
	return Board{
		UID: "start", Title: "Start here",
		About:  "What Firedrill is, the state of everything, and where to look next.",
		events: timeline(),
		rows: []row{
			{"Firedrill", []panel{
				prose("A fire drill for observability", "What this is, and a map of the dashboards.", welcome()).Span(full),
			}},
			{"How the shop does", []panel{
				number("Requests", "Requests a second that customers make: those that the gateway answers.", "reqps", judged(blue),
					promql(`sum(rate(http_server_request_duration_seconds_count{job="gateway"}[$__rate_interval]))`, "requests")),
				number("Failed", "Share of the customers' requests that end with a server error.", "percentunit", judged(good, above(0.001, warn), above(0.01, bad)),
					promql(errorShare(`job="gateway"`, ""), "failed")),
				number("Slow", "One request in twenty takes longer than this.", "s", judged(good, above(0.25, warn), above(1, bad)),
					promql(quantile(0.95, `http_server_request_duration_seconds{job="gateway"}`, ""), "p95")),
				number("Orders", "Orders confirmed a second.", "ops", judged(blue),
					promql(`sum(rate(shop_orders_total{outcome="confirmed"}[$__rate_interval]))`, "orders")),
				number("Least budget left", "Of all error budgets the one that has least left. At 0 % its objective is missed.", "percentunit",
					judged(bad, above(0, warn), above(0.25, good)), now("min("+slo.SeriesBudgetRemaining+")", "budget")),
				number("Alerts", "Alerts that fire now, without the one that always does.", "short", judged(good, above(1, bad)),
					now("count("+firing+") or vector(0)", "firing")),
			}},
			{"How the stack does", []panel{
				number("Up", "What can be scraped, and so what can be seen. A word, not only a colour, tells.", "short", judged(bad, above(1, good)),
					now(`max by (job) (up)`, "{{job}}")).
					Span(full - 2*sixth).Mappings(mapped("0", "down", "1", "up")),
				number("Telemetry lost", "Spans and log lines that services dropped, over the time shown.", "short", judged(good, above(1, warn)),
					now(`sum(increase(telemetry_dropped_items_total[$__range]))`, "dropped")),
				number("Alerts arrive", "Watchdog always fires. When it does not, nobody would hear of anything else.", "short", judged(bad, above(1, good)),
					now(`count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)`, "Watchdog")).
					Mappings(mapped("0", "no", "1", "yes")),
			}},
			{"Now", []panel{
				graph("Customers' requests", "Requests a second at the gateway, by what became of them.", "reqps",
					promql(`sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{job="gateway"}[$__rate_interval]))`, "{{http_response_status_code}}")).Span(half),
				quiet("total-outage", "No alert fires while all is well.",
					grid("Firing alerts", "Alerts that fire now. The dashboard SLOs shows those of objectives, docs/runbooks what to do.",
						col{"alerts", "short", "sum by (alertname, severity, service, slo) (" + firing + ")"}).Span(half)),
			}},
		},
	}
}

// welcome returns the text of the first dashboard.
func welcome() string {
	var list strings.Builder
	for _, b := range []Board{services(), service(), slos(), checkout(), traces(), logLines(), loadTest(), drills(), pipeline()} {
		fmt.Fprintf(&list, "- [%s](/d/%s): %s\n", b.Title, b.UID, b.About)
	}
	return `Firedrill is a small shop of instrumented services beside a real Prometheus, Alertmanager, Loki and Tempo. Drive load through
it, break it, and see in every signal what happened. The ways from one signal to the next: a dot in a latency graph is a
request, and leads to its **trace**; a span leads to its **log lines** and to the **metrics** of its service; a log line
leads to its **trace**. Red marks in graphs are faults that a drill made, orange ones alerts.

` + list.String() + `
Begin with ` + "`make verify`" + `, then break something: ` + "`firedrill drill list`" + `.`
}
