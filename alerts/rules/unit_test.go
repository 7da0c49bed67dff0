package rules_test

import (
	"math"
	"testing"
	"time"

	"firedrill/alerts/slo"
)

// The recorded series are events per second, whatever unit the queries use. The low-traffic guard
// needs the number of events.
func TestRecordedEventsArePerSecond(t *testing.T) {
	for name, replace := range map[string][]string{
		"rate":     nil,
		"increase": {"rate(", "increase("},
		"a minute": {"[{{.window}}]))", "[{{.window}}])) * 60"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, spec(t, replace...), slo.Workshop())
			r.run(30*time.Second, requests(90, 10))
			for series, want := range map[string]float64{
				series(slo.SeriesBadEvents(5 * time.Minute)): 10, series(slo.SeriesTotalEvents(5 * time.Minute)): 100,
				series(slo.SeriesErrorRatio(5 * time.Minute)): 0.1,
			} {
				if got := r.value(series); math.Abs(got-want) > 1e-9*want {
					t.Errorf("%s is %v, want %v", series, got, want)
				}
			}
		})
	}
}
