package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/timeseries"

// servicesOnly selects a series that every service of the shop has. It excludes drills, which use
// the same telemetry library.
const servicesOnly = `telemetry_build_info{job!="drill"}`

// toService links every series of a graph to the dashboard of its service.
func toService(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return leadsTo(p, "This service", "/d/service?var-service=${__field.labels.job}")
}

// services returns the dashboard that compares all services by rate, errors and duration.
func services() Board {
	const histogram = `http_server_request_duration_seconds{job=~"$service"}`
	return Board{
		UID: "services", Title: "Services",
		About:  "Rate, errors and duration of every service side by side, and of the calls between them.",
		picks:  []pick{several(choose("service", "Service", prometheusBackend, servicesOnly, "job"))},
		events: timeline(),
		rows: []row{
			{"What each service answers", []panel{
				toService(graph("Rate", "Requests a second that each service answers.", "reqps",
					promql(`sum by (job) (rate(http_server_request_duration_seconds_count{job=~"$service"}[$__rate_interval]))`, "{{job}}"))),
				toService(graph("Errors", "Share of requests that a service answers with an error of its own (5xx).", "percentunit",
					promql(errorShare(`job=~"$service"`, "job"), "{{job}}"))),
				toService(graph("Duration", "One request in twenty takes longer. Each dot is a request, and leads to its trace.", "s",
					withExemplars(quantile(0.95, histogram, "job"), "{{job}}"))),
			}},
			{"By route", []panel{
				grid("Routes", "Every route of every service now. Sort by a column to find the busiest, the slowest, the worst.",
					col{"requests/s", "reqps", `sum by (job, http_request_method, http_route) (rate(http_server_request_duration_seconds_count{job=~"$service"}[$__rate_interval])) > 0`},
					col{"errors", "percentunit", errorShare(`job=~"$service"`, "job, http_request_method, http_route")},
					col{"p95", "s", quantile(0.95, histogram, "job, http_request_method, http_route") + " > 0"}).
					Height(tall + low),
			}},
			{"What each service calls", []panel{
				graph("Calls", "Requests a second from one service to another. The bank tells nothing of itself: this is how it is seen.", "reqps",
					promql(`sum by (job, peer) (rate(http_client_request_duration_seconds_count{job=~"$service"}[$__rate_interval]))`, "{{job}} → {{peer}}")),
				graph("Failing calls", "Share of calls that got a server error or no answer.", "percentunit",
					promql(share(`http_client_request_duration_seconds_count{job=~"$service",error_type!="",http_response_status_code!~"4.."}`,
						`http_client_request_duration_seconds_count{job=~"$service"}`, "job, peer"), "{{job}} → {{peer}}")),
				graph("Duration of calls", "One call in twenty takes longer, as the caller sees it.", "s",
					withExemplars(quantile(0.95, `http_client_request_duration_seconds{job=~"$service"}`, "job, peer"), "{{job}} → {{peer}}")),
			}},
			{"What it takes", []panel{
				graph("Processor", "Cores that each service keeps busy.", "none",
					promql(`sum by (job) (rate(process_cpu_seconds_total{job=~"$service"}[$__rate_interval]))`, "{{job}}")),
				graph("Memory", "Memory of each service that is in RAM.", "bytes",
					promql(`sum by (job) (process_resident_memory_bytes{job=~"$service"})`, "{{job}}")),
				graph("Requests under way", "Requests that are being answered at the moment of a scrape.", "short",
					promql(`sum by (job) (http_server_active_requests{job=~"$service"})`, "{{job}}")),
			}},
		},
	}
}
