package dashboards

// logLines returns the dashboard of logs. It shows the amount of logs and the errors in them. Each
// line links to its trace.
func logLines() Board {
	const chosenLines = `{service_name=~"$service",level=~"$level"}`
	return Board{
		UID: "logs", Title: "Logs",
		About: "How much is logged by whom, errors and warnings, and the way from a line to its trace and back.",
		picks: []pick{
			several(choose("service", "Service", lokiBackend, "", "service_name")).AllValue(".+"),
			several(choose("level", "Level", lokiBackend, "", "level")).AllValue(".+"),
			typed("text", "Contains"),
			typed("trace", "Trace id"),
		},
		events: []event{faultTimes(), alertTimes("")},
		rows: []row{
			{"How much", []panel{
				stacked(graph("Lines by level", "Lines a second.", "short",
					logql(`sum by (level) (rate(`+chosenLines+`[$__auto]))`, "{{level}}"))),
				stacked(graph("Lines by service", "Lines a second. Each request is a line of each service that it passes.", "short",
					logql(`sum by (service_name) (rate(`+chosenLines+`[$__auto]))`, "{{service_name}}"))),
				stacked(graph("Bytes by service", "What the lines weigh, before compression.", "Bps",
					logql(`sum by (service_name) (bytes_rate(`+chosenLines+`[$__auto]))`, "{{service_name}}"))),
			}},
			{"What goes wrong", []panel{
				quiet("total-outage", "Nobody logs warnings or errors.",
					graph("Warnings and errors", "Lines a second, by what they say.", "short",
						logql(`sum by (service_name, message) (rate({service_name=~"$service",level=~"warn|error"} | json message="msg" [$__auto]))`, "{{service_name}}: {{message}}")).Span(half)),
				graph("Requests by status", "Requests that the log tells of, a second. The status is read from the line: metrics know it cheaper.", "reqps",
					logql(`sum by (status) (rate({service_name=~"$service",level=~"info|error"} |= "\"status\":" | json status="status" [$__auto]))`, "{{status}}")).Span(half),
				quiet("total-outage", "Nobody logs warnings or errors.",
					reading("Newest warnings and errors", "Open a line to get to its trace.", `{service_name=~"$service",level=~"warn|error"}`)),
			}},
			{"Read", []panel{
				reading("Lines", "Lines of the chosen services and levels that contain the text above and belong to the trace above; without either, all.",
					chosenLines+" |= `$text` | trace_id=~`$trace.*`").Height(2 * tall),
			}},
		},
	}
}
