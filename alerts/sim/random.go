package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// What a random month is like.
const (
	randomIncidents = 15    // each in one of as many equal parts of the month
	leastSpent      = 0.003 // of the budget, by one incident
	mostSpent       = 0.3
	leastRatio      = 1.2 // times the budget: what burns slower spends none of it in a month
)

// Random makes up a month of incidents: a share of bad events and a part of the budget
// spent, both as likely to be ten times as large as ten times as small. The same seed
// gives the same month.
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
