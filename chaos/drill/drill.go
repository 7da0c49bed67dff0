package drill

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// DesignScale is the SLO scale that a drill's times are written for: one hour of an
// objective takes one minute.
const DesignScale = 60

// Drill is one exercise: what load the shop gets, what is broken, and what must then
// be seen. Its times are wall time at DesignScale; AtScale stretches them.
type Drill struct {
	Name         string // name of its file without the extension
	File         string
	Title, Story string
	Hints        []string
	Answer       *Answer // nil: the drill cannot be a mystery
	Runbook      string
	Load         LoadSpec
	WarmUp       time.Duration
	Lasts        time.Duration // minimum length, from the end of the warm-up
	Hypothesis   []Probe
	Faults       []Fault
	// Takes lists what the faults themselves take from the machine. A lack of these needs
	// excuses nothing.
	Takes   []Need
	Expect  Expectations
	AbortIf []Guard
}

// Answer is the solution of a mystery.
type Answer struct{ Service, Fault, Because string }

// LoadSpec is the load of a drill.
type LoadSpec struct {
	Profile string // name or path of a profile; "" for no load
	Rate    string // such as "20/s", which replaces the profile's stages; "" keeps them
}

// Language is the language of a query.
type Language string

// The languages.
const (
	PromQL  Language = "promql"
	HTTP    Language = "http"
	TraceQL Language = "traceql"
	LogQL   Language = "logql"
)

// Query is a question whose answer is one number.
type Query struct {
	Language Language
	Text     string
}

// Mode is when a probe must hold.
type Mode string

// The modes.
const (
	Before     Mode = "before"
	During     Mode = "during"
	After      Mode = "after"
	Continuous Mode = "continuous"
)

// NoData says what a query without an answer means for a probe.
type NoData string

// Meanings of no data. It never means that the probe holds.
const (
	NoDataUnknown NoData = "inconclusive"
	NoDataFails   NoData = "fail"
)

// Probe is a claim about the steady state.
type Probe struct {
	Name string
	Query
	Is Comparison
	// Change bounds the value divided by the value before the faults; nil: no bound.
	Change *Comparison
	Mode   Mode
	NoData NoData // what a query without an answer means
	Needs  []Need // what the machine must provide for it to hold; none: it must hold on any machine
}

// Holds reports whether the value v is as claimed. Change is not judged if before, the
// value before the faults, is nil.
func (p Probe) Holds(before *float64, v float64) bool {
	is := p.Is.Op == "" || p.Is.Holds(v)
	return is && (p.Change == nil || before == nil || p.Change.Holds(v / *before))
}

// Want returns the claim in words.
func (p Probe) Want() string {
	var want []string
	if p.Is.Op != "" {
		want = append(want, p.Is.String())
	}
	if p.Change != nil {
		want = append(want, p.Change.String()+" times the value before")
	}
	return strings.Join(want, " and ")
}

// Guard is a condition that aborts a drill.
type Guard struct {
	Name string
	Query
	Is Comparison
}

// Expectations are what must be seen, and what must not.
type Expectations struct {
	Alerts      []AlertExpectation
	May         []AlertPattern
	MustNotFire []AlertPattern // nil: every alert that is neither expected nor in May
	Traces      []TraceExpectation
	Logs        []LogExpectation
	Metrics     []MetricExpectation
	Healthy     []string      // services that must stay ready
	Recover     time.Duration // limit for probes of mode After, from the last fault's end
	Blind       time.Duration // maximum uninterrupted time in which alerts are unobservable
}

// AlertPattern selects alerts by name and by some of their labels.
type AlertPattern struct {
	Alert  string
	Labels map[string]string
}

// Matches reports whether the pattern selects the alert with these labels.
func (p AlertPattern) Matches(labels map[string]string) bool {
	if labels[LabelAlert] != p.Alert {
		return false
	}
	for name, value := range p.Labels {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// String returns the pattern in words, such as "BankBurn page (service=bank)".
func (p AlertPattern) String() string {
	labels := maps.Clone(p.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelAlert] = p.Alert
	return AlertName(labels)
}

// Notice says whether an alert must reach the receiver.
type Notice string

// The notices.
const (
	NoticeRequired   Notice = "required"
	NoticeSuppressed Notice = "suppressed"
	NoticeAny        Notice = "any"
)

// AlertExpectation is an alert that must fire and resolve.
type AlertExpectation struct {
	AlertPattern
	FiresWithin    time.Duration // limit, from the first fault's begin
	ResolvesWithin time.Duration // limit, from the last fault's end
	Notice         Notice
	Ratio          float64 // ratio of bad events for the prediction; 0: as measured
	Needs          []Need
}

// TraceExpectation is what a trace must show.
type TraceExpectation struct {
	Name, TraceQL string
	Service       string
	Span          string // name of the span; "": any
	Failed        bool   // only failed spans count
	AtLeast       int    // minimum number of such spans in one trace
	Needs         []Need
}

// LogExpectation is what logs must show.
type LogExpectation struct {
	Name, LogQL string
	Is          Comparison
	Needs       []Need
}

// MetricExpectation is how a metric must change. If both comparisons are there, both
// must pass at once.
type MetricExpectation struct {
	Name, PromQL string
	During       *Comparison // bound for the value
	Change       *Comparison // bound for the value divided by the value before the faults
	Needs        []Need
}

// Stretch returns how many times longer a drill takes at an SLO scale than its file
// says.
func Stretch(scale float64) float64 { return DesignScale / scale }

// AtScale returns the drill with all its times stretched to an SLO scale.
func (d *Drill) AtScale(scale float64) *Drill {
	factor := Stretch(scale)
	stretch := func(t time.Duration) time.Duration { return time.Duration(float64(t) * factor) }
	out := *d
	out.WarmUp, out.Lasts = stretch(d.WarmUp), stretch(d.Lasts)
	out.Expect.Recover, out.Expect.Blind = stretch(d.Expect.Recover), stretch(d.Expect.Blind)
	out.Faults = slices.Clone(d.Faults)
	for i := range out.Faults {
		f := &out.Faults[i]
		f.At, f.For = stretch(f.At), stretch(f.For)
	}
	out.Expect.Alerts = slices.Clone(d.Expect.Alerts)
	for i := range out.Expect.Alerts {
		a := &out.Expect.Alerts[i]
		a.FiresWithin, a.ResolvesWithin = stretch(a.FiresWithin), stretch(a.ResolvesWithin)
	}
	return &out
}

// FaultsEnd returns when the last fault ends, counted from the end of the warm-up.
func (d *Drill) FaultsEnd() time.Duration {
	end := time.Duration(0)
	for _, f := range d.Faults {
		end = max(end, f.At+f.For)
	}
	return end
}
