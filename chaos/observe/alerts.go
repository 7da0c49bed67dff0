package observe

import (
	"context"
	"fmt"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"firedrill/chaos/run"
)

// Active implements run.Alerts. It asks for the rules and not for the alerts, because only
// rules have the time of their last evaluation. Prometheus still lists alerts when rules
// are no longer evaluated.
func (e *Eyes) Active(ctx context.Context) (run.AlertState, error) {
	groups, err := e.prometheus.RuleGroups(ctx)
	if err != nil {
		return run.AlertState{}, err
	}
	var state run.AlertState
	for _, g := range groups {
		interval := time.Duration(g.Interval * float64(time.Second))
		for _, r := range g.Rules {
			rule, ok := r.(promv1.AlertingRule)
			if !ok {
				continue
			}
			if rule.LastEvaluation.IsZero() {
				return run.AlertState{}, fmt.Errorf("%w: Prometheus has not evaluated its rules yet", run.ErrNoData)
			}
			// A rule is due again after its interval. Until then its state is current.
			if due := rule.LastEvaluation.Add(interval); state.AsOf.IsZero() || due.Before(state.AsOf) {
				state.AsOf = due
			}
			for _, a := range rule.Alerts {
				state.Alerts = append(state.Alerts, alert(a, time.Duration(rule.Duration*float64(time.Second))))
			}
		}
	}
	if state.AsOf.IsZero() {
		return state, fmt.Errorf("%w: Prometheus has no alerting rules", run.ErrNoData)
	}
	return state, nil
}

// alert converts an alert. wait is how long its rule waits before it fires.
func alert(a *promv1.Alert, wait time.Duration) run.Alert {
	out := run.Alert{Labels: texts(a.Labels), Firing: a.State == promv1.AlertStateFiring, Since: a.ActiveAt}
	if out.Firing {
		out.Since = out.Since.Add(wait)
	}
	return out
}

func texts(labels model.LabelSet) map[string]string {
	out := make(map[string]string, len(labels))
	for name, value := range labels {
		out[string(name)] = string(value)
	}
	return out
}
