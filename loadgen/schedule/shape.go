package schedule

import (
	"math"
	"time"
)

// Shape is the rate over the length of a stage. Rates are in requests a second, times in
// seconds since the start of the stage. Expected and Instant are inverse functions, and
// both are increasing.
type Shape interface {
	Seconds() float64           // length of the stage; +Inf: until stopped
	Rate(t float64) float64     // rate at t
	Expected(t float64) float64 // requests in [0, t]: the integral of Rate
	Instant(n float64) float64  // time at which Expected reaches n
}

// Linear changes linearly from one rate to another. With equal rates it is constant.
type Linear struct {
	From, To float64
	For      time.Duration
}

// Forever is the length of a stage that runs until it is stopped.
const Forever = time.Duration(math.MaxInt64)

// Constant returns a shape with the same rate throughout.
func Constant(rate float64, length time.Duration) Linear { return Linear{rate, rate, length} }

// Seconds returns the length.
func (l Linear) Seconds() float64 { return seconds(l.For) }

// Rate returns From + a·t with the slope a = (To − From) / For.
func (l Linear) Rate(t float64) float64 { return l.From + l.slope()*t }

// Expected returns From·t + a·t²/2.
func (l Linear) Expected(t float64) float64 { return (l.From + l.slope()*t/2) * t }

// Instant solves a·t²/2 + From·t = n for t. It uses the form t = 2n / (From + √(From² +
// 2·a·n)), which stays precise when a is small.
func (l Linear) Instant(n float64) float64 {
	if n <= 0 {
		return 0
	}
	root := math.Sqrt(max(0, l.From*l.From+2*l.slope()*n))
	return 2 * n / (l.From + root)
}

func (l Linear) slope() float64 {
	if l.From == l.To {
		return 0 // For may be Forever
	}
	return (l.To - l.From) / l.Seconds()
}

// Sine is a wave around a mean. It begins at its minimum, as a day does at night. Amplitude
// must not be greater than Mean.
type Sine struct {
	Mean, Amplitude float64
	Period, For     time.Duration
}

// Seconds returns the length.
func (s Sine) Seconds() float64 { return seconds(s.For) }

// Rate returns Mean − Amplitude·cos(ωt) with ω = 2π / Period.
func (s Sine) Rate(t float64) float64 { return s.Mean - s.Amplitude*math.Cos(s.omega()*t) }

// Expected returns Mean·t − Amplitude/ω·sin(ωt).
func (s Sine) Expected(t float64) float64 {
	return s.Mean*t - s.Amplitude/s.omega()*math.Sin(s.omega()*t)
}

func (s Sine) omega() float64 { return 2 * math.Pi / s.Period.Seconds() }

// Instant solves Expected(t) = n for t. The equation has no closed form, so it uses
// Newton's method inside a bracket: the wave moves a request by at most Amplitude/(ω·Mean)
// from its time at the mean rate.
func (s Sine) Instant(n float64) float64 {
	const precise = 1e-11 // seconds
	reach := s.Amplitude / (s.omega() * s.Mean)
	low, high := max(0, n/s.Mean-reach), n/s.Mean+reach
	t := n / s.Mean
	for high-low > precise {
		miss := s.Expected(t) - n
		if miss > 0 {
			high = t
		} else {
			low = t
		}
		next := t - miss/s.Rate(t)
		if math.Abs(next-t) < precise {
			return max(0, next)
		}
		if !(next > low && next < high) { // also when the rate is 0
			next = (low + high) / 2
		}
		t = next
	}
	return t
}

// Chain is a sequence of shapes. Only the last one may last forever.
type Chain []Shape

// Steps returns a chain from one rate to another in the given number of equal steps of
// equal length.
func Steps(from, to float64, stairs int, length time.Duration) Chain {
	c := make(Chain, stairs)
	for i := range c {
		rate := from
		if stairs > 1 {
			rate += (to - from) * float64(i) / float64(stairs-1)
		}
		c[i] = Constant(rate, length/time.Duration(stairs))
	}
	return c
}

// Spike is a base rate with one peak. Length is the length of the whole stage.
type Spike struct {
	Base, Peak           float64
	At, Rise, Hold, Fall time.Duration // At: when the rise begins
	Length               time.Duration
}

// Chain returns the spike as a chain of linear parts. It omits parts of length 0.
func (s Spike) Chain() Chain {
	parts := []Linear{
		{s.Base, s.Base, s.At},
		{s.Base, s.Peak, s.Rise},
		{s.Peak, s.Peak, s.Hold},
		{s.Peak, s.Base, s.Fall},
		{s.Base, s.Base, s.Length - s.At - s.Rise - s.Hold - s.Fall},
	}
	var c Chain
	for _, p := range parts {
		if p.For > 0 {
			c = append(c, p)
		}
	}
	return c
}

// Seconds returns the sum of the lengths of the parts.
func (c Chain) Seconds() (sum float64) {
	for _, s := range c {
		sum += s.Seconds()
	}
	return sum
}

// Rate returns the rate of the part that contains t.
func (c Chain) Rate(t float64) float64 {
	part, t, _ := c.find(t)
	return part.Rate(t)
}

// Expected returns the requests of all parts before t, plus those of the current part up to
// t.
func (c Chain) Expected(t float64) float64 {
	part, t, before := c.find(t)
	return before + part.Expected(t)
}

// find returns the part that contains t, the time since the part began, and the expected
// requests of the parts before it.
func (c Chain) find(t float64) (part Shape, since, before float64) {
	for _, s := range c[:len(c)-1] {
		if t < s.Seconds() {
			return s, t, before
		}
		t -= s.Seconds()
		before += s.Expected(s.Seconds())
	}
	return c[len(c)-1], t, before
}

// Instant returns the time at which the part that contains the n-th request expects it.
func (c Chain) Instant(n float64) float64 {
	began := 0.0
	for _, s := range c[:len(c)-1] {
		all := s.Expected(s.Seconds())
		if n < all {
			return began + s.Instant(n)
		}
		n -= all
		began += s.Seconds()
	}
	return began + c[len(c)-1].Instant(n)
}

func seconds(d time.Duration) float64 {
	if d == Forever {
		return math.Inf(1)
	}
	return d.Seconds()
}
