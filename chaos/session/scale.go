package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"firedrill/chaos/run"
	"firedrill/internal/backend"
)

// Times of awaitScale. Rules are evaluated at least once within the patience.
const (
	scalePatience = 30 * time.Second
	scalePoll     = 500 * time.Millisecond
)

// awaitScale returns the scale of the copy's objectives. It asks until rules were evaluated
// once.
func (t *Target) awaitScale(ctx context.Context) (float64, error) {
	prometheus, err := backend.NewPrometheus(t.Places[placePrometheus], nil)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, scalePatience)
	defer cancel()
	for {
		scale, err := scaleInForce(ctx, prometheus)
		if !errors.Is(err, run.ErrNoData) {
			return scale, err
		}
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(scalePoll):
		}
	}
}

// scaleInForce returns the current scale of the rules. The error is run.ErrNoData if there
// are no rules or if they disagree.
func scaleInForce(ctx context.Context, prometheus *backend.Prometheus) (float64, error) {
	vector, err := prometheus.Query(ctx, `group by (scale) (slo:objective:ratio{synthetic=""})`, time.Now())
	if err != nil {
		return 0, fmt.Errorf("ask which scale the objectives run at: %w", err)
	}
	if len(vector) != 1 {
		return 0, fmt.Errorf("ask which scale the objectives run at: %d answers: %w", len(vector), run.ErrNoData)
	}
	return strconv.ParseFloat(string(vector[0].Metric["scale"]), 64)
}
