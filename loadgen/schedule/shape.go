package schedule

import (
	"math"
	"time"
)

// Shape is how the rate goes over the length of a stage. Rates are requests a
// second, times seconds since the stage began. Expected and Instant are each
// other's inverse, and both rise.
type Shape interface {
	Seconds() float64           // how long it lasts; +Inf: until somebody stops it
	Rate(t float64) float64     // at t
	Expected(t float64) float64 // requests in [0, t]: the integral of Rate
	Instant(n float64) float64  // when Expected reaches n
}

// Linear goes straight from one rate to another; with both alike it is constant.
type Linear struct {
	From, To float64
	For      time.Duration
}

// Forever is the length of a stage that runs until somebody stops it.
const Forever = time.Duration(math.MaxInt64)

// Constant is one rate throughout.
func Constant(rate float64, length time.Duration) Linear { return Linear{rate, rate, length} }

// Seconds is how long it lasts.
func (l Linear) Seconds() float64 { return seconds(l.For) }

// Rate is From + a·t with the slope a = (To − From) / For.
func (l Linear) Rate(t float64) float64 { return l.From + l.slope()*t }

// Expected is From·t + a·t²/2.
func (l Linear) Expected(t float64) float64 { return (l.From + l.slope()*t/2) * t }

// Instant solves a·t²/2 + From·t = n for t, in the form that loses no digits when
// a is small: t = 2n / (From + √(From² + 2·a·n)).
func (l Linear) Instant(n float64) float64 {
	if n <= 0 {
		return 0
	}
	root := math.Sqrt(max(0, l.From*l.From+2*l.slope()*n))
	return 2 * n / (l.From + root)
}

func (l Linear) slope() float64 {
	if l.From == l.To {
		return 0 // a constant may last forever
	}
	return (l.To - l.From) / l.Seconds()
}

// Sine is a wave around a mean. It begins in the trough, as a day does at night.
// Amplitude must not exceed Mean.
type Sine struct {
	Mean, Amplitude float64
	Period, For     time.Duration
}

// Seconds is how long it lasts.
func (s Sine) Seconds() float64 { return seconds(s.For) }

// Rate is Mean − Amplitude·cos(ωt) with ω = 2π / Period.
func (s Sine) Rate(t float64) float64 { return s.Mean - s.Amplitude*math.Cos(s.omega()*t) }

// Expected is Mean·t − Amplitude/ω·sin(ωt).
func (s Sine) Expected(t float64) float64 {
	return s.Mean*t - s.Amplitude/s.omega()*math.Sin(s.omega()*t)
}

func (s Sine) omega() float64 { return 2 * math.Pi / s.Period.Seconds() }

// Instant finds the t of Expected(t) = n, which has no closed form, by Newton's
// method inside a bracket: the wave moves a request by no more than
// Amplitude/(ω·Mean) from where the mean alone would have it.
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

// Chain is shapes one after the other. Only the last may last forever.
type Chain []Shape

// Steps goes from one rate to another in so many equal stairs of equal length.
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

// Spike is a base rate with one peak. Length is that of the whole stage.
type Spike struct {
	Base, Peak           float64
	At, Rise, Hold, Fall time.Duration // At: when it begins to rise
	Length               time.Duration
}

// Chain is the spike as its straight parts. Parts without length are left out.
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

// Seconds is the sum of the parts'.
func (c Chain) Seconds() (sum float64) {
	for _, s := range c {
		sum += s.Seconds()
	}
	return sum
}

// Rate is that of the part that t falls into.
func (c Chain) Rate(t float64) float64 {
	part, t, _ := c.find(t)
	return part.Rate(t)
}

// Expected is what the parts before t expect, and the one that t falls into until then.
func (c Chain) Expected(t float64) float64 {
	part, t, before := c.find(t)
	return before + part.Expected(t)
}

// find returns the part that t falls into, t since it began, and what the parts
// before it expect.
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

// Instant is that of the part in which the n-th request falls.
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
