package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Prometheus is a client of Prometheus' HTTP API.
type Prometheus struct {
	backend backend
	api     promv1.API
}

// NewPrometheus returns a client of the server at base, such as
// http://127.0.0.1:9090. A nil client means http.DefaultClient.
func NewPrometheus(base string, client *http.Client) (*Prometheus, error) {
	b, err := newBackend("prometheus", base, client)
	if err != nil {
		return nil, err
	}
	c, err := api.NewClient(api.Config{Address: b.base, Client: b.client})
	if err != nil {
		return nil, fmt.Errorf("make a client of prometheus at %s: %w", base, err)
	}
	return &Prometheus{backend: b, api: promv1.NewAPI(c)}, nil
}

// Query evaluates PromQL at one time. A scalar is returned as a vector of one sample without labels. An empty
// vector is no error. Warnings are errors, because a partial answer proves nothing.
func (p *Prometheus) Query(ctx context.Context, promql string, at time.Time) (model.Vector, error) {
	return p.instant(ctx, promql, at)
}

// QueryFresh is Query with samples that are at most as old as age. By default, Prometheus uses samples that are
// up to five minutes old.
func (p *Prometheus) QueryFresh(ctx context.Context, promql string, at time.Time, age time.Duration) (model.Vector, error) {
	return p.instant(ctx, promql, at, promv1.WithLookbackDelta(age))
}

func (p *Prometheus) instant(ctx context.Context, promql string, at time.Time, options ...promv1.Option) (model.Vector, error) {
	value, warnings, _, err := p.api.Query(ctx, promql, at, options...)
	if err = orWarnings(err, warnings); err != nil {
		return nil, p.fail("/api/v1/query", promql, err)
	}
	switch v := value.(type) {
	case model.Vector:
		return v, nil
	case *model.Scalar:
		return model.Vector{{Value: v.Value, Timestamp: v.Timestamp}}, nil
	default:
		return nil, p.fail("/api/v1/query", promql, fmt.Errorf("the answer is a %s, not a vector", value.Type()))
	}
}

// QueryRange evaluates PromQL at each step of a time range.
func (p *Prometheus) QueryRange(ctx context.Context, promql string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	value, warnings, _, err := p.api.QueryRange(ctx, promql, promv1.Range{Start: start, End: end, Step: step})
	if err = orWarnings(err, warnings); err != nil {
		return nil, p.fail("/api/v1/query_range", promql, err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, p.fail("/api/v1/query_range", promql, fmt.Errorf("the answer is a %s, not a matrix", value.Type()))
	}
	return matrix, nil
}

// Exemplar is one observation of a histogram with its trace.
type Exemplar struct {
	Series model.LabelSet // labels of the histogram, with __name__
	Labels model.LabelSet // trace_id, span_id
	Value  float64        // in the unit of the histogram
	Time   time.Time
}

// Exemplars returns the exemplars from start to end of the series that promql selects.
func (p *Prometheus) Exemplars(ctx context.Context, promql string, start, end time.Time) ([]Exemplar, error) {
	results, err := p.api.QueryExemplars(ctx, promql, start, end)
	if err != nil {
		return nil, p.fail("/api/v1/query_exemplars", promql, err)
	}
	var all []Exemplar
	for _, r := range results {
		for _, e := range r.Exemplars {
			all = append(all, Exemplar{Series: r.SeriesLabels, Labels: e.Labels, Value: float64(e.Value), Time: e.Timestamp.Time()})
		}
	}
	return all, nil
}

// Targets returns the scrape targets.
func (p *Prometheus) Targets(ctx context.Context) ([]promv1.ActiveTarget, error) {
	result, err := p.api.Targets(ctx)
	if err != nil {
		return nil, p.fail("/api/v1/targets", "", err)
	}
	return result.Active, nil
}

// RuleGroups returns the recording and alerting rules with their state.
func (p *Prometheus) RuleGroups(ctx context.Context) ([]promv1.RuleGroup, error) {
	result, err := p.api.Rules(ctx, nil)
	if err != nil {
		return nil, p.fail("/api/v1/rules", "", err)
	}
	return result.Groups, nil
}

// Alertmanagers returns the URLs of the Alertmanagers to which Prometheus sends alerts.
func (p *Prometheus) Alertmanagers(ctx context.Context) ([]string, error) {
	result, err := p.api.AlertManagers(ctx)
	if err != nil {
		return nil, p.fail("/api/v1/alertmanagers", "", err)
	}
	var urls []string
	for _, a := range result.Active {
		urls = append(urls, a.URL)
	}
	return urls, nil
}

func (p *Prometheus) fail(path, promql string, err error) error {
	var answered *promv1.Error
	if errors.As(err, &answered) && answered.Detail != "" {
		err = fmt.Errorf("%w: %s", err, reason([]byte(answered.Detail)))
	}
	return p.backend.fail(question{path: path, query: promql}, err)
}

func orWarnings(err error, warnings promv1.Warnings) error {
	if err == nil && len(warnings) > 0 {
		return fmt.Errorf("answered with warnings: %q", []string(warnings))
	}
	return err
}
