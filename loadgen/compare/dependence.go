package compare

import "math"

// Corrections for what blocks miss.
//
// Blocks of L slots preserve only the dependence within a block. Assume that the score of a slot (how much it pulls θ up or
// down) has the correlation ρ with the score of the next slot, as in a first-order autoregressive process. Then the
// variance of a mean is F = (1+ρ)/(1-ρ) times the variance for independent slots, and blocks preserve F -
// 2ρ(1-ρ^L)/(L(1-ρ)²) of that. The standard error is multiplied by the square root of the ratio. A second factor corrects
// for the mean of each stage, which was subtracted from the scores of its slots. ρ is estimated from the scores and
// corrected for its bias of -(1+3ρ)/n (M. G. Kendall, Biometrika 41, 1954). The idea is the same as in prewhitening (D. W.
// K. Andrews, J. C. Monahan, Econometrica 60, 1992).
//
// A standard error is itself an estimate, so normal quantiles are too small. Its degrees of freedom are computed from the
// fourth moments of the scores as in F. E. Satterthwaite, Biometrics Bulletin 2, 1946: df = 2(ΣD²)²/(ΣD⁴-(ΣD²)²/n). This is
// n for normal scores, and small if a few slots dominate. Dependence divides it by F, or by L if that is greater, because
// there are n/L blocks. One degree is subtracted for the mean of each stage.

// maxCorrelation is the greatest correlation that is corrected for. With a greater one, a run is too
// short for a conclusion.
const maxCorrelation = 0.95

// minFreedom is the minimum degrees of freedom. It limits the width of an interval if a single slot dominates. The draws
// show such a slot anyway, because some contain it and some do not.
const minFreedom = 4

// scores returns how much each slot pulls θ up or down, up to a constant factor.
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

// below returns how many latencies of the slot are at most value.
func (s *scope) below(sl *slot, value float64) float64 {
	n := 0.0
	for _, b := range sl.buckets {
		low, high := s.lows[b.index], s.highs[b.index]
		n += b.count * max(0, min(1, (value-low)/(high-low)))
	}
	return n
}

// center subtracts the mean of each stratum from its scores.
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

// allowance is the correction of an interval for dependence.
type allowance struct {
	onError    float64 // factor on the standard error
	onCritical float64 // factor on the critical value, computed for the normal quantile z
	effective  float64 // number of independent slots with the same information
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
	rho += 1.5 * math.Sqrt(max(0, 1-rho*rho)/n) // plus its standard errors: rather too wide than too narrow
	rho = max(0, min(maxCorrelation, rho))
	full := (1 + rho) / (1 - rho)
	kept := full - 2*rho*(1-math.Pow(rho, length))/(length*(1-rho)*(1-rho))
	centred := max(0.5, 1-full*parts/n)
	freedom := 2 * squares * squares / max(fourths-squares*squares/n, squares*squares/n) / max(full, length)
	return allowance{math.Sqrt(full / kept / centred), student(z, max(minFreedom, freedom-parts)) / z, n / full}
}
