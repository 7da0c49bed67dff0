package slo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The labels of every recorded series. Windows in the names of series are in SLO time, so that
// dashboards and runbooks are the same at every scale.
const (
	LabelService = "service"
	LabelSLO     = "slo"
	LabelScale   = "scale"
	// LabelSynthetic marks synthetic history. Its value is "true".
	LabelSynthetic = "synthetic"
)

// Recorded series without a window.
const (
	SeriesBudgetRemaining  = "slo:budget_remaining:ratio"     // 1 is untouched, 0 is spent, below 0 is overspent
	SeriesTimeToExhaustion = "slo:time_to_exhaustion:seconds" // in wall-clock time, at the burn rate of the last hour; at most one period
	SeriesObjective        = "slo:objective:ratio"            // 0.999 for 99.9 %
)

// SeriesBadEvents returns the name of the series of bad events per second of wall-clock time over a
// window.
func SeriesBadEvents(window time.Duration) string { return "slo:bad_events:rate" + Format(window) }

// SeriesTotalEvents returns the name of the series of all events per second of wall-clock time over
// a window.
func SeriesTotalEvents(window time.Duration) string { return "slo:total_events:rate" + Format(window) }

// SeriesErrorRatio returns the name of the series of bad events per event. Its value is 0 if there
// are no events.
func SeriesErrorRatio(window time.Duration) string { return "slo:error_ratio:rate" + Format(window) }

// SeriesBurnRate returns the name of the series of the burn rate over a window. Missing history
// counts as error-free.
func SeriesBurnRate(window time.Duration) string { return "slo:burn_rate:rate" + Format(window) }

// Labels returns the labels of the objective's recorded series at a scale.
func (s SLO) Labels(scale float64) map[string]string {
	return map[string]string{LabelService: s.Service, LabelSLO: s.Name, LabelScale: FormatScale(scale)}
}

// Selector returns the PromQL matchers, in braces, of the objective's series at a scale.
func (s SLO) Selector(scale float64) string {
	return fmt.Sprintf("{%s=%q,%s=%q,%s=%q}",
		LabelService, s.Service, LabelSLO, s.Name, LabelScale, FormatScale(scale))
}

// FormatScale returns the value of the label "scale".
func FormatScale(scale float64) string { return FormatNumber(scale) }

// FormatNumber formats a number in short form, without an exponent: 14.4, 0.001.
func FormatNumber(v float64) string {
	const precision = 12
	s := strconv.FormatFloat(v, 'g', precision, 64)
	if strings.ContainsRune(s, 'e') {
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return s
}
