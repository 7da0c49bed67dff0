package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// Mutant is a run of a drill in which something that the drill must notice was taken
// away or added. If the drill still passes, it does not notice such a change.
type Mutant struct {
	Drill string `json:"drill"`
	// Change is what was done, such as "the fault is switched off".
	Change  string  `json:"change"`
	Verdict Verdict `json:"verdict"`
	// Reason is the first reason for the verdict; "" for a pass.
	Reason string `json:"reason,omitempty"`
}

// Killed reports whether the drill noticed.
func (m Mutant) Killed() bool { return m.Verdict == Fail }

// NewMutant returns a mutant with the verdict of a changed run.
func NewMutant(j *Journal, change string) Mutant {
	m := Mutant{Drill: j.Drill, Change: change, Verdict: j.Verdict}
	if len(j.Reasons) > 0 {
		m.Reason = j.Reasons[0]
	}
	return m
}

// Changes of mutants that need a separate run.
const (
	// ChangeNone is the change of the run that must pass.
	ChangeNone = "nothing is changed"
	// ChangeFaultOff is the change of a run with an Idle injector.
	ChangeFaultOff = "the fault is switched off"
)

// AsWanted reports whether the run had the wanted verdict: pass without a change, fail with
// any change.
func (m Mutant) AsWanted() bool {
	if m.Change == ChangeNone {
		return m.Verdict == Pass
	}
	return m.Killed()
}

// CountMutants returns how many mutants had another verdict than wanted, and how many had
// no clear result.
func CountMutants(all []Mutant) (missed, unclear int) {
	for _, m := range all {
		switch {
		case m.AsWanted():
		case m.Verdict == Inconclusive || m.Verdict == Aborted:
			unclear++
		default:
			missed++
		}
	}
	return missed, unclear
}

// Mutants judges a run that passed again, once for each change to what was seen:
// without each expected alert, without each signal, and with one more alert. The
// journal is not changed. The error says that the journal is of another drill or did
// not pass.
func Mutants(j *Journal, d *drill.Drill) ([]Mutant, error) {
	if j.Drill != d.Name || j.Verdict != Pass {
		return nil, fmt.Errorf("make mutants of drill %q: want a run of it that passed, not %q with verdict %s", d.Name, j.Drill, j.Verdict)
	}
	d = d.AtScale(j.Scale)
	var all []Mutant
	for _, c := range changes(d) {
		changed, err := c.apply(j)
		if err != nil {
			return nil, err
		}
		judge(changed, d, nil, make([]*Prediction, len(d.Expect.Alerts)))
		all = append(all, NewMutant(changed, c.name))
	}
	return all, nil
}

// change is one thing done to what a run saw.
type change struct {
	name string
	do   func(j *Journal)
}

// apply returns a changed copy of the journal that is not judged yet.
func (c change) apply(j *Journal) (*Journal, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("copy a journal: %w", err)
	}
	var out Journal
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("copy a journal: %w", err)
	}
	out.Verdict, out.Reasons, out.Checks, out.Advice = "", nil, nil, ""
	c.do(&out)
	return &out, nil
}

// changes returns the changes that apply to a drill.
func changes(d *drill.Drill) []change {
	var all []change
	for _, e := range d.Expect.Alerts {
		all = append(all, change{"the alert " + e.String() + " is removed", func(j *Journal) {
			j.Alerts = slices.DeleteFunc(j.Alerts, func(a AlertRun) bool { return e.Matches(a.Labels) })
		}})
	}
	for _, signal := range []Signal{SignalMetric, SignalTrace, SignalLog} {
		if expects(d, signal) {
			all = append(all, change{fmt.Sprintf("the %ss are dropped", signal), func(j *Journal) { drop(j, signal) }})
		}
	}
	return append(all, change{"another alert fires", func(j *Journal) {
		at := j.from(PhaseWarmUp).Add(time.Second)
		j.Alerts = append(j.Alerts, AlertRun{
			Labels:   map[string]string{drill.LabelAlert: "AddedByMutant", drill.LabelSeverity: "page"},
			Episodes: []Episode{{Firing: at, Resolved: at.Add(5 * time.Second)}},
		})
	}})
}

// expects reports whether a drill expects anything of a signal.
func expects(d *drill.Drill, signal Signal) bool {
	n := map[Signal]int{
		SignalMetric: len(d.Expect.Metrics), SignalTrace: len(d.Expect.Traces), SignalLog: len(d.Expect.Logs),
	}
	return n[signal] > 0
}

// drop removes what a signal showed: backends answered and found nothing.
func drop(j *Journal, signal Signal) {
	for i := range j.Sights {
		s := &j.Sights[i]
		if s.Signal != signal {
			continue
		}
		s.Seen, s.TraceID, s.Link, s.Before = time.Time{}, "", "", nil
		s.During = nil
		s.Gaps = []Gap{{From: j.FaultsBegan(), To: j.FaultsEnded(), Why: ErrNoData.Error(), Empty: true}}
		if signal != SignalMetric { // the value is the number of lines or traces found
			zero := 0.0
			s.During, s.Gaps = &zero, nil
		}
	}
}

// Idle returns an injector that checks faults like of does, and begins none: it only
// says that they are on.
func Idle(of Injector) Injector { return idle{of} }

type idle struct{ Injector }

// Begin implements Injector.
func (idle) Begin(context.Context, drill.Fault, time.Duration) (Injection, error) {
	return noInjection{}, nil
}

type noInjection struct{}

func (noInjection) Renew(context.Context) error { return nil }
func (noInjection) End(context.Context) error   { return nil }
