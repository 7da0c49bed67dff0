package history

import (
	"time"

	"firedrill/alerts/slo"
)

// series is one recorded series. The field every is the number of evaluations from one sample to
// the next.
type series struct {
	name   string
	every  int
	values []float64
}

// derived returns the other series that the rules would have recorded, besides bad and total
// events. Dashboards show the past with them.
func derived(s slo.SLO, o Options, p past) []series {
	apart := min(o.Clock.Wall(o.Policy.Period)/derivedSamples, longestApart)
	every := max(1, int(apart/o.Clock.Interval))
	bad, total := prefix(p.bad), prefix(p.total)
	pick := func(name string, at func(i int) float64) series {
		out := series{name: name, every: every}
		for i := 0; i < len(p.total); i += every {
			out.values = append(out.values, at(i))
		}
		return out
	}
	var all []series
	for _, w := range o.Policy.Windows() {
		samples := int(o.Clock.Wall(w) / o.Clock.Interval)
		ratio := func(i int) float64 { return window(bad, i, samples) / window(total, i, samples) }
		burn := func(i int) float64 { return ratio(i) / s.Budget() * min(1, float64(i+1)/float64(samples)) }
		all = append(all, pick(slo.SeriesErrorRatio(w), ratio), pick(slo.SeriesBurnRate(w), burn))
		if w == o.Policy.Period {
			all = append(all, pick(slo.SeriesBudgetRemaining, func(i int) float64 { return 1 - burn(i) }))
		}
	}
	return all
}

// A dashboard shows at most derivedSamples points of a whole period. Prometheus considers a series
// ended after five minutes without a sample.
const (
	derivedSamples = 2880
	longestApart   = 4 * time.Minute
)

// prefix returns prefix sums: element i is the sum of the first i values.
func prefix(values []float64) []float64 {
	sums := make([]float64, len(values)+1)
	for i, v := range values {
		sums[i+1] = sums[i] + v
	}
	return sums
}

// window returns the sum over a window of samples that ends with sample i.
func window(sums []float64, i, samples int) float64 {
	return sums[i+1] - sums[max(0, i+1-samples)]
}
