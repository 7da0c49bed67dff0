// Package result keeps what a load test found: it turns samples into counts and histograms of bounded size, judges whether
// the run may be believed, merges the results of several machines without loss, and reads and writes them as JSON.
//
// It must not know how requests are made, how a schedule looks, or how a result is shown.
package result

import "time"

// Version is that of the JSON form. It grows when a reader of the old form would misread the new one.
const Version = 1

// Result is what a run, or a part of it so far, found.
type Result struct {
	Version int  `json:"version"`
	Meta    Meta `json:"meta"`
	// Elapsed is how much of the schedule was carried out: its whole length unless the run was interrupted.
	Elapsed     time.Duration `json:"elapsed_ns"`
	Interrupted bool          `json:"interrupted,omitempty"`
	// Intended is how many arrivals (requests and starts of journeys) the schedule asked for within Elapsed.
	Intended uint64 `json:"intended"`
	// Dropped is how many of them were never sent.
	Dropped uint64 `json:"dropped,omitempty"`
	// OwnLag is the lag for which the generator itself is to blame: Sent-Due less Queued.
	OwnLag   Histogram `json:"own_lag"`
	Groups   []Group   `json:"groups"`             // ascending by Key
	Journeys []Journey `json:"journeys,omitempty"` // ascending by scenario, stage
	Timeline Timeline  `json:"timeline"`
	// Slowest has the slowest requests, SlowestKept the slowest whose traces were asked to be kept, Failed the first failed
	// ones of each scenario and failure class, kept traces before others.
	Slowest     []Exemplar  `json:"slowest,omitempty"`
	SlowestKept []Exemplar  `json:"slowest_kept,omitempty"`
	Failed      []Exemplar  `json:"failed,omitempty"`
	Validity    Validity    `json:"validity"`
	Thresholds  []Threshold `json:"thresholds,omitempty"`
}

// Meta says what ran.
type Meta struct {
	Profile     string            `json:"profile"`               // its name; "ad hoc" without a file
	Fingerprint string            `json:"fingerprint,omitempty"` // of all that shapes the load; runs with another one are another test
	Seed        uint64            `json:"seed"`
	Shards      []int             `json:"shards"` // which of ShardsOf ran, from 1; [1] of 1 for a whole run
	ShardsOf    int               `json:"shards_of"`
	Target      string            `json:"target"`
	Start       time.Time         `json:"start"`
	Length      time.Duration     `json:"length_ns"`            // of the schedule; 0: until stopped
	RateScale   float64           `json:"rate_scale,omitempty"` // by which the profile's rates were multiplied; 0 is 1
	Stages      []Stage           `json:"stages"`
	Workers     int               `json:"workers,omitempty"`
	SampledPart float64           `json:"sampled_part"`          // share of requests whose traces were asked to be kept
	TraceURL    string            `json:"trace_url,omitempty"`   // "{trace_id}" stands for the trace's id
	Bounds      Bounds            `json:"bounds"`                // within which the run is valid
	Versions    map[string]string `json:"versions,omitempty"`    // of firedrill, Go, the transport
	Description string            `json:"description,omitempty"` // what the profile teaches
}

// Stage is a stretch of the schedule.
type Stage struct {
	Name     string        `json:"name"`
	Shape    string        `json:"shape"` // as a person says it: "ramp 10/s to 200/s"
	Begin    time.Duration `json:"begin_ns"`
	Length   time.Duration `json:"length_ns"`
	Intended uint64        `json:"intended"` // arrivals of this shard
}

// Key names a group of requests.
type Key struct {
	Scenario string `json:"scenario"`
	Step     string `json:"step,omitempty"`
	Stage    int    `json:"stage"`
	Class    string `json:"class"` // "2xx" and so on; "none" without an answer
}

// Group is what is known of the requests of one scenario, step, stage and status class.
type Group struct {
	Key
	Requests uint64            `json:"requests"`
	Arrivals uint64            `json:"arrivals"` // those that the schedule asked for: all but later steps
	Failed   uint64            `json:"failed"`
	Failures map[string]uint64 `json:"failures,omitempty"` // by failure class
	BytesIn  int64             `json:"bytes_in"`
	BytesOut int64             `json:"bytes_out"`
	Response Histogram         `json:"response"`
	Service  Histogram         `json:"service"`
	Lag      Histogram         `json:"lag"`
}

// Journey is what is known of the journeys of one scenario and stage.
type Journey struct {
	Scenario    string            `json:"scenario"`
	Stage       int               `json:"stage"`
	Ended       uint64            `json:"ended"`
	Failed      uint64            `json:"failed"`
	FailedSteps map[string]uint64 `json:"failed_steps,omitempty"`
	Response    Histogram         `json:"response"` // of all that ended, the failed ones too
}

// Exemplar is one request worth a look.
type Exemplar struct {
	Seq      uint64        `json:"seq"`
	Scenario string        `json:"scenario"`
	Step     string        `json:"step,omitempty"`
	Stage    int           `json:"stage"`
	Due      time.Duration `json:"due_ns"`
	Lag      time.Duration `json:"lag_ns"`
	Service  time.Duration `json:"service_ns"`
	Response time.Duration `json:"response_ns"`
	Status   int           `json:"status"`
	Failure  string        `json:"failure,omitempty"`
	TraceID  string        `json:"trace_id,omitempty"` // 32 hex digits
	Kept     bool          `json:"kept,omitempty"`     // the trace was asked to be kept
}

// Threshold is an expression and what came of it.
type Threshold struct {
	Expression string `json:"expression"`
	Actual     string `json:"actual"` // as a person reads it: "312 ms"; "no data"
	OK         bool   `json:"ok"`
}

// Bounds are those within which a run is believed.
type Bounds struct {
	LagP99    time.Duration `json:"lag_p99_ns"` // the generator's own lag
	RateError float64       `json:"rate_error"` // share by which arrivals sent may differ from those intended
}

// DefaultBounds hold unless the profile says otherwise.
func DefaultBounds() Bounds { return Bounds{LagP99: 10 * time.Millisecond, RateError: 0.01} }

// Validity says whether the run may be believed, and every reason if not.
type Validity struct {
	Valid     bool          `json:"valid"`
	Reasons   []string      `json:"reasons,omitempty"`
	LagP99    time.Duration `json:"lag_p99_ns"` // measured; see Bounds
	RateError float64       `json:"rate_error"` // measured; signed: -0.02 is 2 % too few
}
