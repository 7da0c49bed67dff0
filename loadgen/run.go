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

// Run is a load test that is ready to run once. Prepare makes it. Callers must not change its fields.
type Run struct {
	Profile    *profile.Profile
	ID         journey.RunID
	Part       schedule.Part // all of the profile's schedule, or a shard of it
	Thresholds []threshold.Threshold

	attack    *attack.Attack
	collector *result.Collector
	listener  net.Listener // nil: metrics are not served
	metrics   *metrics.Metrics
}

// Outcome is the outcome of a run.
type Outcome struct {
	Result   *result.Result    // includes the outcomes of the thresholds
	Failures map[string]string // text of the first error by failure class; an answer is no error, whatever its status
}

// Do sends the load until the schedule ends or ctx ends. Then it waits for active requests, evaluates the thresholds,
// and returns the outcome. During the run it serves metrics. It must be called once.
func (r *Run) Do(ctx context.Context) Outcome {
	if r.listener != nil {
		server := &http.Server{Handler: r.metrics.Handler(), ReadHeaderTimeout: 5 * time.Second}
		go server.Serve(r.listener) //nolint:errcheck // ends when it is closed
		defer server.Close()
		defer r.Close() // if Serve has not begun yet, the server does not close the listener
	}
	began := time.Now()
	found := r.collector.Finish(r.attack.Run(ctx))
	found.Meta.Start = began
	found.Thresholds, _ = threshold.EvaluateAll(r.Thresholds, found)
	return Outcome{Result: found, Failures: r.attack.Errors()}
}

// Cut returns the outcome of a run that is given up although requests are active: what was done until now, as an
// interrupted run. The active requests are not in it. Do still runs; its outcome must be ignored.
func (r *Run) Cut() Outcome {
	elapsed := min(r.attack.Elapsed(), r.Part.Length())
	found := r.collector.Finish(result.Ending{Elapsed: elapsed, Interrupted: true})
	found.Meta.Start = time.Now().Add(-r.attack.Elapsed())
	found.Thresholds, _ = threshold.EvaluateAll(r.Thresholds, found)
	return Outcome{Result: found, Failures: r.attack.Errors()}
}

// Close closes the listener for metrics. Call it on a Run that is not carried out; Do closes the listener
// itself.
func (r *Run) Close() {
	if r.listener != nil {
		_ = r.listener.Close() // the error can be ignored, because nothing was written
	}
}

// Snapshot returns the result so far, without thresholds.
func (r *Run) Snapshot() *result.Result {
	return r.collector.Snapshot(min(r.attack.Elapsed(), r.Part.Length()))
}

// Busy returns the number of active arrivals.
func (r *Run) Busy() int { return r.attack.Busy() }

// MetricsAddr returns the host and port on which metrics are served; "" if they are not
// served.
func (r *Run) MetricsAddr() string {
	if r.listener == nil {
		return ""
	}
	return r.listener.Addr().String()
}
