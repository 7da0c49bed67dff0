package stack

import (
	"fmt"
	"math"
	"time"

	"firedrill/internal/machine"
)

// Rates of the background load in arrivals per second.
const (
	// fullLoad is the rate in loadgen/profiles/trickle.yaml.
	fullLoad = 25
	// leastLoad is the lowest rate. One arrival in five is an order, so there are 2 orders a second. The five
	// bad events that an alert needs (low_traffic.min_bad_events) then take 2.5 s of a total outage. At a lower
	// rate, this guard would decide when alerts fire, and not how fast the error budget burns.
	leastLoad = 10
	// fullLoadPower is the least power of a machine that carries the full background load.
	fullLoadPower = 0.75
)

// LoadRate returns the rate of the background load in arrivals per second, a whole number. It is the full rate
// if the machine carries it or if its capacity is unknown. Otherwise it is proportional to the machine's power,
// but at least leastLoad.
func (s Settings) LoadRate() float64 {
	power := s.Machine.Power()
	if !(power > 0) || power >= fullLoadPower {
		return fullLoad
	}
	return max(leastLoad, math.Round(fullLoad*power/fullLoadPower))
}

// LoadScale returns LoadRate as a multiple of the rate in the profile.
func (s Settings) LoadScale() float64 { return s.LoadRate() / fullLoad }

// readyFor is how long components may take to become ready on the reference machine.
const readyFor = time.Minute

// ReadyFor returns how long components may take to become ready: asked, or if that is 0, a time that suits the
// machine.
func (s Settings) ReadyFor(asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	return s.Machine.Patience(readyFor)
}

// Sizing describes the capacity of the machine and the values that depend on it. asked is as in ReadyFor.
func (s Settings) Sizing(asked time.Duration) string {
	load := "No background load"
	if s.Load {
		load = LoadText(s.LoadRate())
	}
	return fmt.Sprintf("This machine: %s. %s; components get up to %s to be ready.", s.Machine, load, s.ReadyFor(asked).Round(time.Second))
}

// LoadText describes the rate of the background load, and says if it is lower than the full rate.
func LoadText(rate float64) string {
	if rate < fullLoad {
		return fmt.Sprintf("Background load %g/s instead of %d/s", rate, fullLoad)
	}
	return fmt.Sprintf("Background load %g/s", rate)
}

// Machine is the part of a status about the machine.
type Machine struct {
	machine.Capacity
	Power float64 `json:"power"` // as a multiple of the reference machine
}

// Size returns the parts of a status about the machine and the rate of the background load. They are nil and 0
// if unknown.
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

// seconds stretches a time to suit the machine and returns whole seconds, at least 1.
func (s Settings) seconds(n int) int {
	return max(1, int(math.Round(s.Machine.Patience(time.Duration(n)*time.Second).Seconds())))
}
