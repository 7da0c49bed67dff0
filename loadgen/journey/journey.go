// Package journey is what those do who arrive at the target: one request, or
// several that belong together, in which what one answer says feeds the next
// request. The same plan, arrival and run id give the same requests, byte for byte.
//
// It must not know when arrivals are due, how a request travels, or how outcomes
// are kept.
package journey

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Plan is everything that arrivals may do. Use NewPlan.
type Plan struct {
	Settings
	total float64 // of all weights
	needs [][]int // data that each scenario uses
}

// Settings of a plan.
type Settings struct {
	Scenarios []Scenario
	Data      []Source // of the variables at the first places
	Variables int      // how many places there are, those of data included
	Seed      uint64
	Run       RunID
	Sampled   float64 // share of arrivals whose traces are asked to be kept, 0 to 1
}

// Scenario is what one kind of arrival does.
type Scenario struct {
	Name   string
	Weight float64 // relative to the other scenarios'
	Steps  []Step
	Kind   Kind
}

// Kind is how a scenario's steps belong together.
type Kind int

// Single has one step. Journey takes all, until one fails. Cycle takes a single
// one, the next arrival the next.
const (
	Single Kind = iota
	Journey
	Cycle
)

// Step is one request, or the same one again and again until the answer is as wanted.
type Step struct {
	Name   string // "" but in a journey
	Method string
	URL    Template
	Header []Header
	Body   Template
	Think  time.Duration // from the answer before until this request is due
	Expect Expect
	Take   []Take
	Poll   Poll
}

// Header is a header of a request.
type Header struct {
	Name  string
	Value Template
}

// Expect is what an answer must be to be good.
type Expect struct {
	Status   []int  // any of them; none: 200 to 399
	Ends     []int  // also good, but then the journey ends: there is nothing more to do
	Contains string // somewhere in the body
	JSON     []Match
}

// Match holds when the JSON body has, at a path of github.com/tidwall/gjson, a
// value that reads so.
type Match struct{ Path, Want string }

// Take puts a value of the JSON body into a variable. It must be there.
type Take struct {
	Path  string
	Place int
}

// Poll repeats a step. The zero value does not.
type Poll struct {
	Every, For time.Duration // For: since the first of its requests was due
	Until      []Match       // all hold: done
	Unless     []Match       // all hold: failed
}

// Failure classes. Their number is bounded, they end up in labels.
const (
	FailStatus     = "status"     // not the expected one
	FailCheck      = "check"      // the body lacks what was expected, or is not what a step takes from
	FailUnmet      = "unmet"      // a poll's time was over
	FailTimeout    = "timeout"    // no answer, or not all of it, in time
	FailConnection = "connection" // refused, reset, closed
	FailBody       = "body"       // longer than allowed
)

// NewPlan checks that the settings hang together.
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

// needs are the places of the data that the scenario uses, each once.
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

// pick is the index of the scenario that comes next by weight.
func (p *Plan) pick(r *rand.Rand) int {
	left := r.Float64() * p.total
	for i := range p.Scenarios {
		if left -= p.Scenarios[i].Weight; left < 0 {
			return i
		}
	}
	return len(p.Scenarios) - 1
}

// Failures are all the classes.
func Failures() []string {
	return []string{FailStatus, FailCheck, FailUnmet, FailTimeout, FailConnection, FailBody}
}
