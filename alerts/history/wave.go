package history

import (
	"math"
	"math/rand/v2"
	"time"

	"firedrill/alerts/slo"
)

// wave is how busy a service is over the day, around 1: more at noon than at
// night, and never twice the same.
type wave struct {
	random *rand.Rand
	perDay float64 // samples
	drift  float64
}

func newWave(random *rand.Rand, c slo.Clock) *wave {
	return &wave{random: random, perDay: c.Wall(24*time.Hour).Seconds() / c.Interval.Seconds()}
}

const (
	daily     = 0.45  // how far noon and midnight are from the mean
	wander    = 0.002 // how much the drift changes a sample
	remembers = 0.995 // how much of the drift stays
)

func (w *wave) at(sample int) float64 {
	w.drift = w.drift*remembers + wander*w.random.NormFloat64()
	return max(0.05, 1-daily*math.Cos(2*math.Pi*float64(sample)/w.perDay)+w.drift)
}
