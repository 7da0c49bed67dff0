//go:build e2e

package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/dashboards"
	"firedrill/internal/backend"
)

var errEmpty = errors.New("empty")

// window is the time range of the queries.
const window = 2 * time.Minute

// choices returns the values of a dashboard's variables: all values of a variable that accepts several, and one
// row for each value of others.
func (r reader) choices(t *testing.T, b dashboards.Board) []map[string]string {
	t.Helper()
	all := []map[string]string{{"__rate_interval": "20s", "__range": "2m", "__auto": "15s"}}
	variables, err := b.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		var next []map[string]string
		for _, chosen := range all {
			values := v.Values
			if v.Ask != nil {
				text, err := v.Ask.With(chosen)
				if err != nil {
					t.Fatal(err)
				}
				if values, err = r.labelValues(v.Ask.Backend, text); err != nil {
					values = []string{"none"} // the variable's own query reports the error
				}
			}
			if v.All != "" {
				values = []string{v.All}
			}
			for _, value := range values {
				more := map[string]string{v.Name: value}
				for k, v := range chosen {
					more[k] = v
				}
				next = append(next, more)
			}
		}
		all = next
	}
	return all
}

// reader queries the backends of a copy of the stack as Grafana would.
type reader struct {
	c          *stackCopy
	prometheus *backend.Prometheus
	loki       *backend.Loki
	tempo      *backend.Tempo
}

func newReader(t *testing.T, c *stackCopy) reader {
	t.Helper()
	p, err1 := backend.NewPrometheus(c.url(9090, ""), http.DefaultClient)
	l, err2 := backend.NewLoki(c.url(3100, ""), http.DefaultClient)
	tempo, err3 := backend.NewTempo(c.url(3200, ""), http.DefaultClient)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return reader{c, p, l, tempo}
}

// answer returns nil if there is data, and errEmpty if there is none.
func (r reader) answer(ctx context.Context, a dashboards.Ask, values map[string]string) error {
	text, err := a.With(values)
	if err != nil {
		return err
	}
	end := time.Now()
	begin := end.Add(-window)
	switch a.Language {
	case dashboards.PromQL:
		return r.promql(ctx, a, text, begin, end)
	case dashboards.LogQL:
		if strings.HasPrefix(text, "{") {
			lines, err := r.loki.Lines(ctx, text, begin, end, 10)
			return some(len(lines), err)
		}
		m, err := r.loki.QueryRange(ctx, text, begin, end, 15*time.Second)
		return some(numbers(m), err)
	case dashboards.TraceQL:
		if a.Series {
			series, err := r.tempo.QueryRange(ctx, text, begin, end, 15*time.Second)
			return some(len(series), err)
		}
		found, err := r.tempo.Search(ctx, text, begin, end, 10)
		return some(len(found), err)
	case dashboards.ServiceMap:
		return r.serviceMap(ctx, end)
	case dashboards.LabelValues:
		values, err := r.labelValues(a.Backend, text)
		return some(len(values), err)
	default:
		return fmt.Errorf("nobody speaks %q", a.Language)
	}
}

func (r reader) promql(ctx context.Context, a dashboards.Ask, text string, begin, end time.Time) error {
	if a.Now {
		v, err := r.prometheus.Query(ctx, text, end)
		return some(count(v), err)
	}
	m, err := r.prometheus.QueryRange(ctx, text, begin, end, 5*time.Second)
	if err := some(numbers(m), err); err != nil || !a.Exemplars {
		return err
	}
	exemplars, err := r.prometheus.Exemplars(ctx, text, begin, end)
	if err := some(len(exemplars), err); err != nil {
		return fmt.Errorf("its exemplars: %w", err)
	}
	return nil
}

// serviceMap sends the queries of Tempo's data source for the service graph and the table beside it.
func (r reader) serviceMap(ctx context.Context, at time.Time) error {
	for _, text := range []string{
		"sum by (client, server) (rate(traces_service_graph_request_total[2m]))",
		"group by (client, connection_type, server) (traces_service_graph_request_total)",
		"sum by (client, server) (rate(traces_service_graph_request_server_seconds_sum[2m]))",
		"sum by (client, server) (rate(traces_service_graph_request_failed_total[2m]))",
		"histogram_quantile(.9, sum(rate(traces_service_graph_request_server_seconds_bucket[2m])) by (le, client, server))",
		"sum(rate(traces_spanmetrics_calls_total[2m])) by (span_name)",
		"histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket[2m])) by (le))",
	} {
		v, err := r.prometheus.Query(ctx, text, at)
		if err := some(count(v), err); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

var labelValuesCall = regexp.MustCompile(`^label_values\((?:(.+),\s*)?(\w+)\)$`)

func (r reader) labelValues(backend, text string) ([]string, error) {
	m := labelValuesCall.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q is no label_values(series, label)", text)
	}
	path := map[string]string{
		"prometheus": "/api/v1/label/" + m[2] + "/values?match[]=" + url.QueryEscape(m[1]),
		"loki":       "/loki/api/v1/label/" + m[2] + "/values",
	}[backend]
	base := map[string]int{"prometheus": 9090, "loki": 3100}[backend]
	body := r.c.get(base, path)
	var answer struct {
		Status string
		Data   []string
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Status != "success" {
		return nil, fmt.Errorf("%s of %s: %s", text, backend, body)
	}
	return answer.Data, some(len(answer.Data), nil)
}

func some(n int, err error) error {
	if err == nil && n == 0 {
		return errEmpty
	}
	return err
}

// numbers counts the samples that are not NaN.
func numbers(m model.Matrix) int {
	n := 0
	for _, s := range m {
		n += len(s.Histograms)
		for _, v := range s.Values {
			if !math.IsNaN(float64(v.Value)) {
				n++
			}
		}
	}
	return n
}

func count(v model.Vector) int {
	n := 0
	for _, s := range v {
		if s.Histogram != nil || !math.IsNaN(float64(s.Value)) {
			n++
		}
	}
	return n
}
