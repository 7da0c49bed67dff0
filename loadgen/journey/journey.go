// Package journey defines what an arrival does at the target: one request, or several
// dependent requests in which an answer provides values for the next request. The same
// plan, arrival and run id give the same requests, byte for byte.
//
// It must not know when arrivals are due, how a request is transported, or how outcomes are
// stored.
package journey

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Plan defines everything that arrivals may do. Make one with NewPlan.
type Plan struct {
	Settings
	total float64 // sum of all weights
	needs [][]int // places of the data that each scenario uses
}

// Settings configure a plan.
type Settings struct {
	Scenarios []Scenario
	Data      []Source // sources of the variables at the first places
	Variables int      // number of places, including those of Data
	Seed      uint64
	Run       RunID
	Sampled   float64 // share of arrivals whose traces are sampled, 0 to 1
}

// Scenario defines what one kind of arrival does.
type Scenario struct {
	Name   string
	Weight float64 // relative to the other scenarios
	Steps  []Step
	Kind   Kind
}

// Kind is how an arrival uses the steps of a scenario.
type Kind int

// Single has one step. Journey takes all steps until one fails. Cycle takes a single step;
// each arrival takes the next one.
const (
	Single Kind = iota
	Journey
	Cycle
)

// Step is one request. With a Poll it is repeated until the response is as wanted.
type Step struct {
	Name   string // "" except in a journey
	Method string
	URL    Template
	Header []Header
	Body   Template
	Think  time.Duration // time from the previous answer until this request is due
	Expect Expect
	Take   []Take
	Poll   Poll
	// KeepTrace sends a header "traceparent" of the step instead of a new trace.
	KeepTrace bool
}

// Header is a request header.
type Header struct {
	Name  string
	Value Template
}

// Expect defines which responses are good.
type Expect struct {
	Status   []int  // any of these; empty: 200 to 399
	Ends     []int  // also good, but then the journey ends without further steps
	Contains string // text that the body must contain
	JSON     []Match
}

// Match holds if the JSON body has the value Want at Path. Path is a path of
// github.com/tidwall/gjson.
type Match struct{ Path, Want string }

// Take stores a value of the JSON body in a variable. A missing value is a failure.
type Take struct {
	Path  string
	Place int
}

// Poll repeats a step. The zero value does not repeat it.
type Poll struct {
	Every, For time.Duration // For: counted from when the first request was due
	Until      []Match       // if all hold, the step is done
	Unless     []Match       // if all hold, the step has failed
}

// Failure classes. Their number is bounded, because they become label values.
const (
	FailStatus     = "status"     // not an expected status
	FailCheck      = "check"      // the body lacks expected content or a value that the step takes
	FailUnmet      = "unmet"      // the time of a poll is over
	FailTimeout    = "timeout"    // no complete answer within the timeout
	FailConnection = "connection" // the connection was refused, reset or closed
	FailBody       = "body"       // the body is too large
)

// NewPlan checks the settings and returns their plan.
func NewPlan(s Settings) (*Plan, error) {
	p := &Plan{Settings: s}
	if len(s.Scenarios) == 0 {
		return nil, errors.New("no scenario")
	}
	for i := range s.Scenarios {
		sc := &s.Scenarios[i]
		if len(sc.Steps) == 0 || sc.Weight < 0 {
			return nil, fmt.Errorf("scenario %q: %d steps, weight %g", sc.Name, len(sc.Steps), sc.Weight)
		}
		p.total += sc.Weight
		p.needs = append(p.needs, sc.needs(len(s.Data)))
	}
	if p.total <= 0 {
		return nil, errors.New("all scenarios have the weight 0")
	}
	return p, nil
}

// needs returns the places of the data that the scenario uses, without duplicates.
func (s *Scenario) needs(data int) []int {
	var all []int
	for i := range s.Steps {
		st := &s.Steps[i]
		all = append(all, st.URL.places()...)
		all = append(all, st.Body.places()...)
		for _, h := range st.Header {
			all = append(all, h.Value.places()...)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(place int) bool { return place >= data })
}

// pick draws a scenario by weight and returns its index.
func (p *Plan) pick(r *rand.Rand) int {
	left := r.Float64() * p.total
	for i := range p.Scenarios {
		if left -= p.Scenarios[i].Weight; left < 0 {
			return i
		}
	}
	return len(p.Scenarios) - 1
}

// Failures returns all failure classes.
func Failures() []string {
	return []string{FailStatus, FailCheck, FailUnmet, FailTimeout, FailConnection, FailBody}
}
