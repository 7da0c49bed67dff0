package run

import (
	"context"
	"errors"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/backend"
)

// An Injector makes faults happen.
type Injector interface {
	// Check tells whether the fault is well formed. It touches nothing; its error
	// names the kind, the target or the parameter that is wrong.
	Check(f drill.Fault) error
	// Begin starts the fault, which ends by itself when lease has passed since
	// Begin or the last Renew. When it fails, nothing of the fault is left.
	Begin(ctx context.Context, f drill.Fault, lease time.Duration) (Injection, error)
}

// An Injection is a fault that was begun.
type Injection interface {
	// Renew lets the fault last for another lease from now.
	Renew(ctx context.Context) error
	// End returns when the fault's effect is undone. Ending twice does no harm.
	End(ctx context.Context) error
}

// Load drives the shop.
type Load interface {
	// Start returns when load flows, or is about to.
	Start(ctx context.Context, spec drill.LoadSpec) (RunningLoad, error)
}

// A RunningLoad is load that was started.
type RunningLoad interface {
	// Done is closed when the load has ended, whether or not it was stopped.
	Done() <-chan struct{}
	// Stop ends the load if it has not ended and returns what it did.
	Stop(ctx context.Context) (LoadResult, error)
}

// LoadResult is what a load did.
type LoadResult struct {
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	// Late is how late the generator sent a tenth of the requests at least, for reasons of its own; 0 where it does not tell.
	Late Seconds `json:"late_p90_seconds,omitempty"`
	// Remark is what a reader of the numbers must know, as that the generator was late.
	Remark string `json:"remark,omitempty"`
	Report string `json:"report,omitempty"` // where the whole result is
}

// ErrNoData says that a question has no answer: the backend is away, or knows nothing.
var ErrNoData = errors.New("no data")

// A Prober asks backends and services.
type Prober interface {
	// Ask returns the number that answers a query about the time up to to; logs and
	// traces count since from. The error is ErrNoData where there is none.
	Ask(ctx context.Context, q drill.Query, from, to time.Time) (float64, error)
	// Traces returns some of the traces that a TraceQL query selects.
	Traces(ctx context.Context, traceql string, from, to time.Time) ([]backend.Trace, error)
}

// Alerts tells what alerts do.
type Alerts interface {
	// Active returns the alerts that are pending or firing. The error is ErrNoData
	// when nobody knows.
	Active(ctx context.Context) (AlertState, error)
	// Notified returns what reached the receiver since a time, in any order.
	Notified(ctx context.Context, since time.Time) ([]Notification, error)
}

// AlertState is all alerts at a time.
type AlertState struct {
	// AsOf is up to when it is true. One that lags behind tells of rules that are not
	// evaluated any more.
	AsOf   time.Time
	Alerts []Alert
}

// Alert is one that is pending or firing.
type Alert struct {
	Labels map[string]string // alertname too
	Firing bool              // or pending
	Since  time.Time         // that it is so, as far as known
}

// Notification is what a receiver of alerts was told.
type Notification struct {
	Labels   map[string]string
	Resolved bool // or firing
	Received time.Time
}

// A Predictor says what the arithmetic of error budgets expects of an alert.
type Predictor interface {
	// Predict is about an outage that lasted from begin to end, with the expectation's
	// ratio of bad events, or the one measured then. The error is ErrNoData for
	// alerts that are not about an objective.
	Predict(ctx context.Context, a drill.AlertExpectation, begin, end time.Time) (Prediction, error)
}

// A Charter draws what a report shows beside the timeline.
type Charter interface {
	// Charts returns lines from begin to end. What could not be had says so in the chart.
	Charts(ctx context.Context, begin, end time.Time) []Chart
}
