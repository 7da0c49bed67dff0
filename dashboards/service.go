package dashboards

// service returns the dashboard with the details of one service.
func service() Board {
	return Board{
		UID: "service", Title: "One service",
		About:  "One service inside out: what it answers, what it needs, how full it is, what it logs.",
		picks:  []pick{choose("service", "Service", prometheusBackend, servicesOnly, "job")},
		events: timeline(),
		rows: []row{
			{"What it answers", serviceAnswers()},
			{"What it needs", serviceNeeds()},
			{"How full it is", serviceSaturation()},
			{"Its runtime", serviceRuntime()},
			{"What it tells", []panel{
				stacked(graph("Log lines", "Lines a second, by level.", "short",
					logql(`sum by (level) (rate({service_name="$service"}[$__auto]))`, "{{level}}"))),
				quiet("payment-latency", "It answered everything within 250 ms.",
					found("Its slow traces", "Traces in which it took longer than 250 ms to answer.",
						`{ resource.service.name = "$service" && kind = server && duration > 250ms }`).Span(full-third)),
				reading("Its newest lines", "Open a line to get to its trace.", `{service_name="$service"}`),
			}},
		},
	}
}

func serviceAnswers() []panel {
	const histogram = `http_server_request_duration_seconds{job="$service"}`
	const none = "This service answers no requests."
	return []panel{
		graph("Rate by route", "Requests a second.", "reqps",
			promql(`sum by (http_request_method, http_route) (rate(http_server_request_duration_seconds_count{job="$service"}[$__rate_interval]))`, "{{http_request_method}} {{http_route}}")).NoValue(none),
		graph("Rate by status", "Requests a second. 4xx are mistakes of the caller, 5xx of this service.", "reqps",
			promql(`sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{job="$service"}[$__rate_interval]))`, "{{http_response_status_code}}")).NoValue(none),
		graph("Duration", "Half, 19 of 20 and 99 of 100 requests are faster. Each dot is a request, and leads to its trace.", "s",
			examples(histogram)...).NoValue(none),
		heat("How durations spread", "Each column is a moment, each row a duration; the brighter, the more requests.", "s",
			`sum(rate(`+histogram+`[$__rate_interval]))`).NoValue(none),
		graph("Errors by route", "Share of requests answered with a server error.", "percentunit",
			promql(errorShare(`job="$service"`, "http_route"), "{{http_route}}")).NoValue(none),
		graph("Errors by version", "Share of requests that each version of the service fails. A bad canary stands out.", "percentunit",
			promql(share(`shop_served_requests_total{job="$service",outcome="error"}`, `shop_served_requests_total{job="$service"}`, "version"), "{{version}}")).NoValue(none),
	}
}

func serviceNeeds() []panel {
	const none = "This service calls no other."
	return []panel{
		graph("Calls", "Requests a second to others.", "reqps",
			promql(`sum by (peer) (rate(http_client_request_duration_seconds_count{job="$service"}[$__rate_interval]))`, "{{peer}}")).NoValue(none),
		graph("Duration of calls", "One call in twenty takes longer, until the headers of the answer.", "s",
			withExemplars(quantile(0.95, `http_client_request_duration_seconds{job="$service"}`, "peer"), "{{peer}}")).NoValue(none),
		graph("Calls that fail", "Share of calls with a server error or without an answer.", "percentunit",
			promql(share(`http_client_request_duration_seconds_count{job="$service",error_type!="",http_response_status_code!~"4.."}`,
				`http_client_request_duration_seconds_count{job="$service"}`, "peer"), "{{peer}}")).NoValue(none),
		graph("Database statements", "Statements and messages a second, from Tempo's span metrics: of the traces that were kept.", "ops",
			promql(`sum by (span_name) (rate(traces_spanmetrics_calls_total{service="$service",span_kind=~"SPAN_KIND_CLIENT|SPAN_KIND_PRODUCER"}[$__rate_interval]))`, "{{span_name}}")).
			Span(half).NoValue("This service uses neither a database nor others."),
		graph("Duration of statements", "One in twenty takes longer. The slowest part of a request is here.", "s",
			promql(bucketQuantile(0.95, `traces_spanmetrics_latency_bucket{service="$service",span_kind=~"SPAN_KIND_CLIENT|SPAN_KIND_PRODUCER"}`, "span_name"), "{{span_name}}")).
			Span(half).NoValue("This service uses neither a database nor others."),
	}
}

func serviceSaturation() []panel {
	const none = "This service has no database."
	return []panel{
		graph("Database connections", "Connections in use, and how many there may be. When they meet, requests wait.", "short",
			promql(`sum(go_sql_in_use_connections{job="$service"})`, "in use"),
			promql(`sum(go_sql_max_open_connections{job="$service"}) > 0`, "limit")).Span(quarter).NoValue(none),
		graph("Waits for a connection", "Seconds that requests waited for a connection, a second.", "s",
			promql(`sum by (db_name) (rate(go_sql_wait_duration_seconds_total{job="$service"}[$__rate_interval]))`, "{{db_name}}")).Span(quarter).NoValue(none),
		limits(graph("Processor", "Share of the processors that it may use.", "percentunit",
			promql(`sum(rate(process_cpu_seconds_total{job="$service"}[$__rate_interval])) / sum(go_sched_gomaxprocs_threads{job="$service"})`, "used")).Span(quarter),
			good, above(0.9, bad)),
		graph("Telemetry waiting", "Share of the queues' memory in use. Full, telemetry is dropped, and requests go on.", "percentunit",
			promql(`sum by (signal) (telemetry_queue_size{job="$service"}) / sum by (signal) (telemetry_queue_limit{job="$service"})`, "{{signal}}")).Span(quarter),
	}
}

func serviceRuntime() []panel {
	return []panel{
		graph("Memory", "In RAM, and of it what the program has in use.", "bytes",
			promql(`sum(process_resident_memory_bytes{job="$service"})`, "resident"),
			promql(`sum(go_memstats_heap_inuse_bytes{job="$service"})`, "heap in use"),
			promql(`sum(go_memstats_next_gc_bytes{job="$service"})`, "next collection at")).Span(quarter),
		graph("Goroutines", "Things that it does at once. A leak climbs and never falls.", "short",
			promql(`sum(go_goroutines{job="$service"})`, "goroutines")).Span(quarter),
		graph("Garbage collection", "Longest pause of late. Requests stand still meanwhile.", "s",
			promql(`max(go_gc_duration_seconds{job="$service"})`, "longest pause")).Span(quarter),
		graph("Allocations", "Bytes allocated a second: what makes garbage collection work.", "Bps",
			promql(`sum(rate(go_memstats_alloc_bytes_total{job="$service"}[$__rate_interval]))`, "allocated")).Span(quarter),
	}
}
