package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/nodegraph"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// col is a column of a table. It contains the current value of a query for the labels of each row.
type col struct{ name, unit, expr string }

// grid returns a table with one row for each set of labels. All queries must keep the same labels.
func grid(title, about string, cols ...col) *table.PanelBuilder {
	p := table.NewPanelBuilder().
		Title(title).Description(about).Unit("short").
		Span(full).Height(tall).
		Datasource(prometheusBackend.ref()).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(blue))
	names := map[string]string{}
	for i, c := range cols {
		p.WithTarget(column(c.expr).target(letter(i)))
		field := "Value #" + letter(i)
		if len(cols) == 1 {
			field = "Value"
		}
		names[field] = c.name
		p.OverrideByName(c.name, []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}})
	}
	return p.
		WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]bool{"Time": true},
			"renameByName":  names,
		}}).
		SortBy([]cog.Builder[common.TableSortByFieldState]{common.NewTableSortByFieldStateBuilder().DisplayName(cols[0].name).Desc(true)})
}

// found returns a table of the traces that a TraceQL query selects. Each row links to its trace.
func found(title, about, query string) *table.PanelBuilder {
	q := traceql(query)
	return table.NewPanelBuilder().
		Title(title).Description(about).
		Span(half).Height(tall).
		Datasource(q.backend.ref()).
		WithTarget(q.target(letter(0)))
}

// graphOfServices returns a panel that shows which service calls which.
func graphOfServices(title, about string) *nodegraph.PanelBuilder {
	q := serviceMap()
	return nodegraph.NewPanelBuilder().
		Title(title).Description(about).
		Span(full).Height(tall + low).
		Datasource(q.backend.ref()).
		WithTarget(q.target(letter(0)))
}
