package result

import "time"

// Sample is the outcome of one request. Times are since the run began.
//
// Three latencies are computed from it: service = Done-Sent, response = Done-Due, lag = Sent-Due. The response time is
// how long a user who wanted the answer at Due had to wait. A stalled server cannot hide it.
type Sample struct {
	Seq      uint64        // number in the schedule; for a step of a journey, the number of the journey
	Scenario string        // from the profile, so bounded
	Step     string        // step of the journey; "" for a single request
	Later    bool          // a step of a journey after the first: it is due after the previous answer, not by the schedule
	Stage    int           // index into Meta.Stages
	Due      time.Duration // when the request was due by the schedule; for a later step, when the previous step ended plus think time
	Sent     time.Duration
	Done     time.Duration
	// Queued is the part of the lag in which every worker was waiting for the server. The response time includes all of
	// it. The judgement of the generator does not, because the server caused it. 0 if a worker was always free.
	Queued   time.Duration
	Status   int    // HTTP status; 0: no answer
	Resent   int    // how often it went out again, because the server had closed an idle connection
	Failure  string // "" for success; otherwise one of few classes: "status", "timeout", "connection", "body", "check", …
	BytesIn  int64
	BytesOut int64
	TraceID  [16]byte
	Sampled  bool // the trace is kept, so a link to it works
}

// OwnLag returns the lag that the generator itself caused.
func (s Sample) OwnLag() time.Duration { return s.Sent - s.Due - s.Queued }

// JourneySample is the outcome of one journey: requests that belong together. It lasts from when the first request was
// due until the last was answered, including think time.
type JourneySample struct {
	Seq        uint64
	Scenario   string
	Stage      int
	Due, Done  time.Duration
	OwnLag     time.Duration // sum of the lags that the generator itself caused
	Failed     bool
	FailedStep string // the step that failed, if Failed
}
