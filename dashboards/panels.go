package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Sizes in cells of Grafana's grid, which is 24 wide.
const (
	full, half, third, quarter, sixth = 24, 12, 8, 6, 4

	tall, low = 8, 4
)

// letter returns the name of a panel's query by its index.
func letter(i int) string { return string(rune('A' + i)) }

// source returns the data source of a panel, which all its queries share.
func source(queries []query) common.DataSourceRef { return queries[0].backend.ref() }

// graph returns a panel that shows series over time.
func graph(title, about, unit string, queries ...query) *timeseries.PanelBuilder {
	p := timeseries.NewPanelBuilder().
		Title(title).Description(about).Unit(unit).
		Span(third).Height(tall).
		Datasource(source(queries)).
		LineWidth(1).FillOpacity(8).AxisSoftMin(0).
		ShowPoints(common.VisibilityModeNever).
		ColorScheme(shades()).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).ShowLegend(true).
			Calcs([]string{"lastNotNull", "max"})).
		Tooltip(allSeries())
	for i, q := range queries {
		p.WithTarget(q.target(letter(i)))
	}
	for _, s := range coloursOf(queries) {
		if queries[0].backend == tempoBackend { // Tempo puts some names into quotation marks
			p.OverrideByRegexp("/"+s.name+"/", fixed(s.colour))
			continue
		}
		p.OverrideByName(s.name, fixed(s.colour))
	}
	return p
}

// allSeries returns a tooltip that lists all series at one time, the largest first.
func allSeries() *common.VizTooltipOptionsBuilder {
	return common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)
}

// stacked stacks the series of a graph.
func stacked(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	const mostOpaque = 60
	return p.FillOpacity(mostOpaque).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
}

// limits adds lines to a graph at which its values become bad.
func limits(p *timeseries.PanelBuilder, base string, at ...dashboard.Threshold) *timeseries.PanelBuilder {
	return p.Thresholds(judged(base, at...)).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

// leadsTo links every point of a graph to a dashboard with the same time range.
func leadsTo(p *timeseries.PanelBuilder, title, path string) *timeseries.PanelBuilder {
	return p.DataLinks([]cog.Builder[dashboard.DashboardLink]{
		dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Url(path + "&${__url_time_range}"),
	})
}

// number returns a panel that shows the newest value of each series, coloured by thresholds.
func number(title, about, unit string, thresholds *dashboard.ThresholdsConfigBuilder, queries ...query) *stat.PanelBuilder {
	p := stat.NewPanelBuilder().
		Title(title).Description(about).Unit(unit).
		Span(sixth).Height(low).
		Datasource(source(queries)).
		Thresholds(thresholds).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		ColorMode(common.BigValueColorModeValue).
		GraphMode(common.BigValueGraphModeNone).
		Orientation(common.VizOrientationAuto).
		ReduceOptions(newestValue())
	for i, q := range queries {
		p.WithTarget(q.target(letter(i)))
	}
	return p
}

func newestValue() *common.ReduceDataOptionsBuilder {
	return common.NewReduceDataOptionsBuilder().Values(false).Calcs([]string{"lastNotNull"})
}

// bars returns a panel that compares the newest values of series.
func bars(title, about, unit string, queries ...query) *bargauge.PanelBuilder {
	p := bargauge.NewPanelBuilder().
		Title(title).Description(about).Unit(unit).
		Span(half).Height(tall).
		Datasource(source(queries)).
		Min(0).
		Orientation(common.VizOrientationHorizontal).
		DisplayMode(common.BarGaugeDisplayModeBasic).
		ValueMode(common.BarGaugeValueModeText).
		NamePlacement(common.BarGaugeNamePlacementAuto).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(blue)).
		ReduceOptions(newestValue())
	for i, q := range queries {
		p.WithTarget(q.target(letter(i)))
	}
	return p
}

// heat returns a panel that shows the distribution of a native histogram over time.
func heat(title, about, unit, expr string) *heatmap.PanelBuilder {
	const steps = 64
	q := cells(expr)
	return heatmap.NewPanelBuilder().
		Title(title).Description(about).Unit(unit).
		Span(third).Height(tall).
		Datasource(q.backend.ref()).
		Color(heatmap.NewHeatmapColorOptionsBuilder().
			Mode(heatmap.HeatmapColorModeScheme).Scheme(heatScheme).Steps(steps).
			Scale(heatmap.HeatmapColorScaleExponential).Exponent(0.5).Fill(blue)).
		ExemplarsColor(vermillion).
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle)).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit)).
		WithTarget(q.target(letter(0)))
}

// states returns a panel that shows when each series was above zero.
func states(title, about string, q query) *statetimeline.PanelBuilder {
	return statetimeline.NewPanelBuilder().
		Title(title).Description(about).Unit("short").
		Span(full).Height(tall).
		Datasource(q.backend.ref()).
		ShowValue(common.VisibilityModeNever).
		MergeValues(true).
		Tooltip(allSeries()).
		Thresholds(judged(blue, above(1, vermillion))).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		Mappings(mapped("0", "no", "1", "yes")).
		WithTarget(q.target(letter(0)))
}

// words returns a mapping that replaces values by words.
func words(of map[string]string) dashboard.ValueMapping {
	m := dashboard.NewValueMap()
	for value, word := range of {
		m.Options[value] = dashboard.ValueMappingResult{Text: &word}
	}
	return dashboard.ValueMapping{ValueMap: m}
}

// reading returns a panel that shows log lines, the newest first.
func reading(title, about, expr string) *logs.PanelBuilder {
	q := newest(expr)
	return logs.NewPanelBuilder().
		Title(title).Description(about).
		Span(full).Height(tall).
		Datasource(q.backend.ref()).
		ShowTime(true).WrapLogMessage(true).EnableLogDetails(true).
		SortOrder(common.LogsSortOrderDescending).
		DedupStrategy(common.LogsDedupStrategyNone).
		WithTarget(q.target(letter(0)))
}

// prose returns a panel that shows text in Markdown.
func prose(title, about, markdown string) *text.PanelBuilder {
	return text.NewPanelBuilder().Title(title).Description(about).
		Span(full).Height(tall).
		Mode(text.TextModeMarkdown).Content(markdown)
}

// Quiet marks a panel that is empty while all is well.
type Quiet struct {
	Drill string // drill that fills the panel
	Why   string // sentence that explains why it is empty otherwise
}

// quietPanel is a panel that is empty until a drill runs.
type quietPanel struct {
	panel
	Quiet
}

// quiet marks a panel as empty while all is well. The panel shows the reason and the drill while it
// has no data.
func quiet(drill, why string, p panel) panel { return quietPanel{p, Quiet{drill, why}} }

func (q quietPanel) Build() (dashboard.Panel, error) {
	p, err := q.panel.Build()
	if p.FieldConfig == nil {
		p.FieldConfig = dashboard.NewFieldConfigSource()
	}
	note := fmt.Sprintf("%s Try: firedrill drill run %s", q.Why, q.Drill)
	p.FieldConfig.Defaults.NoValue = &note
	return p, err
}
