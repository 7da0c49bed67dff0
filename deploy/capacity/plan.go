package capacity

import (
	"math"
	"time"
)

// Scenario is a shop of some size.
type Scenario struct {
	Rate     float64       // requests a second to the gateway
	Sampled  float64       // share of the traces that are kept
	Interval time.Duration // between scrapes
	PodCores float64       // that a pod of a service is meant to use; 0: one process a service, whatever it uses
	MinPods  int           // of each service
	Where    string        // what it stands for
}

// Scenarios are the sizes that docs/scaling.md speaks of.
func Scenarios() []Scenario {
	return []Scenario{
		{Rate: 10, Sampled: 1, Interval: time.Second, MinPods: 1, Where: "`make up`, the overlay `local`"},
		// Autoscalers hold 70 % of the half core that the overlay requests for a pod.
		{Rate: 1_000, Sampled: 0.1, Interval: 15 * time.Second, PodCores: 0.35, MinPods: 3, Where: "the overlay `scale`"},
		{Rate: 100_000, Sampled: 0.01, Interval: 15 * time.Second, PodCores: 1.4, MinPods: 3, Where: "`scale`, pods of two cores"},
	}
}

// Plan is what a scenario makes, and what keeps it.
type Plan struct {
	Scenario
	Pods  int     // of all services
	Cores float64 // that they use

	Series  float64 // at a time
	Samples float64 // a second
	Lines   float64 // a second
	Bytes   float64 // of logs, a second
	Spans   float64 // a second, of sampled traces

	Needs []Need
}

// Need is what a program of the stack needs to keep what comes.
type Need struct {
	Program string
	Rate    float64 // units a second
	Cores   float64
	Memory  float64 // bytes; 0 where it does not grow with the rate alone
	Enough  bool    // whether one program was seen to keep up with as much, on the machine that was measured
}

// Plan computes what a scenario makes of telemetry, and what that needs.
func (r Report) Plan(s Scenario) (Plan, error) {
	c := r.Costs
	p := Plan{
		Scenario: s, Series: float64(c.Derived + c.Recorded),
		Lines: s.Rate * c.LogLines, Bytes: s.Rate * c.LogBytes, Spans: s.Rate * c.Spans * s.Sampled,
	}
	for _, service := range c.Services {
		cores := s.Rate * service.CPU
		pods := s.MinPods
		if s.PodCores > 0 {
			pods = max(pods, int(math.Ceil(cores/s.PodCores)))
		}
		p.Pods += pods
		p.Cores += cores
		p.Series += float64(pods * (service.Series + service.Scrape))
	}
	p.Samples = p.Series / s.Interval.Seconds()
	for _, part := range []struct {
		program string
		rate    float64
	}{{"prometheus", p.Samples}, {"loki", p.Lines}, {"tempo", p.Spans}} {
		limit, err := r.Limit(part.program)
		if err != nil {
			return Plan{}, err
		}
		need := Need{Program: part.program, Rate: part.rate, Cores: part.rate / limit.PerCore(), Enough: part.rate <= limit.Highest().Achieved}
		if part.program == "prometheus" { // the ramp scrapes each second: a sample a second is a series
			need.Memory = limit.Steps[0].RSS + p.Series*limit.Memory()
		}
		p.Needs = append(p.Needs, need)
	}
	return p, nil
}
