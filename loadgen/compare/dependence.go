package compare

import "math"

// What blocks miss.
//
// Blocks of L slots keep the dependence within a block only. Where a slot's score (how much it pulls θ up or down) has
// the correlation ρ with the next one's, as in a first-order autoregressive process, the variance of a mean is
// F = (1+ρ)/(1-ρ) times that of independent slots, of which blocks keep F - 2ρ(1-ρ^L)/(L(1-ρ)²). The standard error is
// corrected by the root of what is missing; so it is for the mean that each stage's slots were centred at. ρ is
// estimated from the scores and corrected for its bias of -(1+3ρ)/n (M. G. Kendall, Biometrika 41, 1954). The idea is
// that of prewhitening (D. W. K. Andrews, J. C. Monahan, Econometrica 60, 1992).
//
// A standard error is itself an estimate, so normal quantiles are too small. Its degrees of freedom come from the scores'
// fourth moments as in F. E. Satterthwaite, Biometrics Bulletin 2, 1946: df = 2(ΣD²)²/(ΣD⁴-(ΣD²)²/n), which is n for normal
// scores and few when few slots decide. Dependence divides them by F, or by L if that is more, as there are n/L blocks;
// one is lost for each stage's mean.

// maxCorrelation is the strongest dependence that is corrected for; beyond it a run is too short to tell.
const maxCorrelation = 0.95

// minFreedom keeps an interval from growing without bound when a single slot decides; the draws show such a slot anyway,
// as they take it or leave it.
const minFreedom = 4

// scores are how much each slot pulls θ, up to a factor.
func (s *scope) scores(quantile float64, a, b sums, slots int) []float64 {
	list := make([]float64, slots)
	for _, part := range []struct {
		run   run
		total sums
		sign  float64
	}{{s.a, a, -1}, {s.b, b, 1}} {
		value := s.measure(part.total, quantile)
		for i := range part.run.slots {
			sl := &part.run.slots[i]
			score := sl.failed - value*sl.due
			if quantile > 0 {
				score = quantile*sl.due - s.below(sl, value)
			}
			list[i] += part.sign * score / part.total.due
		}
	}
	return list
}

// below is how many of the slot's latencies are at most value.
func (s *scope) below(sl *slot, value float64) float64 {
	n := 0.0
	for _, b := range sl.buckets {
		low, high := s.lows[b.index], s.highs[b.index]
		n += b.count * max(0, min(1, (value-low)/(high-low)))
	}
	return n
}

// center takes the mean of each stratum from the scores.
func center(scores []float64, strata []stratum) {
	for _, s := range strata {
		mean := 0.0
		for _, v := range scores[s.begin:s.end] {
			mean += v / float64(s.end-s.begin)
		}
		for i := s.begin; i < s.end; i++ {
			scores[i] -= mean
		}
	}
}

// allowance is what dependence does to an interval.
type allowance struct {
	onError    float64 // factor on the standard error
	onCritical float64 // factor on the critical value that would be the normal quantile z
	effective  float64 // as many independent slots would tell as much
}

func allowFor(scores []float64, strata []stratum, z float64) allowance {
	center(scores, strata)
	n, parts, length := float64(len(scores)), float64(len(strata)), 0.0
	for _, s := range strata {
		length += float64(s.length*(s.end-s.begin)) / n
	}
	var squares, fourths, products float64
	for _, s := range strata {
		for i := s.begin; i < s.end; i++ {
			square := scores[i] * scores[i]
			squares, fourths = squares+square, fourths+square*square
			if i > s.begin {
				products += scores[i] * scores[i-1]
			}
		}
	}
	if squares == 0 {
		return allowance{1, 1, n}
	}
	rho := products / squares
	rho += (1 + 3*rho) * parts / n
	rho += 1.5 * math.Sqrt(max(0, 1-rho*rho)/n) // its own standard errors: too wide rather than too narrow
	rho = max(0, min(maxCorrelation, rho))
	full := (1 + rho) / (1 - rho)
	kept := full - 2*rho*(1-math.Pow(rho, length))/(length*(1-rho)*(1-rho))
	centred := max(0.5, 1-full*parts/n)
	freedom := 2 * squares * squares / max(fourths-squares*squares/n, squares*squares/n) / max(full, length)
	return allowance{math.Sqrt(full / kept / centred), student(z, max(minFreedom, freedom-parts)) / z, n / full}
}
