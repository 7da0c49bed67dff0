package capacity

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Report is all that was measured on one machine.
type Report struct {
	Costs  Costs   `json:"costs"`
	Limits []Limit `json:"limits"`
}

// Costs are what one request to the gateway makes, all that follows from it included.
type Costs struct {
	Machine  string    `json:"machine"`
	Measured time.Time `json:"measured"`
	Seconds  float64   `json:"seconds"` // that were watched
	Rate     float64   `json:"rate"`    // requests a second to the gateway meanwhile

	LogLines  float64 `json:"log_lines"`  // a request
	LogBytes  float64 `json:"log_bytes"`  // a request, with the structured metadata, as Loki counts them
	Spans     float64 `json:"spans"`      // a request, with all traces sampled
	SpanBytes float64 `json:"span_bytes"` // a request, as Tempo counts them

	Services []Service `json:"services"`
	Derived  int       `json:"derived"`  // series that Tempo makes of spans
	Recorded int       `json:"recorded"` // series that rules record
}

// Service is what one process of a service costs.
type Service struct {
	Name   string  `json:"name"`
	Series int     `json:"series"` // that it exposes, all of metrics in the contracts
	Scrape int     `json:"scrape"` // further series of each scrape, which Prometheus makes itself
	CPU    float64 `json:"cpu"`    // core seconds a request to the gateway
}

// Limit is how far one program of the stack went.
type Limit struct {
	Program  string    `json:"program"`
	Unit     string    `json:"unit"` // of the rates: "samples/s"
	Machine  string    `json:"machine"`
	Measured time.Time `json:"measured"`
	Steps    []Step    `json:"steps"` // the first is without load
	End      string    `json:"end"`   // why the ramp ended
}

// Step is one rate of a ramp.
type Step struct {
	Intended float64 `json:"intended"` // units a second, on top of what comes anyway
	Sent     float64 `json:"sent"`     // that the load sent
	Achieved float64 `json:"achieved"` // that the program counted, with what comes anyway
	Bytes    float64 `json:"bytes"`    // a second, of programs that count bytes
	Cores    float64 `json:"cores"`    // that it used
	RSS      float64 `json:"rss"`      // bytes at the end
}

// kept is the share of the intended rate below which a program does not keep up.
const kept = 0.95

// held are the steps with load that the program kept up with, less what came anyway.
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

// Highest is the highest rate that the program kept up with, on top of what came anyway; the zero Step if there is none.
func (l Limit) Highest() Step {
	held := l.held()
	if len(held) == 0 {
		return Step{}
	}
	return held[len(held)-1]
}

// PerCore is how many units a second one core is good for: the slope between no load and the highest rate that held, so that
// it does not matter how much of the machine others used. 0 if nothing held.
func (l Limit) PerCore() float64 {
	highest := l.Highest()
	if highest.Achieved == 0 || highest.Cores <= l.Steps[0].Cores {
		return 0
	}
	return highest.Achieved / (highest.Cores - l.Steps[0].Cores)
}

// Memory is how much more memory a unit a second took, in bytes.
func (l Limit) Memory() float64 {
	highest := l.Highest()
	if highest.Achieved == 0 {
		return 0
	}
	return max(0, highest.RSS-l.Steps[0].RSS) / highest.Achieved
}

// ReadReport reads what was measured from a file.
func ReadReport(file string) (Report, error) {
	var r Report
	text, err := os.ReadFile(file)
	if err != nil {
		return r, fmt.Errorf("read what was measured: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read what was measured in %q: %w", file, err)
	}
	return r, nil
}

// Limit finds the limit of a program.
func (r Report) Limit(program string) (Limit, error) {
	for _, l := range r.Limits {
		if l.Program == program && len(l.held()) > 0 {
			return l, nil
		}
	}
	return Limit{}, fmt.Errorf("no limit of %q was measured", program)
}

// Put replaces the limit of the same program.
func (r *Report) Put(l Limit) {
	for i := range r.Limits {
		if r.Limits[i].Program == l.Program {
			r.Limits[i] = l
			return
		}
	}
	r.Limits = append(r.Limits, l)
}
