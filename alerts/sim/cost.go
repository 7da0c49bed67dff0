package sim

import "time"

// cost returns how many samples per second Prometheus reads for the rules, if every counter has
// that many series. It includes rules that no alert depends on.
func cost(all []*rule, scrape time.Duration, series int) float64 {
	perSecond := 0.0
	for i, r := range all {
		perSecond += r.cost(all[:i], scrape, series)
	}
	return perSecond
}

// cost returns the samples per second that one rule reads.
func (r *rule) cost(before []*rule, scrape time.Duration, series int) float64 {
	samples := 0
	for _, s := range r.reads {
		samples += samplesRead(before, s, scrape, series)
	}
	return float64(samples) / r.every.Seconds()
}

// samplesRead returns how many samples a selector reads in one evaluation.
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
