package slo

import (
	"strings"
	"testing"
	"time"
)

func TestPerSecondOf(t *testing.T) {
	const unknown = "the query does not show whether it counts events per second or events in the window"
	for _, tc := range []struct {
		query string
		unit  Unit
		want  string // over 5m
		err   string
	}{
		{query: `sum(rate(x[{{.window}}]))`, want: `sum(rate(x[5m]))`},
		{query: `sum(rate(x[{{.window}}])) * 60`, want: `(sum(rate(x[5m])) * 60) / 60`},
		{query: `60 * sum(rate(x[{{.window}}]))`, want: `(60 * sum(rate(x[5m]))) / 60`},
		{query: `sum(rate(x[{{.window}}]) / 1000)`, want: `(sum(rate(x[5m]) / 1000)) / 0.001`},
		{query: `sum(sum_over_time(x[{{.window}}]))`, want: `(sum(sum_over_time(x[5m]))) / 300`},
		{query: `sum(count_over_time(x[{{.window}}]))`, want: `(sum(count_over_time(x[5m]))) / 300`},
		{query: `sum_over_time((count(x < 0.75))[{{.window}}:])`, want: `(sum_over_time((count(x < 0.75))[5m:])) / 300`},
		{query: `sum(increase(x[{{.window}}]))`, want: `(sum(increase(x[5m]))) / 300`},
		{query: `sum(rate(x[{{.window}}])) or vector(0)`, want: `sum(rate(x[5m])) or vector(0)`},
		{query: `sum(sum_over_time(x[{{.window}}])) - sum(sum_over_time(y[{{.window}}]))`, want: `(sum(sum_over_time(x[5m])) - sum(sum_over_time(y[5m]))) / 300`},
		{query: `clamp_min(sum(rate(x[{{.window}}])), 0)`, want: `clamp_min(sum(rate(x[5m])), 0)`},
		{query: `sum(rate(x[{{.window}}])) > 0`, want: `sum(rate(x[5m])) > 0`},
		{query: `sum(avg_over_time(x[{{.window}}]))`, err: unknown},
		{query: `sum(avg_over_time(x[{{.window}}]))`, unit: PerSecond, want: `sum(avg_over_time(x[5m]))`},
		{query: `sum(avg_over_time(x[{{.window}}]))`, unit: PerWindow, want: `(sum(avg_over_time(x[5m]))) / 300`},
		{query: `sum(rate(x[{{.window}}])) - sum(sum_over_time(y[{{.window}}]))`, err: unknown},
		{query: `sum(rate(x[{{.window}}])) * sum(rate(y[{{.window}}]))`, err: unknown},
		{query: `sum(rate(x[{{.window}}]))`, unit: PerWindow, err: "the query counts per_second, and unit says per_window"},
		{query: `sum(rate(x[{{.window}}])) * -1`, err: "want a factor above 0"},
		{query: `sum(rate(x[{{.window}}])) * 0`, err: "want a factor above 0"},
	} {
		got, err := perSecondOf(tc.query, tc.unit)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s (%s): error %v, want %q", tc.query, tc.unit, err, tc.err)
			}
			continue
		}
		if err == nil {
			got, err = expand(got, 5*time.Minute)
		}
		if err != nil || got != tc.want {
			t.Errorf("%s (%s): %s, %v; want %s", tc.query, tc.unit, got, err, tc.want)
		}
	}
}

func TestUnitKey(t *testing.T) {
	const file = `version: prometheus/v1
service: shop
slos:
  - name: ok
    objective: 99
    sli:
      %sevents:
        error_query: sum(avg_over_time(bad[{{.window}}]))
        total_query: sum(avg_over_time(all[{{.window}}]))
`
	for unit, want := range map[string]string{
		"":                            "slos[0].sli.events.error_query: the query does not show",
		"unit: per_window\n      ":    "",
		"unit: per_fortnight\n      ": `slos[0].sli.unit: "per_fortnight": want per_second or per_window`,
	} {
		spec, err := Parse("s.yaml", []byte(strings.Replace(file, "%s", unit, 1)))
		switch {
		case want == "" && (err != nil || spec.SLOs[0].SLI.Bad != "(sum(avg_over_time(bad[{{.window}}]))) / {{.seconds}}"):
			t.Errorf("%q: %v, %+v", unit, err, spec)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want %q", unit, err, want)
		}
	}
}
