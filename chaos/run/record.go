package run

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"firedrill/chaos/drill"
)

// record is the journal while it is written. All access goes through its methods,
// which take the lock; several goroutines call them.
type record struct {
	observe func(Event)
	probes  []*trackedProbe
	sights  []*trackedSight

	takes []drill.Need  // needs that faults take from the machine
	poll  time.Duration // interval between two looks

	mu     sync.Mutex
	j      Journal
	alerts tracker
	deaf   gaps
	active int // number of active faults
}

// trackedProbe is a probe and its answers so far.
type trackedProbe struct {
	drill.Probe
	signal Signal
	// The fields below are protected by the record's lock.
	before  *float64 // value at the end of the warm-up
	samples []Sample
	gaps    gaps
}

func newRecord(d *drill.Drill, c Config) *record {
	now := time.Now()
	r := &record{observe: c.Observe, takes: d.Takes, j: Journal{
		Drill: d.Name, Title: d.Title, Story: d.Story, Answer: d.Answer, Runbook: d.Runbook, Scale: c.Scale, Seed: c.Seed,
		Start: now, Load: LoadRun{Profile: d.Load.Profile, Rate: d.Load.Rate},
	}}
	for _, p := range d.Hypothesis {
		r.probes = append(r.probes, &trackedProbe{Probe: p, signal: SignalProbe})
	}
	for _, service := range d.Expect.Healthy {
		r.probes = append(r.probes, &trackedProbe{signal: SignalHealth, Probe: drill.Probe{
			Name: service + " stays ready", Query: drill.Query{Language: drill.HTTP, Text: "GET ${" + service + ".admin}/readyz"},
			Is: drill.Comparison{Op: "==", Bound: 200}, Mode: drill.Continuous, NoData: drill.NoDataFails, Needs: drill.NeedsOf(drill.HTTP),
		}})
	}
	for _, f := range d.Faults {
		r.j.Faults = append(r.j.Faults, FaultRun{Kind: f.Kind, Target: f.Target, Params: f.Params, At: Seconds(f.At), For: Seconds(f.For)})
	}
	r.alerts.expected = d.Expect.Alerts
	return r
}

// emit adds an event and passes it to the observer. The lock is held.
func (r *record) emit(e Event) {
	e.At = time.Now()
	r.j.Events = append(r.j.Events, e)
	if r.observe != nil {
		r.observe(e)
	}
}

// note adds an event that is about no fault and no alert.
func (r *record) note(kind EventKind, state EventState, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emit(Event{Kind: kind, State: state, Text: fmt.Sprintf(format, args...)})
}

// beginPhase ends the current phase and begins the next.
func (r *record) beginPhase(name PhaseName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endPhase()
	r.j.Phases = append(r.j.Phases, Phase{Name: name, From: time.Now()})
	r.emit(Event{Kind: EventPhase, State: StateBegan, Text: string(name)})
}

// end ends the last phase, and with it the run.
func (r *record) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endPhase()
	r.j.End = time.Now()
}

func (r *record) endPhase() {
	if n := len(r.j.Phases); n > 0 {
		r.j.Phases[n-1].To = time.Now()
	}
}

// noteStop notes why the run ends early.
func (r *record) noteStop(s *stopped) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Stopped = &Stop{time.Now(), r.j.Phases[len(r.j.Phases)-1].Name, s.verdict, s.reason}
	if s.machine {
		r.j.Advice = advice
	}
	r.emit(Event{Kind: EventProblem, State: EventState(s.verdict), Text: s.reason})
}

// noteFaultBegan notes that a fault is on.
func (r *record) noteFaultBegan(i int, f drill.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Faults[i].Began = time.Now()
	r.active++
	r.emit(Event{Kind: EventFault, State: StateBegan, Text: r.j.Faults[i].String(), Fault: &f})
}

func (r *record) noteFaultEnded(i int, f drill.Fault, at time.Time, problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := &r.j.Faults[i]
	run.Ended, run.Problem = at, problem
	r.active--
	r.emit(Event{Kind: EventFault, State: StateEnded, Text: run.String(), Fault: &f})
	if problem != "" {
		r.emit(Event{Kind: EventProblem, State: StateFault, Text: run.String() + ": " + problem})
	}
}

func (r *record) noteFaultFailed(i int, problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Faults[i].Problem = problem
	r.emit(Event{Kind: EventProblem, State: StateFault, Text: r.j.Faults[i].String() + ": " + problem})
}

// anyActive reports whether a fault is on.
func (r *record) anyActive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active > 0
}

// faultTime returns the time range of the faults; the end is now while any is active.
func (r *record) faultTime() (from, to time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, to = r.j.FaultsBegan(), r.j.FaultsEnded()
	if to.IsZero() || r.active > 0 {
		to = time.Now()
	}
	return from, to
}

// faultsOver reports whether the phase of the faults is over. The lock is held.
func (r *record) faultsOver() bool {
	name := r.j.Phases[len(r.j.Phases)-1].Name
	return name == PhaseRecovery || name == PhaseRollback
}

func (r *record) noteLoadBegan() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Load.Began = time.Now()
	r.emit(Event{Kind: EventLoad, State: StateBegan, Text: r.j.Load.String()})
}

// noteLoadDied notes that the load ended without being stopped. It reports whether that was
// too early.
func (r *record) noteLoadDied() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Load.Ended = time.Now()
	r.emit(Event{Kind: EventLoad, State: StateEnded, Text: r.j.Load.String() + " ended by itself"})
	return !r.faultsOver()
}

func (r *record) noteLoadEnded(result LoadResult, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	load := &r.j.Load
	load.LoadResult = result
	if result.Requests > 0 && !slices.Contains(r.takes, drill.NeedLoad) {
		r.j.Machine.add(drill.NeedLoad, time.Duration(result.Late), load.Began, time.Now())
	}
	if load.Ended.IsZero() {
		load.Ended = time.Now()
		r.emit(Event{Kind: EventLoad, State: StateEnded, Text: load.String()})
	}
	if err != nil {
		load.Problem = err.Error()
		r.emit(Event{Kind: EventProblem, State: StateLoad, Text: "stop the load: " + load.Problem})
	}
}

// events returns all events so far.
func (r *record) events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.j.Events)
}

// journal returns what was recorded. Checks, verdict and charts are still missing.
func (r *record) journal() *Journal {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.j
	j.Alerts, j.Blind, j.Deaf = r.alerts.snapshot(), r.alerts.gaps.all, r.deaf.all
	for _, p := range r.probes {
		j.Probes = append(j.Probes, ProbeRun{
			Signal: p.signal, Name: p.Name, Mode: p.Mode, Query: p.Text, Want: p.Want(), NoData: Outcome(p.NoData), Needs: p.Needs,
			Before: p.before, Samples: p.samples, Gaps: p.gaps.all,
		})
	}
	for _, s := range r.sights {
		seen := s.Sight
		seen.Gaps = s.gaps.all
		j.Sights = append(j.Sights, seen)
	}
	return &j
}
