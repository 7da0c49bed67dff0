// Package history generates a synthetic past of objectives: what their recorded series would
// contain if the service had already run for a period, with a few incidents. It writes them as
// blocks of Prometheus's database, so that budgets and long windows have meaningful values in the
// first minute of a demonstration. Every series has the label synthetic="true".
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

// Options configure the generated past.
type Options struct {
	Policy slo.Policy
	Clock  slo.Clock
	End    time.Time // end of the past
	Seed   uint64    // the same seed gives the same past
	// Rates are events per second of wall-clock time, by the objective's ID. The default is
	// defaultRate. The rates determine the weight of the past relative to later real events.
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

// incident is a range of samples with a ratio of bad events.
type incident struct {
	from, to int // sample numbers
	ratio    float64
}

// past is the history of one objective, with one sample per evaluation: bad and total events per
// second over the shortest window.
type past struct {
	bad, total []float64
}

// Properties of the synthetic service. Spent values are shares of a period's budget.
const (
	background  = 0.08 // spent by background errors
	incidents   = 3    // number of incidents; each is in its own equal part of the time before the calm
	leastSpent  = 0.06 // spent by one incident, at least
	mostSpent   = 0.20 // spent by one incident, at most; three such incidents leave a fourth of the budget
	leastRatio  = 0.05 // bad events per event in an incident for an objective of 99 %: 5 to 60 times the budget
	mostRatio   = 0.60
	rampSamples = 20 // samples over which an incident rises and falls
)

// calm returns the length, in SLO time, of the part without incidents at the end of the past. It is
// long enough that no alert fires because of synthetic history.
func calm(p slo.Policy) time.Duration {
	longest := time.Duration(0)
	for _, pair := range slices.Concat(p.Page.Pairs, p.Ticket.Pairs) {
		longest = max(longest, pair.Long)
	}
	return longest + longest/2
}

// makePast generates the past of one objective. The seed includes the objective's ID, so that every
// objective has different incidents.
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

// makeIncidents spreads incidents over the time before the calm. An incident of ratio e and length
// d spends e·d / (budget·period).
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

// suffer adds an incident with a ramp at both ends.
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
