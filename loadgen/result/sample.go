package result

import "time"

// Sample is one request's outcome. Times are since the run began.
//
// Three latencies follow from it: service = Done-Sent, response = Done-Due, lag = Sent-Due. Response is what somebody who
// wanted the answer at Due had to wait; it is the one that a stalled server cannot hide.
type Sample struct {
	Seq      uint64        // order of the schedule (of the journey's start for the steps of a journey)
	Scenario string        // bounded: from the profile
	Step     string        // "" for plain scenarios, else the journey's step
	Later    bool          // a journey's step after its first: the schedule did not ask for it, the answer before it did
	Stage    int           // index into Meta.Stages
	Due      time.Duration // when the schedule wanted it; for a later step when the step before ended, plus think time
	Sent     time.Duration
	Done     time.Duration
	// Queued is the part of the lag during which every worker was waiting for the server. Response counts it in full; the
	// verdict on the generator does not, for it is the server's doing. 0 when a worker was free all the time.
	Queued   time.Duration
	Status   int    // HTTP status; 0: no answer
	Failure  string // "" good; else one of few classes: "status", "timeout", "connection", "body", "check", …
	BytesIn  int64
	BytesOut int64
	TraceID  [16]byte
	Sampled  bool // the trace was asked to be kept, so a link to it leads somewhere
}

// JourneySample is the outcome of one journey: the requests that belong together, from when the first was due until the
// last was answered, think time included.
type JourneySample struct {
	Seq        uint64
	Scenario   string
	Stage      int
	Due, Done  time.Duration
	Failed     bool
	FailedStep string // the step that ended it, when Failed
}
