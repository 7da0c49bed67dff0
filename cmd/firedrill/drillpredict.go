package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/chaos/drill"
	chaosrun "firedrill/chaos/run"
	"firedrill/internal/backend"
)

// drillPredictor predicts alerts from the measured outage, with the arithmetic of error budgets. It implements
// chaosrun.Predictor.
type drillPredictor struct {
	specs      []slo.Spec
	clock      slo.Clock
	prometheus *backend.Prometheus
}

// Predict implements chaosrun.Predictor.
func (d drillPredictor) Predict(ctx context.Context, a drill.AlertExpectation, begin, end time.Time) (chaosrun.Prediction, error) {
	objective, severity, ok := d.objective(a)
	if !ok {
		return chaosrun.Prediction{}, chaosrun.ErrNoData
	}
	outage, err := d.measured(ctx, objective, begin, end)
	if err != nil {
		return chaosrun.Prediction{}, err
	}
	if a.Ratio > 0 {
		outage.Ratio = a.Ratio
	}
	p := rules.Predict(objective, rules.Options{Policy: slo.Default(), Clock: d.clock}, severity, outage)
	return chaosrun.Prediction{
		Fires: p.Fires, Detection: chaosrun.Seconds(p.Detection), Reset: chaosrun.Seconds(p.Reset), Slack: chaosrun.Seconds(p.Slack),
		Ratio: outage.Ratio,
	}, nil
}

// objective returns the SLO and severity of a burn-rate alert. ok is false for other alerts.
func (d drillPredictor) objective(a drill.AlertExpectation) (slo.SLO, slo.Severity, bool) {
	for _, spec := range d.specs {
		for _, s := range spec.SLOs {
			for _, severity := range []slo.Severity{slo.Page, slo.Ticket} {
				labels := s.Labels(d.clock.Scale)
				labels["alertname"], labels["severity"] = s.Alerting.Name, string(severity)
				if a.Matches(labels) {
					return s, severity, true
				}
			}
		}
	}
	return slo.SLO{}, "", false
}

// measured returns the outage as measured by the SLO's indicator.
func (d drillPredictor) measured(ctx context.Context, s slo.SLO, begin, end time.Time) (slo.Outage, error) {
	outage := slo.Outage{Length: end.Sub(begin)}
	window := max(outage.Length.Round(time.Second), 2*d.clock.Scrape)
	bad, err := s.SLI.BadQuery(window)
	if err != nil {
		return outage, err
	}
	total, err := s.SLI.TotalQuery(window)
	if err != nil {
		return outage, err
	}
	if outage.Rate, err = d.number(ctx, total, end); err != nil {
		return outage, err
	}
	failed, err := d.number(ctx, bad, end)
	if err != nil && !errors.Is(err, chaosrun.ErrNoData) {
		return outage, err
	}
	if outage.Rate > 0 { // failed is 0 if there is no series of bad events
		outage.Ratio = min(failed/outage.Rate, 1)
	}
	return outage, nil
}

func (d drillPredictor) number(ctx context.Context, promql string, at time.Time) (float64, error) {
	vector, err := d.prometheus.Query(ctx, promql, at)
	switch {
	case err != nil:
		return 0, err
	case len(vector) != 1 || math.IsNaN(float64(vector[0].Value)):
		return 0, chaosrun.ErrNoData
	}
	return float64(vector[0].Value), nil
}

// newDrillPredictor returns a predictor for the rules at a scale.
func newDrillPredictor(root, prometheusURL string, scale float64) (chaosrun.Predictor, error) {
	specs, err := slo.LoadAll(specsDir(root))
	if err != nil {
		return nil, fmt.Errorf("read the objectives: %w", err)
	}
	prometheus, err := backend.NewPrometheus(prometheusURL, nil)
	if err != nil {
		return nil, err
	}
	clock := slo.Workshop()
	if scale != clock.Scale {
		clock = slo.NewClock(scale, clock.Scrape)
	}
	return drillPredictor{specs: specs, clock: clock, prometheus: prometheus}, nil
}
