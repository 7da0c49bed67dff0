package schedule

import (
	"math"
	"math/rand/v2"
)

// block is the number of arrivals of a block, whose length of time is fixed. In a real
// Poisson process the number of arrivals in a fixed time is random. With a million
// arrivals, a fixed number changes the rate by an invisible amount, and 20 steps find any
// arrival.
const block = 1 << 20

// arrivals are the points of a Poisson process on [0, 1], given their number. They are then
// distributed as the order statistics of as many uniform draws. Between two known points i
// < k, the j-th point is Beta(j−i, k−j) distributed (David and Nagaraja, Order Statistics,
// 3rd ed., 2.5). So each point can be computed by bisection, without the points before it,
// and nothing needs to be stored.
type arrivals struct {
	count uint64
	seed  uint64
	block uint64
}

// at returns the n-th point, counted from 0.
func (a arrivals) at(n uint64) float64 {
	position := 0.0
	a.descend(func(m uint64, v float64) bool {
		if m == n {
			position = v
		}
		return m <= n // for m == n the search goes on, but never returns to m
	})
	return position
}

// before returns the number of points for which reached returns true. reached must return
// true for all points below some value and false for all above.
func (a arrivals) before(reached func(v float64) bool) uint64 {
	return a.descend(func(_ uint64, v float64) bool { return reached(v) })
}

// descend bisects the points until none is left. right reports whether to go on to the
// right of the middle point m with value v. descend returns the number of points to the
// left of the final position.
func (a arrivals) descend(right func(m uint64, v float64) bool) uint64 {
	low, high := uint64(0), a.count+1 // the borders; point m has index m+1
	vLow, vHigh := 0.0, 1.0
	var source rand.PCG
	draw := rand.New(&source)
	for high-low > 1 {
		mid := low + (high-low)/2
		source.Seed(mix(a.seed), mix(a.block*block+mid))
		v := vLow + (vHigh-vLow)*beta(draw, float64(mid-low), float64(high-mid))
		if right(mid-1, v) {
			low, vLow = mid, v
		} else {
			high, vHigh = mid, v
		}
	}
	return low
}

// mix spreads adjacent numbers over all 64 bits (the finalizer of SplitMix64, Steele, Lea
// and Flood, Fast splittable pseudorandom number generators, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// beta draws from Beta(a, b) as X/(X+Y) with X from Gamma(a) and Y from Gamma(b).
func beta(r *rand.Rand, a, b float64) float64 {
	x, y := gamma(r, a), gamma(r, b)
	return x / (x + y)
}

// gamma draws from Gamma(a) with scale 1, for a ≥ 1.
// Marsaglia and Tsang, A simple method for generating gamma variables, 2000.
func gamma(r *rand.Rand, a float64) float64 {
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
