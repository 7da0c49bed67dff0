package capacity

import (
	"math"
	"time"
)

// Scenario describes a shop of a certain size.
type Scenario struct {
	Rate     float64       // requests per second to the gateway
	Sampled  float64       // share of the traces that are sampled, from 0 to 1
	Interval time.Duration // between scrapes
	PodCores float64       // cores that a pod of a service should use; 0 for one process per service, whatever it uses
	MinPods  int           // of each service
	Where    string        // the deployment that the scenario stands for
}

// Scenarios returns the scenarios in docs/scaling.md.
func Scenarios() []Scenario {
	return []Scenario{
		{Rate: 10, Sampled: 1, Interval: time.Second, MinPods: 1, Where: "`make up`, the overlay `local`"},
		// The target of autoscalers is 70 % of the half core that the overlay requests for a pod.
		{Rate: 1_000, Sampled: 0.1, Interval: 15 * time.Second, PodCores: 0.35, MinPods: 3, Where: "the overlay `scale`"},
		{Rate: 100_000, Sampled: 0.01, Interval: 15 * time.Second, PodCores: 1.4, MinPods: 3, Where: "`scale`, pods of two cores"},
	}
}

// Plan holds the telemetry of a scenario and the resources that it needs.
type Plan struct {
	Scenario
	Pods  int     // of all services
	Cores float64 // cores that they use

	Series  float64 // active series
	Samples float64 // per second
	Lines   float64 // per second
	Bytes   float64 // of logs, per second
	Spans   float64 // per second, of sampled traces

	Needs []Need
}

// Need is what a program of the stack needs for the telemetry of a scenario.
type Need struct {
	Program string
	Rate    float64 // units per second
	Cores   float64
	Memory  float64 // bytes; 0 if it does not grow with the rate alone
	Enough  bool    // whether one program kept up with this rate on the measured machine
}

// Plan computes the telemetry of a scenario and what the programs of the stack need for it.
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
		if part.program == "prometheus" { // the ramp scrapes every second, so one sample per second is one series
			need.Memory = limit.Steps[0].RSS + p.Series*limit.Memory()
		}
		p.Needs = append(p.Needs, need)
	}
	return p, nil
}
