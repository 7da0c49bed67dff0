// Package attack carries out a schedule over vegeta's library: it lets each
// arrival begin when it is due, whether or not the target keeps up, and tells what
// became of every request.
//
// Vegeta ticks, and keeps the workers; what a tick does is ours. A vegeta target
// does not know its place in the schedule, so vegeta is given one target for all,
// and the RoundTripper below it does the arrival's whole walk, be it one request
// or a journey. A worker carries one arrival at a time.
//
// It must not know how results are kept or shown, nor where plans come from.
package attack

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"firedrill/loadgen/journey"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// Recorder is told what became of requests and journeys, by many goroutines.
type Recorder interface {
	Add(result.Sample)
	AddJourney(result.JourneySample)
}

// Config of an attack.
type Config struct {
	Schedule  schedule.Part
	Plan      *journey.Plan
	Record    Recorder
	Workers   int           // most arrivals under way at once
	Overrun   time.Duration // how long after the schedule's end late arrivals may still begin
	Transport string        // Fast (default) or Standard
	Timeout   time.Duration // of a request
	Insecure  bool          // do not check certificates
}

// Attack is one run. Use New.
type Attack struct {
	cfg       Config
	transport transport
	clock     *clock
	gate      gate
	stop      chan struct{}
	units     chan *unit // the idle ones

	mu     sync.Mutex
	errors map[string]string // by failure class: the first one's text
}

// unit is what a worker needs for an arrival.
type unit struct {
	attack *Attack
	walker *journey.Walker

	number uint64
	stage  int
	queued time.Duration // of the arrival's first request
}

// New prepares an attack. No request is sent before Run.
func New(cfg Config) (*Attack, error) {
	if cfg.Workers < 1 || cfg.Timeout <= 0 {
		return nil, fmt.Errorf("attack with %d workers and a timeout of %v: both must be above 0", cfg.Workers, cfg.Timeout)
	}
	transport, err := newTransport(cfg.Transport, TransportOptions{
		Connections: cfg.Workers, Timeout: cfg.Timeout, TLS: tlsConfig(cfg.Insecure),
	})
	if err != nil {
		return nil, err
	}
	a := &Attack{
		cfg: cfg, transport: transport, clock: newClock(), gate: gate{size: cfg.Workers},
		stop: make(chan struct{}), units: make(chan *unit, cfg.Workers), errors: map[string]string{},
	}
	for range cfg.Workers {
		u := &unit{attack: a}
		u.walker = journey.NewWalker(cfg.Plan, journey.World{
			Exchange: transport.exchange(), Now: a.clock.now, Stop: a.stop, Tell: u.tell,
		})
		a.units <- u
	}
	return a, nil
}

// Run carries out the schedule, or as much of it as is due when ctx ends, waits
// for the requests that are under way, and returns how it ended. It runs once.
func (a *Attack) Run(ctx context.Context) result.Ending {
	workers := uint64(a.cfg.Workers)
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: arrivals{a}}), vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: "http://arrival.invalid"})
	results := attacker.Attack(target, &pacer{attack: a}, 0, "")
	finished := make(chan struct{})
	ended := make(chan result.Ending, 1)
	go func() {
		select {
		case <-ctx.Done():
			ending := a.interrupted()
			close(a.stop)
			attacker.Stop()
			ended <- ending
		case <-finished:
			ended <- result.Ending{Elapsed: a.cfg.Schedule.Length()}
		}
	}()
	for range results { // each arrival's outcome was told already
	}
	close(finished)
	ending := <-ended
	if due := a.cfg.Schedule.Count(ending.Elapsed); due > a.Begun() {
		ending.Dropped = due - a.Begun()
	}
	a.transport.close()
	return ending
}

// interrupted is the ending if the run stops now. A schedule without an end is
// meant to be stopped, and one that is over cannot be interrupted any more.
func (a *Attack) interrupted() result.Ending {
	length := a.cfg.Schedule.Length()
	elapsed := min(a.Elapsed(), length)
	return result.Ending{Elapsed: elapsed, Interrupted: elapsed < length && length != schedule.Forever}
}

// Elapsed is the time since the run began; 0 before.
func (a *Attack) Elapsed() time.Duration { return a.clock.elapsed() }

// Begun is how many arrivals have begun.
func (a *Attack) Begun() uint64 { return a.gate.entered() }

// Busy is how many workers carry an arrival.
func (a *Attack) Busy() int { return a.gate.inside() }

// Errors are the texts of the first error of each failure class that had one.
func (a *Attack) Errors() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string]string, len(a.errors))
	for class, text := range a.errors {
		all[class] = text
	}
	return all
}

// arrivals is what vegeta's workers call for each tick.
type arrivals struct{ attack *Attack }

// RoundTrip does the walk of the arrival whose turn it is. The request says only
// which one that is; the response says nothing.
func (r arrivals) RoundTrip(req *http.Request) (*http.Response, error) {
	n, err := strconv.ParseUint(req.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read vegeta's sequence number: %w", err)
	}
	r.attack.arrive(n)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func (a *Attack) arrive(n uint64) {
	u := <-a.units
	u.number = a.cfg.Schedule.Number(n)
	due, stage := a.cfg.Schedule.At(u.number)
	u.stage = stage
	u.queued = a.gate.enter(a.clock.now(), due)
	u.walk(due)
	a.gate.leave()
	a.units <- u
}

func (u *unit) walk(due time.Duration) {
	walk := u.walker.Walk(journey.Arrival{Number: u.number, Due: due})
	if walk.Scenario.Kind != journey.Journey || walk.Abandoned {
		return
	}
	u.attack.cfg.Record.AddJourney(result.JourneySample{
		Seq: u.number, Scenario: walk.Scenario.Name, Stage: u.stage, Due: due, Done: walk.Done,
		Failed: walk.Failed, FailedStep: walk.FailedStep,
	})
}

// tell hands on the outcome of a request.
func (u *unit) tell(o *journey.Outcome) {
	if o.Err != nil {
		u.attack.remember(o.Failure, o.Err)
	}
	s := result.Sample{
		Seq: u.number, Scenario: o.Scenario.Name, Step: o.Step.Name, Later: o.Later, Stage: u.stage,
		Due: o.Due, Sent: o.Sent, Done: o.Done, Status: o.Status, Failure: o.Failure,
		BytesIn: int64(o.BytesIn), BytesOut: int64(o.BytesOut), TraceID: o.TraceID, Sampled: o.Sampled,
	}
	if !o.Later {
		s.Queued = min(u.queued, s.Sent-s.Due)
	}
	u.attack.cfg.Record.Add(s)
}

// remember keeps the first error of each class, and no more.
func (a *Attack) remember(class string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.errors[class]; !known {
		a.errors[class] = err.Error()
	}
}

// Recorders hands everything to each of several.
type Recorders []Recorder

// Add hands on a sample.
func (all Recorders) Add(s result.Sample) {
	for _, r := range all {
		r.Add(s)
	}
}

// AddJourney hands on a journey.
func (all Recorders) AddJourney(s result.JourneySample) {
	for _, r := range all {
		r.AddJourney(s)
	}
}
