package dashboards

// loadTest returns the dashboard of load tests. It shows their effect on the shop, and whether a
// test is valid.
func loadTest() Board {
	const run = `{instance=~"$run"}`
	const response, sent, lag = "loadgen_response_duration_seconds", "loadgen_service_duration_seconds", "loadgen_dispatch_lag_seconds"
	return Board{
		UID: "load", Title: "Load test",
		About: "A running load test: what it intends and achieves, three latencies of the same requests, and its own lag.",
		picks: []pick{
			several(choose("profile", "Profile", prometheusBackend, "loadgen_run_info", "profile")),
			several(choose("run", "Run", prometheusBackend, `loadgen_run_info{profile=~"$profile"}`, "instance")),
		},
		events: timeline(),
		rows: []row{
			{"Is it true", []panel{
				number("Runs", "Load tests that run now, by profile.", "short", judged(blue),
					now(`sum by (profile) (loadgen_run_info`+run+`)`, "{{profile}}")),
				number("Behind", "Share of what the schedule wanted that has not begun. Above 0 the target or the generator cannot keep up.", "percentunit", judged(good, above(0.01, warn), above(0.05, bad)),
					now(`1 - sum(loadgen_arrivals_total`+run+`) / sum(loadgen_intended_arrivals_total`+run+`)`, "behind")),
				number("Dispatch lag", "One request in a hundred is sent later than this after it was due. If it is long, latencies are the generator's own.", "s", judged(good, above(0.01, warn), above(0.1, bad)),
					now(quantile(0.99, lag+run, ""), "p99")),
				number("Workers", "Share of the workers that are busy. At 100 % arrivals wait for one.", "percentunit", judged(good, above(0.8, warn), above(0.95, bad)),
					now(`max(loadgen_workers_busy`+run+` / loadgen_workers`+run+`)`, "busy")),
				number("Failed", "Share of requests that failed.", "percentunit", judged(good, above(0.001, warn), above(0.01, bad)),
					now(share(`loadgen_requests_total{instance=~"$run",result!="ok"}`, `loadgen_requests_total`+run, ""), "failed")),
				number("Response", "One request in a hundred takes longer, from when it was due.", "s", judged(blue),
					now(quantile(0.99, response+run, ""), "p99")),
			}},
			{"Rate", []panel{
				graph("Intended and achieved", "Arrivals a second: what the schedule wants, and what began. Where they part, the test or its target was too slow.", "reqps",
					promql(`sum(loadgen_intended_arrivals_per_second`+run+`)`, "intended"),
					promql(`sum(rate(loadgen_arrivals_total`+run+`[$__rate_interval]))`, "achieved")).Span(half),
				graph("Requests by result", "Requests a second that ended, by what came of them.", "reqps",
					promql(`sum by (result) (rate(loadgen_requests_total`+run+`[$__rate_interval]))`, "{{result}}")).Span(half),
			}},
			{"Three latencies", []panel{
				graph("At the median", "The same requests: from when they were due (what customers feel), from when they were sent, and as the gateway sees them.", "s", latencies(0.5)...),
				graph("One in twenty", "The same requests: from when they were due, from when they were sent, and as the gateway sees them.", "s", latencies(0.95)...),
				graph("One in a hundred", "The same requests: from when they were due, from when they were sent, and as the gateway sees them.", "s", latencies(0.99)...),
				heat("How responses spread", "From when a request was due until its answer; the brighter, the more.", "s",
					`sum(rate(`+response+run+`[$__rate_interval]))`),
				graph("Lag", "From when a request was due until it was sent.", "s", quantiles(lag+run)...),
				graph("Journeys", "Time from when a journey was due until its last answer; one in twenty takes longer.", "s",
					promql(quantile(0.95, "loadgen_journey_duration_seconds"+run, "scenario"), "{{scenario}}")).NoValue("The profile has no journeys."),
			}},
			{"By step", []panel{
				grid("Scenarios and steps", "Every request of the profile now.",
					col{"requests/s", "reqps", `sum by (scenario, step) (rate(loadgen_requests_total` + run + `[$__rate_interval]))`},
					col{"p95 response", "s", quantile(0.95, response+run, "scenario, step")},
					col{"p95 sent to answer", "s", quantile(0.95, sent+run, "scenario, step")},
					col{"failed/s", "reqps", `sum by (scenario, step) (rate(loadgen_requests_total{instance=~"$run",result!="ok"}[$__rate_interval]))`}),
			}},
			{"When", []panel{
				states("Load tests", "When each profile ran. The one called trickle is the background load of make up.",
					promql(`max by (profile) (loadgen_run_info)`, "{{profile}}")).Height(low + 1),
			}},
		},
	}
}

// latencies returns the latency of the same requests, measured in three places.
func latencies(q float64) []query {
	const run = `{instance=~"$run"}`
	return []query{
		withExemplars(quantile(q, "loadgen_response_duration_seconds"+run, ""), "due to answered"),
		promql(quantile(q, "loadgen_service_duration_seconds"+run, ""), "sent to answered"),
		promql(quantile(q, `http_server_request_duration_seconds{job="gateway"}`, ""), "at the gateway"),
	}
}
