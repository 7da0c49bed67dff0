package loadgen

import (
	"context"
	"net"
	"net/http"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/metrics"
	"firedrill/loadgen/profile"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
	"firedrill/loadgen/threshold"
)

// Run is a load test that is ready to run once. Prepare makes it. Its fields are to be read, not to be changed.
type Run struct {
	Profile    *profile.Profile
	ID         journey.RunID
	Part       schedule.Part // of the profile's schedule: all of it, or a shard
	Thresholds []threshold.Threshold

	attack    *attack.Attack
	collector *result.Collector
	listener  net.Listener // nil: no metrics
	metrics   *metrics.Metrics
}

// Outcome is what a run found.
type Outcome struct {
	Result   *result.Result    // with the outcomes of the thresholds
	Failures map[string]string // the first error of each failure class, in words; an answer is no error, whatever its status
}

// Do sends the load, or as much of it as is due when ctx ends, waits for the requests that are under way, evaluates the
// thresholds, and returns what was found. While it goes on, it serves metrics. It must be called once.
func (r *Run) Do(ctx context.Context) Outcome {
	if r.listener != nil {
		server := &http.Server{Handler: r.metrics.Handler(), ReadHeaderTimeout: 5 * time.Second}
		go server.Serve(r.listener) //nolint:errcheck // ends when it is closed
		defer server.Close()
		defer r.Close() // a server that never came to serve does not know the listener
	}
	began := time.Now()
	found := r.collector.Finish(r.attack.Run(ctx))
	found.Meta.Start = began
	found.Thresholds, _ = threshold.EvaluateAll(r.Thresholds, found)
	return Outcome{Result: found, Failures: r.attack.Errors()}
}

// Close stops listening for scrapes of metrics. It is for a Run that is not done; Do closes what it opened.
func (r *Run) Close() {
	if r.listener != nil {
		_ = r.listener.Close() // nothing was written
	}
}

// Snapshot returns what was found so far, without thresholds.
func (r *Run) Snapshot() *result.Result {
	return r.collector.Snapshot(min(r.attack.Elapsed(), r.Part.Length()))
}

// Busy returns the number of arrivals that are under way.
func (r *Run) Busy() int { return r.attack.Busy() }

// MetricsAddr returns the host and port at which metrics are served, "" if they are not.
func (r *Run) MetricsAddr() string {
	if r.listener == nil {
		return ""
	}
	return r.listener.Addr().String()
}
