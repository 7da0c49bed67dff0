package chart

import (
	"math"
	"time"
)

// Axis maps values to positions from 0 to 1 along the axis. Make one with Linear, FromZero,
// Log, Time or Nines.
type Axis struct {
	label string
	place func(value float64) float64
	ticks []tick
}

type tick struct {
	value float64
	label string
}

// Linear returns an axis from minimum to maximum with about count round ticks.
func Linear(label string, minimum, maximum float64, count int, format func(float64) string) Axis {
	if maximum <= minimum {
		maximum = minimum + 1
	}
	axis := Axis{label: label, place: func(v float64) float64 { return clip((v - minimum) / (maximum - minimum)) }}
	step := roundUp((maximum-minimum)/float64(count), 1, 2, 2.5, 5)
	for i := math.Ceil(minimum/step-1e-9) + 0; i*step <= maximum*(1+1e-9); i++ { // + 0 avoids minus zero
		axis.ticks = append(axis.ticks, tick{i * step, format(i * step)})
	}
	return axis
}

// FromZero returns an axis from 0 to a round value of at least maximum.
func FromZero(label string, maximum float64, count int, format func(float64) string) Axis {
	step := roundUp(max(maximum, 1e-9)/float64(count), 1, 2, 2.5, 5)
	return Linear(label, 0, math.Ceil(maximum/step-1e-9)*step, count, format)
}

// roundUp returns the smallest product of a factor and a power of ten that is at least v.
func roundUp(v float64, factors ...float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range factors {
		if factor*power >= v*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// Log returns a logarithmic axis from a round value of at most minimum to one of at least maximum. Both must be
// above 0. The ticks are 1, 2 and 5 times powers of ten, or only the powers if the axis spans many.
func Log(label string, minimum, maximum float64, format func(float64) string) Axis {
	low, high := roundDown(minimum), roundUp(max(maximum, minimum), 1, 2, 5)
	if high <= low {
		high = low * 2
	}
	span := math.Log(high / low)
	axis := Axis{label: label, place: func(v float64) float64 { return clip(math.Log(max(v, low)/low) / span) }}
	factors := []float64{1, 2, 5}
	if high/low > 5000 {
		factors = factors[:1]
	}
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for _, factor := range factors {
			if v := power * factor; v >= low*(1-1e-9) && v <= high*(1+1e-9) {
				axis.ticks = append(axis.ticks, tick{v, format(v)})
			}
		}
	}
	return axis
}

// roundDown returns the largest product of 1, 2 or 5 and a power of ten that is at most v. It is 1 over the smallest such
// product that is at least 1/v, because 1/2 and 1/5 are 5 and 2 tenths.
func roundDown(v float64) float64 { return 1 / roundUp(1/v, 1, 2, 5) }

// Time returns an axis from 0 to length, in seconds, with round ticks.
func Time(label string, length time.Duration) Axis {
	seconds := max(length.Seconds(), 1)
	axis := Axis{label: label, place: func(v float64) float64 { return clip(v / seconds) }}
	step := 86400.0
	for _, candidate := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200} {
		if seconds/candidate <= 10 {
			step = candidate
			break
		}
	}
	for v := 0.0; v <= seconds; v += step {
		axis.ticks = append(axis.ticks, tick{v, (time.Duration(v) * time.Second).String()})
	}
	return axis
}

// Nines returns an axis of percentiles from 0 to highest, which must be below 100. Each further nine takes the same
// space, so that the tail of a distribution is visible. (G. Tene, HdrHistogram, percentile plots.)
func Nines(label string, highest float64) Axis {
	nines := func(p float64) float64 { return -math.Log10(1 - min(p, highest)/100) }
	axis := Axis{label: label, place: func(v float64) float64 { return clip(nines(v) / nines(highest)) }}
	for _, t := range []tick{{0, "0 %"}, {50, "50 %"}, {90, "90 %"}, {99, "99 %"}, {99.9, "99.9 %"}, {99.99, "99.99 %"}, {99.999, "99.999 %"}} {
		if t.value <= highest {
			axis.ticks = append(axis.ticks, t)
		}
	}
	return axis
}

func clip(place float64) float64 { return max(0, min(1, place)) }
