package observe

import (
	"context"
	"math"
	"regexp"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/chaos/run"
)

// Chart is a chart for the report.
type Chart struct {
	Title  string
	Unit   string // as for run.Chart
	PromQL string
	Legend string // name of each series, with {label} in it
}

// points is the maximum number of points of a line. A report is not wider.
const points = 400

// DefaultCharts returns charts of load, indicators and budgets. They use the metric names
// of the load generator and of the rules of objectives.
func DefaultCharts() []Chart {
	return []Chart{
		{"Requests at the edge, a second", "", `sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{job="gateway"}[5s]))`, "{http_response_status_code}"},
		{"Bad events (SLI, over 5 minutes of the objective)", "%", `slo:error_ratio:rate5m`, "{service} {slo}"},
		{"Burn rate (over two hours of the objective)", "×", `slo:burn_rate:rate2h`, "{service} {slo}"},
		{"Error budget left", "%", `slo:budget_remaining:ratio`, "{service} {slo}"},
	}
}

// Charts implements run.Charter.
func (e *Eyes) Charts(ctx context.Context, begin, end time.Time) []run.Chart {
	step := max(time.Second, (end.Sub(begin) / points).Truncate(time.Second))
	var out []run.Chart
	for _, c := range e.config.Charts {
		chart := run.Chart{Title: c.Title, Unit: c.Unit}
		matrix, err := e.prometheus.QueryRange(ctx, c.PromQL, begin, end, step)
		if err != nil {
			chart.Error = err.Error()
		}
		for _, series := range matrix {
			line := run.Line{Name: legend(c.Legend, func(label string) string { return string(series.Metric[model.LabelName(label)]) })}
			for _, v := range series.Values {
				if value := float64(v.Value); !math.IsNaN(value) && !math.IsInf(value, 0) {
					line.Points = append(line.Points, run.Point{At: v.Timestamp.Time(), Value: value})
				}
			}
			chart.Lines = append(chart.Lines, line)
		}
		out = append(out, chart)
	}
	return out
}

var label = regexp.MustCompile(`\{([^}]*)\}`)

func legend(format string, value func(label string) string) string {
	return label.ReplaceAllStringFunc(format, func(found string) string { return value(found[1 : len(found)-1]) })
}
