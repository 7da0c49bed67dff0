package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Properties of a random month.
const (
	randomIncidents = 15    // number of incidents; each is in its own equal part of the month
	leastSpent      = 0.003 // share of the budget that one incident spends, at least
	mostSpent       = 0.3
	leastRatio      = 1.2 // lowest burn rate; a slower one hardly spends the budget in a month
)

// Random generates a month of incidents. The ratio of bad events and the share of the budget that
// an incident spends are distributed log-uniformly. The same seed gives the same month.
func Random(seed uint64, budget float64) Catalogue {
	random := rand.New(rand.NewPCG(seed, 0))
	between := func(least, most float64) float64 { return least * math.Pow(most/least, random.Float64()) }
	const part = Period / randomIncidents
	c := Catalogue{Name: fmt.Sprintf("random month %d", seed), Rate: 100, Background: budget / 25}
	for i := range randomIncidents {
		ratio := between(leastRatio*budget, 1)
		seconds := between(leastSpent, mostSpent) * budget * Period.Seconds() / ratio
		length := min(max(time.Duration(seconds*float64(time.Second)).Round(Resolution), Resolution), part/2)
		start := time.Duration(i)*part + time.Duration(random.Int64N(int64(part-length))).Round(Resolution)
		c.Incidents = append(c.Incidents, Incident{
			Name: fmt.Sprintf("%d", i), Start: start, Duration: length, Shape: Constant(ratio), Rate: c.Rate,
		})
	}
	return c
}
