package capacity

import (
	"encoding/json"
	"fmt"
	"time"

	"firedrill/internal/userfile"
)

// Report holds all measurements of one machine.
type Report struct {
	Costs  Costs   `json:"costs"`
	Limits []Limit `json:"limits"`
}

// Costs is the telemetry and CPU time of one request to the gateway, with all requests that follow from it.
type Costs struct {
	Machine  string    `json:"machine"`
	Measured time.Time `json:"measured"`
	Seconds  float64   `json:"seconds"` // duration of the measurement
	Rate     float64   `json:"rate"`    // requests per second to the gateway during the measurement

	LogLines  float64 `json:"log_lines"`  // per request
	LogBytes  float64 `json:"log_bytes"`  // per request, with structured metadata, as counted by Loki
	Spans     float64 `json:"spans"`      // per request, with all traces sampled
	SpanBytes float64 `json:"span_bytes"` // per request, as counted by Tempo

	Services []Service `json:"services"`
	Derived  int       `json:"derived"`  // series that Tempo generates from spans
	Recorded int       `json:"recorded"` // series that rules record
}

// Service holds the costs of one process of a service.
type Service struct {
	Name   string  `json:"name"`
	Series int     `json:"series"` // series that it exposes, all of metrics in the contracts
	Scrape int     `json:"scrape"` // series that Prometheus adds to each scrape
	CPU    float64 `json:"cpu"`    // core seconds per request to the gateway
}

// Limit is the result of a ramp of load on one program of the stack.
type Limit struct {
	Program  string    `json:"program"`
	Unit     string    `json:"unit"` // of the rates, such as "samples/s"
	Machine  string    `json:"machine"`
	Measured time.Time `json:"measured"`
	Steps    []Step    `json:"steps"` // the first is without load
	End      string    `json:"end"`   // why the ramp ended
}

// Step is the result at one rate of a ramp.
type Step struct {
	Intended float64 `json:"intended"` // units per second, in addition to the usual load
	Sent     float64 `json:"sent"`     // units per second that the load sent
	Achieved float64 `json:"achieved"` // units per second that the program counted, with the usual load
	Bytes    float64 `json:"bytes"`    // bytes per second, if the program counts bytes
	Cores    float64 `json:"cores"`    // cores that the program used
	RSS      float64 `json:"rss"`      // resident memory at the end, in bytes
}

// kept is the least share of the intended rate with which a program keeps up.
const kept = 0.95

// held returns the steps with load that the program kept up with. Their achieved rates do not include the usual
// load.
func (l Limit) held() []Step {
	var held []Step
	for i, s := range l.Steps {
		s.Achieved -= l.Steps[0].Achieved
		if i > 0 && s.Achieved >= kept*s.Intended {
			held = append(held, s)
		}
	}
	return held
}

// Highest returns the step with the highest rate that the program kept up with, without the usual load. It
// returns the zero Step if there is none.
func (l Limit) Highest() Step {
	held := l.held()
	if len(held) == 0 {
		return Step{}
	}
	return held[len(held)-1]
}

// PerCore returns how many units per second one core can carry, or 0 if the program kept up with no rate. It is
// the slope between no load and the highest rate that held, so other users of the machine do not matter.
func (l Limit) PerCore() float64 {
	highest := l.Highest()
	if highest.Achieved == 0 || highest.Cores <= l.Steps[0].Cores {
		return 0
	}
	return highest.Achieved / (highest.Cores - l.Steps[0].Cores)
}

// Memory returns the additional memory per unit per second, in bytes.
func (l Limit) Memory() float64 {
	highest := l.Highest()
	if highest.Achieved == 0 {
		return 0
	}
	return max(0, highest.RSS-l.Steps[0].RSS) / highest.Achieved
}

// longestCosts is the maximum size of a file of measurements, in bytes.
const longestCosts = 16 << 20

// ReadReport reads a report from a JSON file.
func ReadReport(file string) (Report, error) {
	var r Report
	text, err := userfile.Read(file, longestCosts)
	if err != nil {
		return r, fmt.Errorf("read what was measured: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read what was measured in %q: %w", file, err)
	}
	return r, nil
}

// Limit returns the limit of a program. It returns an error if there is none or if the program kept up with no
// rate.
func (r Report) Limit(program string) (Limit, error) {
	for _, l := range r.Limits {
		if l.Program == program && len(l.held()) > 0 {
			return l, nil
		}
	}
	return Limit{}, fmt.Errorf("no limit of %q was measured", program)
}

// Put adds a limit, or replaces that of the same program.
func (r *Report) Put(l Limit) {
	for i := range r.Limits {
		if r.Limits[i].Program == l.Program {
			r.Limits[i] = l
			return
		}
	}
	r.Limits = append(r.Limits, l)
}
