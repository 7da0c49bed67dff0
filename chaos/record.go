package chaos

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// record is the journal while it is written. Everything goes through its methods,
// from several goroutines.
type record struct {
	observe func(Event)
	probes  []*trackedProbe
	sights  []*trackedSight

	takes []Need        // what is not held against the machine
	poll  time.Duration // between two looks

	mu     sync.Mutex
	j      Journal
	alerts tracker
	deaf   gaps
	active int // faults that are on
}

// trackedProbe is a probe while it is asked.
type trackedProbe struct {
	Probe
	signal Signal
	// Under the record's lock.
	before  *float64 // at the end of the warm-up
	samples []Sample
	gaps    gaps
}

// gaps finds times without an answer. The zero value has not begun.
type gaps struct {
	last time.Time // something was known until then
	open bool
	all  []Gap
}

// begin says that answers are wanted from now on.
func (g *gaps) begin(now time.Time) { g.last = now }

// note takes an answer, or the error in place of one.
func (g *gaps) note(now time.Time, err error) {
	switch {
	case g.last.IsZero():
		g.last = now
	case err == nil:
		g.open, g.last = false, now
	case g.open:
		g.all[len(g.all)-1].To = now
	default:
		g.open = true
		g.all = append(g.all, Gap{g.last, now, err.Error()})
	}
}

// now is how long nothing has been known.
func (g *gaps) now() time.Duration {
	if !g.open {
		return 0
	}
	return g.all[len(g.all)-1].Length()
}

// longest of some gaps; zero if there is none.
func longest(all []Gap) Gap {
	var most Gap
	for _, g := range all {
		if g.Length() > most.Length() {
			most = g
		}
	}
	return most
}

func newRecord(d *Drill, c Config) *record {
	now := time.Now()
	r := &record{observe: c.Observe, takes: d.Takes, j: Journal{
		Drill: d.Name, Title: d.Title, Story: d.Story, Answer: d.Answer, Runbook: d.Runbook, Scale: c.Scale, Seed: c.Seed,
		Start: now, Load: LoadRun{Profile: d.Load.Profile, Rate: d.Load.Rate},
	}}
	for _, p := range d.Hypothesis {
		r.probes = append(r.probes, &trackedProbe{Probe: p, signal: SignalProbe})
	}
	for _, service := range d.Expect.Healthy {
		r.probes = append(r.probes, &trackedProbe{signal: SignalHealth, Probe: Probe{
			Name: service + " stays ready", Query: Query{HTTP, "GET ${" + service + ".admin}/readyz"},
			Is: Comparison{"==", 200}, Mode: Continuous, NoData: Failed, Needs: needsOf(HTTP),
		}})
	}
	for _, f := range d.Faults {
		r.j.Faults = append(r.j.Faults, FaultRun{Kind: f.Kind, Target: f.Target, Params: f.Params, At: Seconds(f.At), For: Seconds(f.For)})
	}
	r.alerts.expected = d.Expect.Alerts
	return r
}

// emit notes an event. The lock is held.
func (r *record) emit(e Event) {
	e.At = time.Now()
	r.j.Events = append(r.j.Events, e)
	if r.observe != nil {
		r.observe(e)
	}
}

// note notes an event that is about nothing in particular.
func (r *record) note(kind EventKind, state, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emit(Event{Kind: kind, State: state, Text: fmt.Sprintf(format, args...)})
}

// phase begins a phase, and so ends the one before.
func (r *record) phase(name PhaseName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endPhase()
	r.j.Phases = append(r.j.Phases, Phase{Name: name, From: time.Now()})
	r.emit(Event{Kind: EventPhase, State: "began", Text: string(name)})
}

// over ends the last phase, and with it the run.
func (r *record) over() {
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

// stop notes why the run ends before its time.
func (r *record) stop(s *stopped) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Stopped = &Stop{time.Now(), r.j.Phases[len(r.j.Phases)-1].Name, s.verdict, s.reason}
	if s.machine {
		r.j.Advice = advice
	}
	r.emit(Event{Kind: EventProblem, State: string(s.verdict), Text: s.reason})
}

// first keeps only the last answer of those before the faults.
func (r *record) first(p *trackedProbe, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.before = &value
	p.samples = []Sample{{time.Now(), value, p.holds(nil, value)}}
}

// forget drops the answers so far, for those of another time.
func (r *record) forget(p *trackedProbe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.samples = nil
}

// answered notes a probe's answer.
func (r *record) answered(p *trackedProbe, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, holds := time.Now(), p.holds(p.before, value)
	held := len(p.samples) == 0 || p.samples[len(p.samples)-1].Holds
	p.samples = append(p.samples, Sample{now, value, holds})
	p.gaps.note(now, nil)
	switch {
	case held && !holds:
		r.emit(Event{Kind: EventProbe, State: "broken", Text: fmt.Sprintf("%s: it is %s, want %s", p.Name, formatNumber(value), p.want())})
	case !held && holds:
		r.emit(Event{Kind: EventProbe, State: "holds", Text: fmt.Sprintf("%s: it is %s again", p.Name, formatNumber(value))})
	}
}

// idle notes that no answer is wanted of a probe for now.
func (r *record) idle(p *trackedProbe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.gaps.begin(time.Now())
}

// unanswered notes that a probe had no answer.
func (r *record) unanswered(p *trackedProbe, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := p.gaps.open
	if p.gaps.note(time.Now(), err); !was && p.gaps.open {
		r.emit(Event{Kind: EventProbe, State: "unanswered", Text: fmt.Sprintf("%s: %v", p.Name, err)})
	}
}

// faultBegan and faultEnded note a fault's time; the active ones are counted.
func (r *record) faultBegan(i int, f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Faults[i].Began = time.Now()
	r.active++
	r.emit(Event{Kind: EventFault, State: "began", Text: r.j.Faults[i].String(), Fault: &f})
}

func (r *record) faultEnded(i int, f Fault, at time.Time, problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := &r.j.Faults[i]
	run.Ended, run.Problem = at, problem
	r.active--
	r.emit(Event{Kind: EventFault, State: "ended", Text: run.String(), Fault: &f})
	if problem != "" {
		r.emit(Event{Kind: EventProblem, State: "fault", Text: run.String() + ": " + problem})
	}
}

func (r *record) faultFailed(i int, problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Faults[i].Problem = problem
	r.emit(Event{Kind: EventProblem, State: "fault", Text: r.j.Faults[i].String() + ": " + problem})
}

// anyActive is whether a fault is on.
func (r *record) anyActive() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active > 0
}

// faultTime is from when to when there were faults; to is now while there are.
func (r *record) faultTime() (from, to time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, to = r.j.FaultsBegan(), r.j.FaultsEnded()
	if to.IsZero() || r.active > 0 {
		to = time.Now()
	}
	return from, to
}

// faultsOver is whether the time of the faults is over. The lock is held.
func (r *record) faultsOver() bool {
	name := r.j.Phases[len(r.j.Phases)-1].Name
	return name == PhaseRecovery || name == PhaseRollback
}

func (r *record) loadBegan() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Load.Began = time.Now()
	r.emit(Event{Kind: EventLoad, State: "began", Text: r.j.Load.String()})
}

// loadDied notes that the load ended by itself, and returns whether that was too
// early.
func (r *record) loadDied() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.j.Load.Ended = time.Now()
	r.emit(Event{Kind: EventLoad, State: "ended", Text: r.j.Load.String() + " ended by itself"})
	return !r.faultsOver()
}

func (r *record) loadEnded(result LoadResult, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	load := &r.j.Load
	load.LoadResult = result
	if result.Requests > 0 && !slices.Contains(r.takes, NeedLoad) {
		r.j.Machine.saw(NeedLoad, time.Duration(result.Late), load.Began, time.Now())
	}
	if load.Ended.IsZero() {
		load.Ended = time.Now()
		r.emit(Event{Kind: EventLoad, State: "ended", Text: load.String()})
	}
	if err != nil {
		load.Problem = err.Error()
		r.emit(Event{Kind: EventProblem, State: "load", Text: "stop the load: " + load.Problem})
	}
}

// journal is the finished one, but for what is made of it.
func (r *record) journal() *Journal {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.j
	j.Alerts, j.Blind, j.Deaf = r.alerts.snapshot(), r.alerts.gaps.all, r.deaf.all
	for _, p := range r.probes {
		j.Probes = append(j.Probes, ProbeRun{
			Signal: p.signal, Name: p.Name, Mode: p.Mode, Query: p.Text, Want: p.want(), NoData: p.NoData, Needs: p.Needs,
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
