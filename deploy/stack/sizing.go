package stack

import (
	"context"
	"fmt"
	"math"
	"time"

	"firedrill/internal/machine"
)

// Arrivals per second of the background load.
const (
	// fullLoad is the rate that loadgen/profiles/trickle.yaml says.
	fullLoad = 25
	// leastLoad is the lowest rate that is chosen. One arrival in five is an order, so there are 2 orders a second, and the five
	// bad events that an alert wants (low_traffic.min_bad_events) take 2.5 s of a total outage. At a lower rate that guard would
	// decide when alerts fire, and not how fast the error budget burns.
	leastLoad = 10
	// fullLoadPower is the power from which a machine carries the full background load.
	fullLoadPower = 0.75
)

// LoadRate returns the rate of the background load in arrivals per second: the full one where the machine carries it or
// nothing is known about the machine, else less in proportion to its power, but not less than leastLoad. It is a whole number.
func (s Settings) LoadRate() float64 {
	power := s.Machine.Power()
	if !(power > 0) || power >= fullLoadPower {
		return fullLoad
	}
	return max(leastLoad, math.Round(fullLoad*power/fullLoadPower))
}

// LoadScale returns LoadRate as a multiple of the rate that the profile says.
func (s Settings) LoadScale() float64 { return s.LoadRate() / fullLoad }

// readyFor is how long components may take to be ready on the reference machine.
const readyFor = time.Minute

// ReadyFor returns how long components may take to be ready: as long as asked, or what suits the machine if asked is 0.
func (s Settings) ReadyFor(asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	return s.Machine.Patience(readyFor)
}

// Measured returns s with the machine's capacity in it: the known one if it is less than a day old, else what calibrate
// measures, which is then kept in the data folder. That folder must be there, and the copy must not run, or its own load
// would make the machine look slow.
func (s Settings) Measured(ctx context.Context, calibrate func(context.Context) (machine.Capacity, error)) (Settings, error) {
	if s.Machine.Current() {
		return s, nil
	}
	var err error
	if s.Machine, err = calibrate(ctx); err != nil {
		return s, err
	}
	return s, s.Machine.Keep(s.Data)
}

// Sizing says what the machine can carry and what was chosen for it; asked is as in ReadyFor.
func (s Settings) Sizing(asked time.Duration) string {
	load := "No background load"
	if s.Load {
		load = LoadText(s.LoadRate())
	}
	return fmt.Sprintf("This machine: %s. %s; components get up to %s to be ready.", s.Machine, load, s.ReadyFor(asked).Round(time.Second))
}

// LoadText says at what rate the background load runs, and that it is lowered if it is.
func LoadText(rate float64) string {
	if rate < fullLoad {
		return fmt.Sprintf("Background load %g/s instead of %d/s", rate, fullLoad)
	}
	return fmt.Sprintf("Background load %g/s", rate)
}

// Machine is what a status says of the machine.
type Machine struct {
	machine.Capacity
	Power float64 `json:"power"` // as a multiple of the reference machine
}

// Size returns what a status says of the machine and of the background load; nil and 0 are for what is not known.
func (s Settings) Size(r *Record) (*Machine, float64) {
	var known *Machine
	if power := s.Machine.Power(); power > 0 {
		known = &Machine{s.Machine, power}
	}
	if r == nil {
		return known, 0
	}
	return known, r.LoadRate
}

// seconds returns a time in whole seconds, stretched to what suits the machine, and at least 1.
func (s Settings) seconds(n int) int {
	return max(1, int(math.Round(s.Machine.Patience(time.Duration(n)*time.Second).Seconds())))
}
