package run

import (
	"context"
	"errors"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/backend"
)

// An Injector begins faults.
type Injector interface {
	// Check returns what is wrong with the fault. It touches nothing; its error names
	// the kind, the target or the parameter.
	Check(f drill.Fault) error
	// Begin starts the fault, which ends by itself when lease has passed since
	// Begin or the last Renew. When it fails, nothing of the fault is left.
	Begin(ctx context.Context, f drill.Fault, lease time.Duration) (Injection, error)
}

// An Injection is a fault that was begun.
type Injection interface {
	// Renew extends the fault by a lease from now.
	Renew(ctx context.Context) error
	// End returns when the fault's effect is undone. Ending twice does no harm.
	End(ctx context.Context) error
}

// Load starts the load on the shop.
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
	// Late is the 90th percentile of the lateness of requests that the generator itself
	// caused; 0 if the load does not report it.
	Late Seconds `json:"late_p90_seconds,omitempty"`
	// Remark is a warning about the numbers, such as that the generator was late; ""
	// if there is none.
	Remark string `json:"remark,omitempty"`
	Report string `json:"report,omitempty"` // where the whole result is
}

// ErrNoData means that a question has no answer: the backend is away, or has no data.
var ErrNoData = errors.New("no data")

// A Prober asks backends and services.
type Prober interface {
	// Ask returns the number that answers a query. Metrics are taken at to, logs and
	// traces between the two times. The error is ErrNoData if there is no answer.
	Ask(ctx context.Context, q drill.Query, from, to time.Time) (float64, error)
	// Traces returns some of the traces that a TraceQL query selects between two
	// times.
	Traces(ctx context.Context, traceql string, from, to time.Time) ([]backend.Trace, error)
}

// Alerts follows the alerts of a stack.
type Alerts interface {
	// Active returns the alerts that are pending or firing. The error is ErrNoData if
	// nothing can be said.
	Active(ctx context.Context) (AlertState, error)
	// Notified returns what reached the receiver since a time, in any order.
	Notified(ctx context.Context, since time.Time) ([]Notification, error)
}

// AlertState is the state of all alerts at one time.
type AlertState struct {
	// AsOf is when the rules were last evaluated. An old time means that rules are no
	// longer evaluated.
	AsOf   time.Time
	Alerts []Alert
}

// Alert is an alert that is pending or firing.
type Alert struct {
	Labels map[string]string // including alertname
	Firing bool              // false: pending
	Since  time.Time         // when it became pending or firing, as far as known
}

// Notification is one message that reached the receiver of alerts.
type Notification struct {
	Labels   map[string]string
	Resolved bool // false: firing
	Received time.Time
}

// A Predictor predicts alerts by the arithmetic of error budgets.
type Predictor interface {
	// Predict predicts an alert for an outage from begin to end, with the ratio of bad
	// events of the expectation, or else the measured one. The error is ErrNoData for
	// alerts that are not about an objective.
	Predict(ctx context.Context, a drill.AlertExpectation, begin, end time.Time) (Prediction, error)
}

// A Charter returns the charts of a report.
type Charter interface {
	// Charts returns charts from begin to end. A chart without data carries the error.
	Charts(ctx context.Context, begin, end time.Time) []Chart
}
