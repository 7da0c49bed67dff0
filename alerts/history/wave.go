package history

import (
	"math"
	"math/rand/v2"
	"time"

	"firedrill/alerts/slo"
)

// wave is the relative traffic of a service over the day, with a mean of 1. It is higher at noon
// than at night, and drifts at random.
type wave struct {
	random *rand.Rand
	perDay float64 // samples per day
	drift  float64
}

func newWave(random *rand.Rand, c slo.Clock) *wave {
	return &wave{random: random, perDay: c.Wall(24*time.Hour).Seconds() / c.Interval.Seconds()}
}

const (
	daily     = 0.45  // difference of noon and midnight from the mean
	wander    = 0.002 // standard deviation of the drift's change per sample
	remembers = 0.995 // share of the drift that remains after one sample
)

func (w *wave) at(sample int) float64 {
	w.drift = w.drift*remembers + wander*w.random.NormFloat64()
	return max(0.05, 1-daily*math.Cos(2*math.Pi*float64(sample)/w.perDay)+w.drift)
}
