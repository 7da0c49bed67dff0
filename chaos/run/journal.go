package run

import (
	"time"

	"firedrill/chaos/drill"
)

// Journal is everything known about one run of a drill: what was done, what was seen,
// and the verdict. Reports and scorecards are made of it alone.
type Journal struct {
	Drill   string        `json:"drill"`
	Title   string        `json:"title"`
	Story   string        `json:"story"`
	Answer  *drill.Answer `json:"answer,omitempty"`
	Runbook string        `json:"runbook,omitempty"`
	Scale   float64       `json:"scale"`
	Seed    uint64        `json:"seed"`

	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Phases []Phase   `json:"phases"`

	Verdict Verdict  `json:"verdict"`
	Reasons []string `json:"reasons"`          // why the run did not pass
	Advice  string   `json:"advice,omitempty"` // what to do to get a clear result
	Stopped *Stop    `json:"stopped,omitempty"`
	Checks  []Check  `json:"checks"`

	Load    LoadRun    `json:"load"`
	Machine MachineRun `json:"machine"`
	Faults  []FaultRun `json:"faults"`
	Alerts  []AlertRun `json:"alerts"`
	Blind   []Gap      `json:"blind"` // when the state of alerts was unknown
	Deaf    []Gap      `json:"deaf"`  // when notifications were unknown
	Probes  []ProbeRun `json:"probes"`
	Sights  []Sight    `json:"sights"`
	Charts  []Chart    `json:"charts"`
	Events  []Event    `json:"events"`
}

// Phase is a part of a drill.
type Phase struct {
	Name PhaseName `json:"name"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// PhaseName names a phase.
type PhaseName string

// The phases, in their order.
const (
	PhasePreflight PhaseName = "preflight"
	PhaseWarmUp    PhaseName = "warm-up"
	PhaseFaults    PhaseName = "faults"
	PhaseRecovery  PhaseName = "recovery"
	PhaseRollback  PhaseName = "rollback"
)

// Stop is the reason why a drill ended early.
type Stop struct {
	At      time.Time `json:"at"`
	Phase   PhaseName `json:"phase"`
	Verdict Verdict   `json:"verdict"` // Aborted or Inconclusive
	Reason  string    `json:"reason"`
}

// Check is one comparison of what was seen with what the drill says.
type Check struct {
	Signal  Signal  `json:"signal"`
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
	// After is how long after the first fault began an alert fired, a trace or log
	// line was found, or a metric changed.
	After *Seconds `json:"after_seconds,omitempty"`
	// Resolved is how long after the end of the last fault an alert was gone.
	Resolved  *Seconds    `json:"resolved_seconds,omitempty"`
	Predicted *Prediction `json:"predicted,omitempty"`
	// Alarms are the alerts that fired and must not have, for SignalQuiet.
	Alarms []string `json:"alarms,omitempty"`
	// Machine is true if the outcome is inconclusive because the machine did not keep up.
	Machine bool `json:"machine,omitempty"`
}

// Prediction is what the arithmetic of error budgets predicts for an alert.
type Prediction struct {
	Fires     bool    `json:"fires"`
	Detection Seconds `json:"detection_seconds"` // from the first error to the alert
	Reset     Seconds `json:"reset_seconds"`     // from the last error to the alert's end
	Slack     Seconds `json:"slack_seconds"`     // how much later both of them may be
	Ratio     float64 `json:"error_ratio"`       // ratio of bad events that the prediction assumes
}

// LoadRun is the load of a run.
type LoadRun struct {
	Profile string    `json:"profile,omitempty"`
	Rate    string    `json:"rate,omitempty"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	LoadResult
	Problem string `json:"problem,omitempty"`
}

// String names the load.
func (l LoadRun) String() string {
	if l.Rate == "" {
		return l.Profile
	}
	return l.Profile + " at " + l.Rate
}

// FaultRun is a fault of a run.
type FaultRun struct {
	Kind    string         `json:"kind"`
	Target  string         `json:"target"`
	Params  map[string]any `json:"params,omitempty"`
	At      Seconds        `json:"at_seconds"`
	For     Seconds        `json:"for_seconds"`
	Began   time.Time      `json:"began,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"` // when it was undone
	Problem string         `json:"problem,omitempty"`
}

// String names the fault.
func (f FaultRun) String() string { return f.Kind + " on " + f.Target }

// AlertRun is what was seen of one alert.
type AlertRun struct {
	Labels   map[string]string `json:"labels"`
	Expected bool              `json:"expected"`
	Before   bool              `json:"before,omitempty"` // it fired when the drill began, because of something before
	Episodes []Episode         `json:"episodes"`
	Told     []time.Time       `json:"told"`          // notifications that it fires
	ToldOver []time.Time       `json:"told_resolved"` // notifications that it has resolved
}

// Episode is one time that an alert was pending or firing. Times of events that have not
// happened are zero.
type Episode struct {
	Pending  time.Time `json:"pending,omitzero"`
	Firing   time.Time `json:"firing,omitzero"`
	Resolved time.Time `json:"resolved,omitzero"` // when it resolved, or was no longer pending
}

// Gap is a time without an answer.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Why  string    `json:"why"`
	// Empty is true if every answer came and had no data.
	Empty bool `json:"empty,omitempty"`
}

// Length returns the length of the gap.
func (g Gap) Length() time.Duration { return g.To.Sub(g.From) }

// ProbeRun is a probe and its answers.
type ProbeRun struct {
	Signal  Signal       `json:"signal"`
	Name    string       `json:"name"`
	Mode    drill.Mode   `json:"mode"`
	Query   string       `json:"query"`
	Want    string       `json:"want"`
	NoData  Outcome      `json:"no_data"`
	Needs   []drill.Need `json:"needs"`
	Before  *float64     `json:"before,omitempty"` // value at the end of the warm-up
	Samples []Sample     `json:"samples"`
	Gaps    []Gap        `json:"gaps"`
}

// Sample is an answer to a probe.
type Sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
	Holds bool      `json:"holds"`
}

// Sight is what a signal must show while there are faults, and what it showed.
type Sight struct {
	Signal  Signal       `json:"signal"` // SignalMetric, SignalTrace or SignalLog
	Name    string       `json:"name"`
	Query   string       `json:"query"`
	Want    string       `json:"want"`
	Before  *float64     `json:"before,omitempty"` // value at the end of the warm-up; nil: there was none
	During  *float64     `json:"during,omitempty"` // value that shows the fault best
	Held    bool         `json:"held_before"`      // it was as expected before the faults already, so it does not show the fault
	Seen    time.Time    `json:"seen,omitzero"`    // when it was first as expected
	TraceID string       `json:"trace_id,omitempty"`
	Link    string       `json:"link,omitempty"`
	Needs   []drill.Need `json:"needs"`
	Gaps    []Gap        `json:"gaps"`
}

// Chart is lines over the time of the drill.
type Chart struct {
	Title string `json:"title"`
	Unit  string `json:"unit"` // "" for plain numbers, "%" for ratios of 1
	Lines []Line `json:"lines"`
	Error string `json:"error,omitempty"`
}

// Line is one series of a chart.
type Line struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is a value at a time.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// FaultsBegan returns when the first fault began; zero if none has.
func (j *Journal) FaultsBegan() time.Time {
	var first time.Time
	for _, f := range j.Faults {
		if !f.Began.IsZero() && (first.IsZero() || f.Began.Before(first)) {
			first = f.Began
		}
	}
	return first
}

// FaultsEnded returns when the last fault that began was undone; zero while one is
// not.
func (j *Journal) FaultsEnded() time.Time {
	var last time.Time
	for _, f := range j.Faults {
		switch {
		case f.Began.IsZero():
		case f.Ended.IsZero():
			return time.Time{}
		case f.Ended.After(last):
			last = f.Ended
		}
	}
	return last
}

// from returns when a phase began; zero if it has not.
func (j *Journal) from(name PhaseName) time.Time {
	for _, p := range j.Phases {
		if p.Name == name {
			return p.From
		}
	}
	return time.Time{}
}

// recoveryFrom returns since when everything should recover: the end of the last
// fault, or of the phase of the faults if there were none.
func (j *Journal) recoveryFrom() time.Time {
	if ended := j.FaultsEnded(); !ended.IsZero() {
		return ended
	}
	return j.from(PhaseRecovery)
}
