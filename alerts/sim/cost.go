package sim

import "time"

// cost is how many samples Prometheus reads a second for the rules, if each counter
// is so many series. All rules count, those that nothing fires on too.
func cost(all []*rule, scrape time.Duration, series int) float64 {
	perSecond := 0.0
	for i, r := range all {
		perSecond += r.cost(all[:i], scrape, series)
	}
	return perSecond
}

// cost is that of one rule.
func (r *rule) cost(before []*rule, scrape time.Duration, series int) float64 {
	samples := 0
	for _, s := range r.reads {
		samples += samplesRead(before, s, scrape, series)
	}
	return float64(samples) / r.every.Seconds()
}

// samplesRead is how many a selector takes at one evaluation.
func samplesRead(before []*rule, s read, scrape time.Duration, series int) int {
	every, count := scrape, series
	for _, by := range before {
		if by.records(s) {
			every, count = by.every, 1
			break
		}
	}
	if s.window == 0 {
		return count
	}
	return count * int(s.window/every)
}
