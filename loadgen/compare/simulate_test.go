package compare

import (
	"math"
	"math/rand/v2"
	"time"

	"firedrill/loadgen/result"
)

// simulation is a run of a service with dependent latencies. The level of a second follows an AR(1) process. A second
// may be bad, with twice the latency and ten times the errors. The latency of a request is log-normal about the level.
type simulation struct {
	seconds, rate int
	correlation   float64 // between consecutive seconds
	level         float64 // standard deviation of the logarithm of the level
	errors        float64 // share of requests
	slower        float64 // factor on latencies
	ramp          bool    // the rate doubles in a second stage, and the latency too
}

func (s simulation) run(seed uint64) *result.Result {
	random := rand.New(rand.NewPCG(seed, 99))
	length := time.Duration(s.seconds) * time.Second
	meta := result.Meta{Profile: "simulated", Fingerprint: "f", Seed: 1, Length: length, Stages: []result.Stage{{Name: "one", Length: length}}}
	if s.ramp {
		meta.Stages = []result.Stage{{Name: "one", Length: length / 2}, {Name: "two", Begin: length / 2, Length: length - length/2}}
	}
	var intended uint64
	for second := range s.seconds {
		intended += uint64(s.rateAt(second))
	}
	c := result.New(meta, result.Options{Intended: func(time.Duration) uint64 { return intended }})
	level := random.NormFloat64() * s.level
	for second := range s.seconds {
		level = s.correlation*level + math.Sqrt(1-s.correlation*s.correlation)*s.level*random.NormFloat64()
		factor, errors := math.Exp(level)*max(1, s.slower), s.errors
		if random.Float64() < 0.03 {
			factor, errors = factor*2, errors*10
		}
		if s.ramp && second >= s.seconds/2 {
			factor *= 2
		}
		for i := range s.rateAt(second) {
			due := time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(s.rateAt(second))
			sample := result.Sample{Scenario: "browse", Due: due, Sent: due, Status: 200}
			if i%4 == 0 {
				sample.Scenario = "order"
			}
			sample.Done = due + time.Duration(factor*math.Exp(0.5*random.NormFloat64())*float64(5*time.Millisecond))
			if random.Float64() < errors {
				sample.Failure = "status"
			}
			c.Add(sample)
		}
	}
	return c.Finish(result.Ending{Elapsed: length})
}

func (s simulation) rateAt(second int) int {
	if s.ramp && second >= s.seconds/2 {
		return 2 * s.rate
	}
	return s.rate
}
