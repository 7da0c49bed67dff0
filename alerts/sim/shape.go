package sim

import (
	"math"
	"time"
)

// Shape describes how the share of bad events changes during an incident.
type Shape interface {
	// At returns the share of bad events, 0 to 1, at a time since the start of the incident.
	At(since time.Duration) float64
}

// Constant is a constant share.
type Constant float64

// At implements Shape.
func (c Constant) At(time.Duration) float64 { return float64(c) }

// Ramp grows linearly from 0 to To, as with a leak.
type Ramp struct {
	To   float64
	Over time.Duration
}

// At implements Shape: To · t / Over.
func (r Ramp) At(since time.Duration) float64 {
	return r.To * since.Seconds() / r.Over.Seconds()
}

// Flap alternates: Size for the time On, then 0, once in every time Every.
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

// Wave is a daily wave with its maximum at noon. It begins at midnight with 0.
type Wave float64

// At implements Shape: size · (1 − cos 2πt/24h) / 2.
func (w Wave) At(since time.Duration) float64 { return float64(w) * (1 + daily(since)) / 2 }

// daily returns a daily wave from −1 at midnight to 1 at noon.
func daily(since time.Duration) float64 {
	const day = 24 * time.Hour
	return -math.Cos(2 * math.Pi * since.Seconds() / day.Seconds())
}
