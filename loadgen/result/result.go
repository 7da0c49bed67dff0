// Package result collects the results of a load test. It aggregates samples into counts and histograms of bounded size,
// judges whether a run is valid, merges the results of several machines without loss, and reads and writes results as
// JSON.
//
// It must not know how requests are made, what a schedule looks like, or how a result is shown.
package result

import "time"

// Version is the version of the JSON format. It must be increased if a reader of the old format would
// misread the new one.
const Version = 1

// Result is the result of a run, or of a run so far.
type Result struct {
	Version int  `json:"version"`
	Meta    Meta `json:"meta"`
	// Elapsed is how much of the schedule was carried out: its whole length unless the run was interrupted.
	Elapsed     time.Duration `json:"elapsed_ns"`
	Interrupted bool          `json:"interrupted,omitempty"`
	// Intended is the number of arrivals (requests and starts of journeys) that were due within Elapsed.
	Intended uint64 `json:"intended"`
	// Dropped is the number of intended arrivals that were never sent.
	Dropped uint64 `json:"dropped,omitempty"`
	// OwnLag is the lag that the generator itself caused: Sent-Due minus Queued.
	OwnLag   Histogram `json:"own_lag"`
	Groups   []Group   `json:"groups"`             // sorted by Key
	Journeys []Journey `json:"journeys,omitempty"` // sorted by scenario, then stage
	Timeline Timeline  `json:"timeline"`
	// Slowest has the slowest requests. SlowestKept has the slowest requests whose traces are kept. Failed has the first
	// failed requests of each scenario and failure class, those with kept traces first.
	Slowest     []Exemplar  `json:"slowest,omitempty"`
	SlowestKept []Exemplar  `json:"slowest_kept,omitempty"`
	Failed      []Exemplar  `json:"failed,omitempty"`
	Validity    Validity    `json:"validity"`
	Thresholds  []Threshold `json:"thresholds,omitempty"`
}

// Meta describes the run.
type Meta struct {
	Profile     string            `json:"profile"`               // name of the profile; "ad hoc" without a file
	Fingerprint string            `json:"fingerprint,omitempty"` // digest of everything that shapes the load; runs with different fingerprints are different tests
	Seed        uint64            `json:"seed"`
	Shards      []int             `json:"shards"` // shards of ShardsOf that ran, from 1; [1] of 1 for a whole run
	ShardsOf    int               `json:"shards_of"`
	Target      string            `json:"target"`
	Start       time.Time         `json:"start"`
	Length      time.Duration     `json:"length_ns"`            // of the schedule; 0: until stopped
	RateScale   float64           `json:"rate_scale,omitempty"` // factor on the profile's rates; 0 means 1
	Stages      []Stage           `json:"stages"`
	Workers     int               `json:"workers,omitempty"`
	SampledPart float64           `json:"sampled_part"`          // share of requests whose traces are kept
	TraceURL    string            `json:"trace_url,omitempty"`   // "{trace_id}" stands for the trace's id
	Bounds      Bounds            `json:"bounds"`                // limits within which the run is valid
	Versions    map[string]string `json:"versions,omitempty"`    // versions of firedrill, Go, and the transport
	Description string            `json:"description,omitempty"` // what the profile teaches
}

// Stage is a stage of the schedule.
type Stage struct {
	Name     string        `json:"name"`
	Shape    string        `json:"shape"` // in words: "ramp 10/s to 200/s"
	Begin    time.Duration `json:"begin_ns"`
	Length   time.Duration `json:"length_ns"`
	Intended uint64        `json:"intended"` // arrivals of this shard
}

// Key identifies a group of requests.
type Key struct {
	Scenario string `json:"scenario"`
	Step     string `json:"step,omitempty"`
	Stage    int    `json:"stage"`
	Class    string `json:"class"` // status class such as "2xx"; "none" without an answer
}

// Group has the measurements of the requests of one scenario, step, stage and status class.
type Group struct {
	Key
	Requests uint64            `json:"requests"`
	Arrivals uint64            `json:"arrivals"` // requests that the schedule intended: all except later steps
	Resent   uint64            `json:"resent"`   // requests sent again, because the server had closed an idle connection; Requests does not count them
	Failed   uint64            `json:"failed"`
	Failures map[string]uint64 `json:"failures,omitempty"` // by failure class
	BytesIn  int64             `json:"bytes_in"`
	BytesOut int64             `json:"bytes_out"`
	Response Histogram         `json:"response"`
	Prompt   Histogram         `json:"prompt"` // response times without the generator's own lag
	Service  Histogram         `json:"service"`
	Lag      Histogram         `json:"lag"`
}

// Journey has the measurements of the journeys of one scenario and stage.
type Journey struct {
	Scenario    string            `json:"scenario"`
	Stage       int               `json:"stage"`
	Ended       uint64            `json:"ended"`
	Failed      uint64            `json:"failed"`
	FailedSteps map[string]uint64 `json:"failed_steps,omitempty"`
	Response    Histogram         `json:"response"` // of all finished journeys, including failed ones
	Prompt      Histogram         `json:"prompt"`   // response times without the generator's own lag
}

// Exemplar is one request that is worth a closer look.
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
	Kept     bool          `json:"kept,omitempty"`     // the trace is kept
}

// Threshold is a threshold expression and its outcome.
type Threshold struct {
	Expression string `json:"expression"`
	Actual     string `json:"actual"` // in words: "312 ms"; "no data"
	OK         bool   `json:"ok"`
	// Unclear means that the generator, and not the target, decides whether the threshold holds. OK is then false.
	Unclear bool `json:"unclear,omitempty"`
}

// Bounds are the limits within which a run is valid.
type Bounds struct {
	LagP99    time.Duration `json:"lag_p99_ns"` // limit of the p99 of the generator's own lag
	RateError float64       `json:"rate_error"` // limit of the share by which the arrivals sent differ from those intended
}

// DefaultBounds returns the bounds of a profile that does not set them.
func DefaultBounds() Bounds { return Bounds{LagP99: 10 * time.Millisecond, RateError: 0.01} }

// Validity says whether the run is valid, with every reason if it is not.
type Validity struct {
	Valid     bool          `json:"valid"`
	Reasons   []string      `json:"reasons,omitempty"`
	Notes     []string      `json:"notes,omitempty"` // what was not as intended, but changes no conclusion
	LagP99    time.Duration `json:"lag_p99_ns"`      // measured; see Bounds
	RateError float64       `json:"rate_error"`      // measured, with a sign: -0.02 is 2 % too few
}
