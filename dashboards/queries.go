package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
)

// query is a query of a backend. The panel assigns its letter.
type query struct {
	backend backend
	legend  string // name of a series; {{label}} stands for the label's value
	target  func(letter string) cog.Builder[variants.Dataquery]
}

// promql returns a query for series over the dashboard's time range.
func promql(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Range() })
}

// withExemplars is like promql, with exemplars: single requests that link to their traces.
func withExemplars(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Range().Exemplar(true) })
}

// now is like promql, but an instant query at the end of the dashboard's time range.
func now(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Instant() })
}

// column is like now, for a column of a table.
func column(expr string) query {
	return metrics(expr, "", func(q *prometheus.DataqueryBuilder) { q.Instant().Format(prometheus.PromQueryFormatTable) })
}

// cells is like promql, for a heat map of a native histogram.
func cells(expr string) query {
	return metrics(expr, "", func(q *prometheus.DataqueryBuilder) { q.Range().Format(prometheus.PromQueryFormatHeatmap) })
}

func metrics(expr, legend string, refine func(*prometheus.DataqueryBuilder)) query {
	return query{prometheusBackend, legend, func(letter string) cog.Builder[variants.Dataquery] {
		q := prometheus.NewDataqueryBuilder().
			Datasource(prometheusBackend.ref()).
			EditorMode(prometheus.QueryEditorModeCode).
			Expr(expr).
			RefId(letter)
		if legend != "" {
			q.LegendFormat(legend)
		}
		refine(q)
		return q
	}}
}

// mostLines is the maximum number of lines that a panel shows.
const mostLines = 200

// logql returns a Loki query for series computed from log lines, over the dashboard's time range.
func logql(expr, legend string) query {
	return lines(expr, legend, func(q *loki.DataqueryBuilder) { q.LegendFormat(legend) })
}

// newest returns a Loki query for the newest log lines.
func newest(expr string) query {
	return lines(expr, "", func(q *loki.DataqueryBuilder) { q.MaxLines(mostLines) })
}

func lines(expr, legend string, refine func(*loki.DataqueryBuilder)) query {
	return query{lokiBackend, legend, func(letter string) cog.Builder[variants.Dataquery] {
		q := loki.NewDataqueryBuilder().
			Datasource(lokiBackend.ref()).
			EditorMode(loki.QueryEditorModeCode).
			Expr(expr).
			QueryType("range").
			RefId(letter)
		refine(q)
		return q
	}}
}

// mostTraces is the maximum number of traces that a panel lists or a graph links to.
const mostTraces = 20

// traceql returns a Tempo query for traces that contain matching spans.
func traceql(text string) query {
	return spans("traceql", "", func(q *tempo.TempoQueryBuilder) {
		q.Query(text).Limit(mostTraces).TableType(tempo.SearchTableTypeTraces)
	})
}

// traceqlByService returns a Tempo query for series computed from spans, one per service. Grafana
// names each series after its service.
func traceqlByService(text string) query {
	const service = "resource.service.name"
	return spans("traceql", "{{"+service+"}}", func(q *tempo.TempoQueryBuilder) {
		q.Query(text + " by (" + service + ")").MetricsQueryType(tempo.MetricsQueryTypeRange).Exemplars(mostTraces)
	})
}

// serviceMap returns a query for the service graph. Grafana draws it from metrics that Tempo's
// generator wrote to Prometheus.
func serviceMap() query {
	return spans("serviceMap", "", func(*tempo.TempoQueryBuilder) {})
}

func spans(kind, legend string, refine func(*tempo.TempoQueryBuilder)) query {
	return query{tempoBackend, legend, func(letter string) cog.Builder[variants.Dataquery] {
		q := tempo.NewTempoQueryBuilder().Datasource(tempoBackend.ref()).QueryType(kind).Filters(nil).RefId(letter)
		refine(q)
		return q
	}}
}
