// Package profile reads what a load test shall do: a YAML file, a command line, or
// vegeta's lists of targets. What it returns is complete and hangs together; what
// does not is refused with file, line and key.
//
// It must not know how a load test is carried out or judged.
package profile

import (
	"os"
	"time"

	"firedrill/loadgen/journey"
	"firedrill/loadgen/schedule"
)

// Profile is what a load test shall do.
type Profile struct {
	Name        string
	Teaches     string
	Target      string // base URL; "" if every request brings its own
	Seed        uint64
	Scale       float64 // by which the rates that the profile says were multiplied
	Stages      []Stage // with the rates that are sent
	Schedule    *schedule.Schedule
	Plan        journey.Settings // Run is left to whoever runs it
	Thresholds  []Threshold
	Limits      Limits
	TraceURL    string // "{trace_id}" stands for the trace's id; "": not said
	Hosts       []Host // that requests go to, as far as they are known
	Fingerprint string // of stages, data, scenarios and workers: runs with the same differ in seed and target only
}

// Stage is a stage of the schedule as people speak of it.
type Stage struct {
	Name  string
	Shape string // such as "ramp 10/s to 200/s"
}

// Threshold is an expression that another package reads, and where it stands.
type Threshold struct {
	Expression string
	Where      string // as errors begin: "file:line: key"
}

// Host is one that requests go to, and where that stands.
type Host struct {
	Name  string // without the port
	Where string // as errors begin
}

// Limits of a run.
type Limits struct {
	Workers   int           // most arrivals under way at once
	Timeout   time.Duration // of a request
	Overrun   time.Duration // how long after the schedule's end late arrivals may still begin
	LagP99    time.Duration // the generator's own lag, beyond which a run is invalid
	RateError float64       // share by which the achieved rate may differ, beyond which a run is invalid
}

// Defaults of what a profile need not say.
const (
	DefaultWorkers   = 256
	DefaultTimeout   = 10 * time.Second
	DefaultOverrun   = 10 * time.Second
	DefaultLagP99    = 10 * time.Millisecond
	DefaultRateError = 0.01
	DefaultShare     = 0.1 // of arrivals whose traces are kept
	DefaultSeed      = 1
)

// Shop is the target that means the gateway of this copy's shop.
const Shop = "shop"

// Options of reading a profile. What is not zero stands instead of what the profile says.
type Options struct {
	Target  string
	Seed    *uint64
	Workers int
	Timeout time.Duration
	Share   *float64 // of arrivals whose traces are kept
	Scale   float64  // multiplies all rates; 0 is 1
	// Steady is the rate, such as "20/s", of one endless stage of random arrivals that
	// replaces the stages; "" keeps them. It drops the thresholds too, which may name
	// stages that are gone.
	Steady string

	Shop   string              // URL that the target "shop" means
	Getenv func(string) string // for ${env.NAME}
}

// Load reads a profile from a file. Errors in it are of type *Error.
func Load(path string, o Options) (*Profile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{File: path, Err: err}
	}
	return Parse(path, data, o)
}
