package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
)

// query is a question to a backend. It gets its letter from the panel.
type query struct {
	backend backend
	legend  string // names a series, with {{label}} for a label's value
	target  func(letter string) cog.Builder[variants.Dataquery]
}

// promql asks for series over the dashboard's time.
func promql(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Range() })
}

// withExemplars is promql whose histograms show single requests as well, each a
// link to its trace.
func withExemplars(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Range().Exemplar(true) })
}

// now is promql for the end of the dashboard's time only.
func now(expr, legend string) query {
	return metrics(expr, legend, func(q *prometheus.DataqueryBuilder) { q.Instant() })
}

// column is now, as a column of a table.
func column(expr string) query {
	return metrics(expr, "", func(q *prometheus.DataqueryBuilder) { q.Instant().Format(prometheus.PromQueryFormatTable) })
}

// cells is promql for a heat map of native histograms.
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

// mostLines is how many lines a panel shows.
const mostLines = 200

// logql asks Loki for series made from lines, over the dashboard's time.
func logql(expr, legend string) query {
	return lines(expr, legend, func(q *loki.DataqueryBuilder) { q.LegendFormat(legend) })
}

// newest asks Loki for the newest lines.
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

// mostTraces is how many traces a panel lists, and how many a graph links to.
const mostTraces = 20

// traceql asks Tempo for traces that have spans as described.
func traceql(text string) query {
	return spans("traceql", "", func(q *tempo.TempoQueryBuilder) {
		q.Query(text).Limit(mostTraces).TableType(tempo.SearchTableTypeTraces)
	})
}

// traceqlByService asks Tempo for series made from spans, one a service. Grafana
// names them by it.
func traceqlByService(text string) query {
	const service = "resource.service.name"
	return spans("traceql", "{{"+service+"}}", func(q *tempo.TempoQueryBuilder) {
		q.Query(text + " by (" + service + ")").MetricsQueryType(tempo.MetricsQueryTypeRange).Exemplars(mostTraces)
	})
}

// serviceMap asks for the service graph, which Grafana makes of metrics that
// Tempo's generator wrote to Prometheus.
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
