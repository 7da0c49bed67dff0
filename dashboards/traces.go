package dashboards

// traces returns the dashboard of traces: which service calls which, and which requests to look at.
func traces() Board {
	const edges = "client, server"
	return Board{
		UID: "traces", Title: "Traces",
		About: "Who calls whom, the slowest and the failing traces, and figures made of spans.",
		picks: []pick{
			several(choose("service", "Service", prometheusBackend, "traces_spanmetrics_calls_total", "service")),
			oneOf("slower", "Slower than", "250ms", "20ms", "50ms", "100ms", "1s"),
		},
		events: timeline(),
		rows: []row{
			{"Who calls whom", []panel{
				graphOfServices("Service graph", "Made of spans: also who tells nothing of itself is there, by the name that its callers give it. The ring shows the share of errors."),
				grid("Calls", "Every edge of the graph now. Only traces that were kept count.",
					col{"calls/s", "reqps", `sum by (client, server, connection_type) (rate(traces_service_graph_request_total[$__rate_interval]))`},
					col{"p95, as the caller sees it", "s", bucketQuantile(0.95, "traces_service_graph_request_client_seconds_bucket", edges+", connection_type")},
					col{"p95, as the called sees it", "s", bucketQuantile(0.95, "traces_service_graph_request_server_seconds_bucket", edges+", connection_type")}).Span(half),
				graph("Failing calls", "Share of an edge's calls that failed. The bank's declined cards count, as spans of a client do from 400 on.", "percentunit",
					promql(share("traces_service_graph_request_failed_total", "traces_service_graph_request_total", edges), "{{client}} → {{server}}")).Span(half),
			}},
			{"Which to look at", []panel{
				quiet("payment-latency", "Nothing was that slow.",
					found("Slow", "Traces in which a service took longer than chosen to answer.",
						`{ resource.service.name =~ "$service" && kind = server && duration > $slower }`)),
				found("Failing", "Traces with a span that failed. A card that the bank declines is one.",
					`{ resource.service.name =~ "$service" && status = error }`).NoValue("Nothing failed."),
				found("Through the queue", "Traces that cross the broker: a checkout, and the shipping that followed it.",
					`{ resource.service.name = "orders" && kind = producer } && { resource.service.name = "shipping" && kind = consumer }`).
					NoValue("None is whole yet: Tempo joins what came at different times when it completes a block.").Span(full),
			}},
			{"Figures made of spans", []panel{
				graph("Spans that answer", "Server spans a second: TraceQL, not metrics of services.", "reqps",
					traceqlByService(`{ resource.service.name =~ "$service" && kind = server } | rate()`)),
				graph("Their duration", "One in twenty takes longer. Each dot is a trace.", "s",
					traceqlByService(`{ resource.service.name =~ "$service" && kind = server } | quantile_over_time(duration, .95)`)),
				graph("Spans that fail", "Spans with an error a second, by service.", "reqps",
					traceqlByService(`{ resource.service.name =~ "$service" && status = error } | rate()`)),
				graph("Database statements", "Statements a second, by database. Ten for one page instead of one is the sign of N+1 queries.", "ops",
					traceqlByService(`{ resource.service.name =~ "$service" && span.db.system.name != nil } | rate()`)).Span(half),
				graph("Statements by kind", "Statements and messages a second, from Tempo's span metrics.", "ops",
					promql(`sum by (span_name) (rate(traces_spanmetrics_calls_total{service=~"$service",span_kind!="SPAN_KIND_SERVER"}[$__rate_interval]))`, "{{span_name}}")).Span(half),
			}},
		},
	}
}
