// Package history makes up the past of objectives: what their recorded series would
// hold had the service run for a period already, with a few incidents. It writes
// them as blocks of Prometheus's database, so that budgets and long windows mean
// something in the first minute of a demonstration. All of it carries the label
// synthetic="true".
//
// It must not know where a Prometheus keeps its data, or when it starts.
package history

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"firedrill/alerts/slo"
)

// Options say what past to make up.
type Options struct {
	Policy slo.Policy
	Clock  slo.Clock
	End    time.Time // of the past
	Seed   uint64    // the same seed gives the same past
	// Rates are events a second on the wall by the objective's ID; others get
	// defaultRate. They weigh the past against what really happens next.
	Rates map[string]float64
}

const defaultRate = 10

func (o Options) validate() error {
	if o.End.IsZero() {
		return errors.New("make up history: no end is given")
	}
	if err := o.Policy.Validate(); err != nil {
		return fmt.Errorf("make up history: %w", err)
	}
	if err := o.Clock.Validate(o.Policy); err != nil {
		return fmt.Errorf("make up history: %w", err)
	}
	return nil
}

// incident is a share of bad events for a while.
type incident struct {
	from, to int // samples
	ratio    float64
}

// past is what happened to one objective, a sample an evaluation: bad and total
// events a second over the shortest window.
type past struct {
	bad, total []float64
}

// What a made-up service is like: shares of a period's budget.
const (
	background  = 0.08 // spent by errors that are always there
	incidents   = 3    // each in one of as many equal parts of the time before the calm
	leastSpent  = 0.06 // by one incident
	mostSpent   = 0.20 // by one incident: with all of them, a fourth of the budget is left
	leastRatio  = 0.05 // of bad events in an incident, where the objective is 99 %: 5 to 60 times the budget
	mostRatio   = 0.60
	rampSamples = 20 // in which an incident comes and goes: no cliff
)

// calm is how long the end of the past has no incident, in the objective's time: no
// alert may fire because of what was made up.
func calm(p slo.Policy) time.Duration {
	longest := time.Duration(0)
	for _, pair := range slices.Concat(p.Page.Pairs, p.Ticket.Pairs) {
		longest = max(longest, pair.Long)
	}
	return longest + longest/2
}

// makePast makes up the past of one objective. Its incidents are its own: seeded by
// its name.
func makePast(s slo.SLO, o Options) past {
	samples := int(o.Clock.Wall(o.Policy.Period) / o.Clock.Interval)
	random := rand.New(rand.NewPCG(o.Seed, hash(s.ID())))
	rate, ok := o.Rates[s.ID()]
	if !ok {
		rate = defaultRate
	}
	p := past{bad: make([]float64, samples), total: make([]float64, samples)}
	wave := newWave(random, o.Clock)
	for i := range samples {
		p.total[i] = rate * wave.at(i)
		p.bad[i] = p.total[i] * s.Budget() * background * 2 * random.Float64()
	}
	for _, in := range makeIncidents(random, s, o, samples) {
		p.suffer(in)
	}
	return p
}

// makeIncidents spreads incidents over the time before the calm. One of ratio e and
// length d spends e·d / (budget·period).
func makeIncidents(random *rand.Rand, s slo.SLO, o Options, samples int) []incident {
	quiet := int(o.Clock.Wall(calm(o.Policy)) / o.Clock.Interval)
	part := (samples - quiet) / incidents
	var all []incident
	for i := range incidents {
		ratio := (leastRatio + (mostRatio-leastRatio)*random.Float64()*random.Float64()) * s.Budget() / 0.01
		ratio = min(max(ratio, s.Budget()*5), mostRatio)
		spent := leastSpent + (mostSpent-leastSpent)*random.Float64()
		length := int(spent * s.Budget() * float64(samples) / ratio)
		length = min(max(length, 1), part)
		from := i*part + random.IntN(part-length+1)
		all = append(all, incident{from: from, to: from + length, ratio: ratio})
	}
	return all
}

// suffer adds an incident with ramps at both ends.
func (p past) suffer(in incident) {
	for i := in.from; i < in.to; i++ {
		ramp := min(float64(i-in.from+1), float64(in.to-i)) / rampSamples
		p.bad[i] = min(p.total[i], p.bad[i]+p.total[i]*in.ratio*min(ramp, 1))
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}
