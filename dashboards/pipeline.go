package dashboards

// pipeline returns the dashboard of telemetry: whether it arrives, what was lost and where, and
// what it costs.
func pipeline() Board {
	return Board{
		UID: "telemetry", Title: "Telemetry health",
		About:  "Whether telemetry arrives: what was dropped where, how scraping and rules keep up, and what each signal costs.",
		events: timeline(),
		rows: []row{
			{"What services send", servicesSend()},
			{"What backends take", backendsTake()},
			{"How Prometheus keeps up", prometheusKeepsUp()},
			{"What it costs", costs()},
		},
	}
}

func servicesSend() []panel {
	return []panel{
		graph("Lost in services", "Items a second that never left, by reason. Losing telemetry is better than losing requests.", "ops",
			promql(`sum by (signal, reason) (rate(telemetry_dropped_items_total[$__rate_interval]))`, "{{signal}}: {{reason}}")).Span(quarter),
		graph("Made and sent", "Log lines and spans a second. What is made and not sent waits or is lost.", "ops",
			promql(`sum by (signal) (rate(telemetry_enqueued_items_total[$__rate_interval]))`, "{{signal}} made"),
			promql(`sum by (signal) (rate(telemetry_exported_items_total[$__rate_interval]))`, "{{signal}} sent")).Span(quarter),
		limits(graph("Fullest queue", "Share of its memory, of the service whose queue is fullest.", "percentunit",
			promql(`max by (signal) (telemetry_queue_size / telemetry_queue_limit)`, "{{signal}}")).Span(quarter), good, above(0.9, bad)),
		graph("Duration of an export", "One batch in twenty takes longer to be accepted.", "s",
			promql(quantile(0.95, "telemetry_export_duration_seconds", "signal"), "{{signal}}")).Span(quarter),
	}
}

func backendsTake() []panel {
	return []panel{
		graph("Samples", "Samples a second that Prometheus stores, scraped and from Tempo's generator.", "ops",
			promql(`sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))`, "stored"),
			promql(`sum(rate(prometheus_remote_storage_samples_total{job="tempo"}[$__rate_interval]))`, "from Tempo")).Span(quarter),
		graph("Lines", "Log lines a second that Loki takes.", "ops",
			promql(`sum(rate(loki_distributor_lines_received_total[$__rate_interval]))`, "lines")).Span(quarter),
		graph("Spans", "Spans a second that Tempo takes.", "ops",
			promql(`sum(rate(tempo_distributor_spans_received_total[$__rate_interval]))`, "spans")).Span(quarter),
		graph("Refused", "What backends refuse, a second: lines, spans, and samples that came too late.", "ops",
			promql(`sum(rate(loki_discarded_samples_total[$__rate_interval])) or vector(0)`, "lines"),
			promql(`sum(rate(tempo_discarded_spans_total[$__rate_interval]))`, "spans"),
			promql(`sum(rate(prometheus_tsdb_too_old_samples_total[$__rate_interval]))`, "samples"),
			promql(`sum(rate(prometheus_remote_storage_samples_failed_total{job="tempo"}[$__rate_interval]))`, "samples from Tempo")).Span(quarter),
		graph("Service graph", "Edges a second that Tempo's generator completes, and that it gives up because one end never came.", "ops",
			promql(`sum(rate(tempo_metrics_generator_processor_service_graphs_edges[$__rate_interval]))`, "edges"),
			promql(`sum(rate(tempo_metrics_generator_processor_service_graphs_expired_edges[$__rate_interval]))`, "given up")),
		graph("Notifications", "What Prometheus sent to Alertmanager and could not send, and what Alertmanager could not deliver, a second.", "ops",
			promql(`sum(rate(prometheus_notifications_sent_total[$__rate_interval]))`, "sent"),
			promql(`sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))`, "not sent"),
			promql(`sum(rate(alertmanager_notifications_failed_total[$__rate_interval]))`, "not delivered")),
		grid("Scraped", "Every target now: whether it answers, how long it takes, how many samples it gives.",
			col{"up", "short", `max by (job, instance) (up)`},
			col{"duration", "s", `max by (job, instance) (scrape_duration_seconds)`},
			col{"samples", "short", `max by (job, instance) (scrape_samples_scraped)`}).Span(third),
	}
}

func prometheusKeepsUp() []panel {
	return []panel{
		graph("Duration of scrapes", "The slowest target of each job. Beyond the scrape's interval samples are missing.", "s",
			promql(`max by (job) (scrape_duration_seconds)`, "{{job}}")).Span(quarter),
		graph("Duration of rule groups", "The five slowest groups. Beyond a group's interval alerts come late.", "s",
			promql(`topk(5, max by (rule_group) (prometheus_rule_group_last_duration_seconds))`, "{{rule_group}}")).Span(quarter),
		graph("Rules in trouble", "Evaluations a second that failed or were left out.", "ops",
			promql(`sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))`, "failed"),
			promql(`sum(rate(prometheus_rule_group_iterations_missed_total[$__rate_interval]))`, "left out")).Span(quarter),
		graph("Series", "Series in memory. A steep climb is a label without bounds.", "short",
			promql(`sum(prometheus_tsdb_head_series)`, "in memory")).Span(quarter),
	}
}

func costs() []panel {
	const backends = `job=~"prometheus|loki|tempo|alertmanager"`
	return []panel{
		graph("Processor", "Cores that each backend keeps busy.", "none",
			promql(`sum by (job) (rate(process_cpu_seconds_total{`+backends+`}[$__rate_interval]))`, "{{job}}")),
		graph("Memory", "Memory of each backend that is in RAM.", "bytes",
			promql(`sum by (job) (process_resident_memory_bytes{`+backends+`})`, "{{job}}")),
		graph("Bytes taken", "What arrives at Loki and Tempo, before compression.", "Bps",
			promql(`sum(rate(loki_distributor_bytes_received_total[$__rate_interval]))`, "logs"),
			promql(`sum(rate(tempo_distributor_bytes_received_total[$__rate_interval]))`, "traces")),
		graph("Per customer's request", "Lines, spans and samples that one request at the gateway makes. Samples are scraped whether or not there are requests.", "short",
			perRequest(`loki_distributor_lines_received_total`, "lines"),
			perRequest(`tempo_distributor_spans_received_total`, "spans"),
			perRequest(`prometheus_tsdb_head_samples_appended_total`, "samples")).Span(half),
		graph("Bytes per customer's request", "What one request at the gateway makes of logs and traces, before compression.", "bytes",
			perRequest(`loki_distributor_bytes_received_total`, "logs"),
			perRequest(`tempo_distributor_bytes_received_total`, "traces")).Span(half),
	}
}

// perRequest returns the query of a counter's rate divided by the rate of customers' requests.
func perRequest(counter, legend string) query {
	return promql(`sum(rate(`+counter+`[$__rate_interval])) / (sum(rate(http_server_request_duration_seconds_count{job="gateway"}[$__rate_interval])) > 0)`, legend)
}
