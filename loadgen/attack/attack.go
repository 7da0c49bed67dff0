// Package attack carries out a schedule with vegeta's library. Each arrival begins when it
// is due, whether or not the target keeps up. The package reports the outcome of every
// request to a Recorder.
//
// Vegeta provides the ticks and the workers; this package decides what a tick does. A
// vegeta target does not know its place in the schedule. So vegeta gets one target for all
// ticks, and the RoundTripper below it carries out the whole arrival: one request or a
// journey. A worker carries out one arrival at a time.
//
// It must not know how results are stored or shown, nor where plans come from.
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

// Recorder receives the outcomes of requests and journeys. Many goroutines call it
// concurrently.
type Recorder interface {
	Add(result.Sample)
	AddJourney(result.JourneySample)
}

// Config configures an attack.
type Config struct {
	Schedule  schedule.Part
	Plan      *journey.Plan
	Record    Recorder
	Workers   int           // maximum number of active arrivals
	Overrun   time.Duration // late arrivals may still begin for this long after the schedule's end
	Transport string        // Fast (default) or Standard
	Timeout   time.Duration // time limit of a request
	Insecure  bool          // skip verification of certificates
}

// Attack is one run. Make one with New.
type Attack struct {
	cfg       Config
	transport transport
	clock     *clock
	gate      gate
	stop      chan struct{}
	units     chan *unit // idle units

	mu     sync.Mutex
	errors map[string]string // text of the first error by failure class
}

// unit is the state that a worker needs to carry out an arrival.
type unit struct {
	attack *Attack
	walker *journey.Walker

	number uint64
	stage  int
	ownLag time.Duration // lag of the arrival's requests so far that the generator itself caused
	queued time.Duration // time that the first request of the arrival waited for a worker
}

// New prepares an attack. It sends no request before Run.
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

// Run carries out the schedule until it ends or ctx ends. Then it waits for active requests
// and returns how the run ended. It must be called once.
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
	for range results { // the recorder already has the outcome of each arrival
	}
	close(finished)
	ending := <-ended
	if due := a.cfg.Schedule.Count(ending.Elapsed); due > a.Begun() {
		ending.Dropped = due - a.Begun()
	}
	a.transport.close()
	return ending
}

// interrupted returns the ending of a run that stops now. An endless schedule is meant to
// be stopped, so its run does not count as interrupted. Neither does the run of a schedule
// that has already ended.
func (a *Attack) interrupted() result.Ending {
	length := a.cfg.Schedule.Length()
	elapsed := min(a.Elapsed(), length)
	return result.Ending{Elapsed: elapsed, Interrupted: elapsed < length && length != schedule.Forever}
}

// Elapsed returns the time since the run began; 0 before.
func (a *Attack) Elapsed() time.Duration { return a.clock.elapsed() }

// Begun returns the number of arrivals that have begun.
func (a *Attack) Begun() uint64 { return a.gate.entered() }

// Busy returns the number of workers with an active arrival.
func (a *Attack) Busy() int { return a.gate.inside() }

// Errors returns the text of the first error of each failure class that occurred.
func (a *Attack) Errors() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string]string, len(a.errors))
	for class, text := range a.errors {
		all[class] = text
	}
	return all
}

// arrivals is the RoundTripper that vegeta's workers call at each tick.
type arrivals struct{ attack *Attack }

// RoundTrip carries out one arrival. The request has only the number of the arrival. The
// response is empty.
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
	u.queued, u.ownLag = a.gate.enter(a.clock.now(), due), 0
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
		Seq: u.number, Scenario: walk.Scenario.Name, Stage: u.stage, Due: due, Done: walk.Done, OwnLag: u.ownLag,
		Failed: walk.Failed, FailedStep: walk.FailedStep,
	})
}

// tell records the outcome of a request.
func (u *unit) tell(o *journey.Outcome) {
	if o.Err != nil {
		u.attack.remember(o.Failure, o.Err)
	}
	s := result.Sample{
		Seq: u.number, Scenario: o.Scenario.Name, Step: o.Step.Name, Later: o.Later, Stage: u.stage,
		Due: o.Due, Sent: o.Sent, Done: o.Done, Status: o.Status, Failure: o.Failure,
		Resent: o.Resent, BytesIn: int64(o.BytesIn), BytesOut: int64(o.BytesOut), TraceID: o.TraceID, Sampled: o.Sampled,
	}
	if !o.Later {
		s.Queued = min(u.queued, s.Sent-s.Due)
	}
	u.ownLag += s.OwnLag()
	u.attack.cfg.Record.Add(s)
}

// remember keeps the first error of each class.
func (a *Attack) remember(class string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.errors[class]; !known {
		a.errors[class] = err.Error()
	}
}

// Recorders passes each call to several recorders.
type Recorders []Recorder

// Add passes on a sample.
func (all Recorders) Add(s result.Sample) {
	for _, r := range all {
		r.Add(s)
	}
}

// AddJourney passes on a journey.
func (all Recorders) AddJourney(s result.JourneySample) {
	for _, r := range all {
		r.AddJourney(s)
	}
}
