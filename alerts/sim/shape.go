package sim

import (
	"math"
	"time"
)

// Shape is how the share of bad events changes while an incident lasts.
type Shape interface {
	// At is the share of bad events so long after the incident began, 0 to 1.
	At(since time.Duration) float64
}

// Constant is a share that stays.
type Constant float64

// At implements Shape.
func (c Constant) At(time.Duration) float64 { return float64(c) }

// Ramp grows from nothing to To, as what leaks does.
type Ramp struct {
	To   float64
	Over time.Duration
}

// At implements Shape: To · t / Over.
func (r Ramp) At(since time.Duration) float64 {
	return r.To * since.Seconds() / r.Over.Seconds()
}

// Flap comes for a while, every so often.
type Flap struct {
	Size      float64
	On, Every time.Duration
}

// At implements Shape.
func (f Flap) At(since time.Duration) float64 {
	if since%f.Every < f.On {
		return f.Size
	}
	return 0
}

// Wave is highest at noon, and nothing at midnight, when it begins.
type Wave float64

// At implements Shape: size · (1 − cos 2πt/24h) / 2.
func (w Wave) At(since time.Duration) float64 { return float64(w) * (1 + daily(since)) / 2 }

// daily is a day from midnight on, between −1 and 1.
func daily(since time.Duration) float64 {
	const day = 24 * time.Hour
	return -math.Cos(2 * math.Pi * since.Seconds() / day.Seconds())
}
