package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/chaos"
	"firedrill/internal/backend"
	"firedrill/internal/wait"
)

// drillPredictor says what the arithmetic of error budgets expects of an outage. It
// implements chaos.Predictor.
type drillPredictor struct {
	specs      []slo.Spec
	clock      slo.Clock
	prometheus *backend.Prometheus
}

// Predict implements chaos.Predictor.
func (d drillPredictor) Predict(ctx context.Context, a chaos.AlertExpectation, begin, end time.Time) (chaos.Prediction, error) {
	objective, severity, ok := d.objective(a)
	if !ok {
		return chaos.Prediction{}, chaos.ErrNoData
	}
	outage, err := d.measured(ctx, objective, begin, end)
	if err != nil {
		return chaos.Prediction{}, err
	}
	if a.Ratio > 0 {
		outage.Ratio = a.Ratio
	}
	p := rules.Predict(objective, rules.Options{Policy: slo.Default(), Clock: d.clock}, severity, outage)
	return chaos.Prediction{
		Fires: p.Fires, Detection: chaos.Seconds(p.Detection), Reset: chaos.Seconds(p.Reset), Slack: chaos.Seconds(p.Slack),
		Ratio: outage.Ratio,
	}, nil
}

// objective is what an alert on a burn rate is about.
func (d drillPredictor) objective(a chaos.AlertExpectation) (slo.SLO, slo.Severity, bool) {
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

// measured is the outage as the objective's indicator saw it.
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
	if err != nil && !errors.Is(err, chaos.ErrNoData) {
		return outage, err
	}
	if outage.Rate > 0 { // no series of bad events: there were none
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
		return 0, chaos.ErrNoData
	}
	return float64(vector[0].Value), nil
}

// newDrillPredictor predicts for the rules at a scale.
func newDrillPredictor(t drillTarget, scale float64) (drillPredictor, error) {
	specs, err := slo.LoadAll(specsDir(t.Root))
	if err != nil {
		return drillPredictor{}, fmt.Errorf("read the objectives: %w", err)
	}
	prometheus, err := backend.NewPrometheus(t.places()["prometheus"], nil)
	if err != nil {
		return drillPredictor{}, err
	}
	clock := slo.Workshop()
	if scale != clock.Scale {
		clock = slo.NewClock(scale, clock.Scrape)
	}
	return drillPredictor{specs: specs, clock: clock, prometheus: prometheus}, nil
}

// awaitScale asks for the scale until rules were evaluated once.
func (t drillTarget) awaitScale(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var scale float64
	err := wait.Until(ctx, 500*time.Millisecond, func() (bool, error) {
		var err error
		scale, err = t.scaleInForce(ctx)
		return !errors.Is(err, chaos.ErrNoData), err
	})
	return scale, err
}

// scaleInForce is the one at which the copy's objectives run.
func (t drillTarget) scaleInForce(ctx context.Context) (float64, error) {
	prometheus, err := backend.NewPrometheus(t.places()["prometheus"], nil)
	if err != nil {
		return 0, err
	}
	vector, err := prometheus.Query(ctx, `group by (scale) (slo:objective:ratio{synthetic=""})`, time.Now())
	if err != nil {
		return 0, fmt.Errorf("ask which scale the objectives run at: %w", err)
	}
	if len(vector) != 1 {
		return 0, fmt.Errorf("ask which scale the objectives run at: %d answers: %w", len(vector), chaos.ErrNoData)
	}
	return strconv.ParseFloat(string(vector[0].Metric["scale"]), 64)
}
