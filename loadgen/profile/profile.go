// Package profile reads the description of a load test from a YAML file, from command-line
// flags, or from vegeta's lists of targets. A profile that it returns is complete and
// consistent. An error names file, line and key.
//
// It must not know how a load test is carried out or judged.
package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"firedrill/internal/yamlfile"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/schedule"
)

// Profile is the description of a load test.
type Profile struct {
	Name        string
	Teaches     string
	Target      string // base URL; "" if every request has a full URL
	Seed        uint64
	Scale       float64 // factor by which all rates of the file were multiplied
	Stages      []Stage // the rates in them are already multiplied by Scale
	Schedule    *schedule.Schedule
	Plan        journey.Settings // its Run is set by the caller
	Thresholds  []Threshold
	Limits      Limits
	TraceURL    string // "{trace_id}" stands for the trace's id; "" if the profile has none
	Hosts       []Host // hosts of the requests, as far as they do not depend on variables
	Fingerprint string // digest of stages, data, scenarios and workers; runs with the same one can differ only in seed and target
}

// Stage is a stage of the schedule, in words.
type Stage struct {
	Name  string
	Shape string // such as "ramp 10/s to 200/s"
}

// Threshold is the text of a threshold and its position. Package threshold parses it.
type Threshold struct {
	Expression string
	Where      string // position for errors: "file:line: key"
}

// Host is a host that requests go to, and the position of its name.
type Host struct {
	Name  string // without the port
	Where string // position for errors: "file:line: key"
}

// Limits are the limits of a run.
type Limits struct {
	Workers   int           // maximum number of active arrivals
	Timeout   time.Duration // time limit of a request
	Overrun   time.Duration // late arrivals may still begin for this long after the schedule's end
	LagP99    time.Duration // a run is invalid if the p99 of the generator's own lag is greater
	RateError float64       // a run is invalid if the achieved rate differs by a greater share
}

// Defaults of optional keys.
const (
	DefaultWorkers   = 256
	DefaultTimeout   = 10 * time.Second
	DefaultOverrun   = 10 * time.Second
	DefaultLagP99    = 10 * time.Millisecond
	DefaultRateError = 0.01
	DefaultShare     = 0.1 // share of arrivals whose traces are kept
	DefaultSeed      = 1
)

// Shop is the target that stands for the gateway of the shop of this copy.
const Shop = "shop"

// Options override what a profile has. The zero value overrides nothing.
type Options struct {
	Target  string
	Seed    *uint64
	Workers int
	Timeout time.Duration
	Share   *float64 // share of arrivals whose traces are kept
	Scale   float64  // factor on all rates; 0 means 1
	// Steady is the rate, such as "20/s", of a single endless stage of random arrivals that
	// replaces the stages. "" keeps the stages. It also removes the thresholds, because
	// they may name stages that no longer exist.
	Steady string

	Shop   string              // URL for the target "shop"
	Getenv func(string) string // looks up NAME of ${env.NAME}
}

// Load reads a profile from a file. Errors in the file are of type *Error.
func Load(path string, o Options) (*Profile, error) {
	data, err := yamlfile.ReadText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the profile: %w; a URL begins with http:// or https://", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	return Parse(path, data, o)
}
