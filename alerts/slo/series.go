package slo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The labels of every recorded series. Windows in the names of series are in the
// objective's time, so that dashboards and runbooks are the same at every scale.
const (
	LabelService = "service"
	LabelSLO     = "slo"
	LabelScale   = "scale"
	// LabelSynthetic is on history that was made up, with the value "true".
	LabelSynthetic = "synthetic"
)

// Recorded series that have no window.
const (
	SeriesBudgetRemaining  = "slo:budget_remaining:ratio"     // 1 untouched, 0 spent, below 0 overspent
	SeriesTimeToExhaustion = "slo:time_to_exhaustion:seconds" // on the wall, at the burn rate of the last hour; at most one period
	SeriesObjective        = "slo:objective:ratio"            // 0.999 for 99.9 %
)

// SeriesBadEvents names the series of bad events a second, on the wall, over a window.
func SeriesBadEvents(window time.Duration) string { return "slo:bad_events:rate" + Format(window) }

// SeriesTotalEvents names the series of all events a second, on the wall, over a window.
func SeriesTotalEvents(window time.Duration) string { return "slo:total_events:rate" + Format(window) }

// SeriesErrorRatio names the series of bad events per event; 0 without events.
func SeriesErrorRatio(window time.Duration) string { return "slo:error_ratio:rate" + Format(window) }

// SeriesBurnRate names the series of how many times too fast the budget burns. Time of
// which nothing is known counts as free of errors.
func SeriesBurnRate(window time.Duration) string { return "slo:burn_rate:rate" + Format(window) }

// Labels are those of the objective's recorded series at a scale.
func (s SLO) Labels(scale float64) map[string]string {
	return map[string]string{LabelService: s.Service, LabelSLO: s.Name, LabelScale: FormatScale(scale)}
}

// Selector picks the objective's series in PromQL.
func (s SLO) Selector(scale float64) string {
	return fmt.Sprintf("{%s=%q,%s=%q,%s=%q}",
		LabelService, s.Service, LabelSLO, s.Name, LabelScale, FormatScale(scale))
}

// FormatScale is the value of the label "scale".
func FormatScale(scale float64) string { return FormatNumber(scale) }

// FormatNumber writes a number as a person would: 14.4, 0.001.
func FormatNumber(v float64) string {
	const precision = 12
	s := strconv.FormatFloat(v, 'g', precision, 64)
	if strings.ContainsRune(s, 'e') {
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return s
}
