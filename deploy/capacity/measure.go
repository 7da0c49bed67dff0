package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/internal/contract"
	"firedrill/internal/wait"
)

// Asker answers PromQL queries.
type Asker interface {
	Query(ctx context.Context, promql string, at time.Time) (model.Vector, error)
}

// ErrQuiet means that there were too few requests to measure the cost of one.
var ErrQuiet = errors.New("too few requests")

// fewest is the least number of requests of a measurement.
const fewest = 200

// counters returns the queries of counters that grow with requests, by name.
func counters() map[string]string {
	return map[string]string{
		"requests":   `sum(http_server_request_duration_seconds_count{job="gateway", http_route!~"/healthz|/readyz"})`,
		"log lines":  `sum(loki_distributor_lines_received_total)`,
		"log bytes":  `sum(loki_distributor_bytes_received_total)`,
		"spans":      `sum(tempo_distributor_spans_received_total)`,
		"span bytes": `sum(tempo_distributor_bytes_received_total)`,
	}
}

const cpuQuery = `sum by (job) (process_cpu_seconds_total{tier="shop"})`

// Measure observes a stack under load for the time watch and returns the costs of a request. It counts only
// series of metrics in the contract. A metric of the shop without a contract is an error.
func Measure(ctx context.Context, ask Asker, c contract.Contract, watch time.Duration) (Costs, error) {
	begin, err := snapshot(ctx, ask)
	if err != nil {
		return Costs{}, err
	}
	if !wait.Sleep(ctx, watch) {
		return Costs{}, context.Cause(ctx)
	}
	end, err := snapshot(ctx, ask)
	if err != nil {
		return Costs{}, err
	}
	grown := func(name string) float64 { return end.counters[name] - begin.counters[name] }
	requests, seconds := grown("requests"), end.at.Sub(begin.at).Seconds()
	if requests < fewest {
		return Costs{}, fmt.Errorf("measure what a request costs: %.0f requests in %.0f s: %w", requests, seconds, ErrQuiet)
	}
	out := Costs{
		Machine: machine(), Measured: end.at, Seconds: seconds, Rate: requests / seconds,
		LogLines: grown("log lines") / requests, LogBytes: grown("log bytes") / requests,
		Spans: grown("spans") / requests, SpanBytes: grown("span bytes") / requests,
	}
	if out.Services, err = services(ctx, ask, c, end.at); err != nil {
		return Costs{}, err
	}
	for i, s := range out.Services {
		out.Services[i].CPU = (end.cpu[s.Name] - begin.cpu[s.Name]) / requests
	}
	if out.Derived, err = count(ctx, ask, `count({__name__=~"traces_.+"})`, end.at); err != nil {
		return Costs{}, err
	}
	out.Recorded, err = count(ctx, ask, `count({__name__=~"slo:.+", synthetic=""})`, end.at)
	return out, err
}

// moment holds the values of all counters at one time.
type moment struct {
	at       time.Time
	counters map[string]float64
	cpu      map[string]float64 // core seconds, by service
}

func snapshot(ctx context.Context, ask Asker) (moment, error) {
	m := moment{at: time.Now(), counters: map[string]float64{}, cpu: map[string]float64{}}
	for name, promql := range counters() {
		v, err := ask.Query(ctx, promql, m.at)
		if err != nil {
			return m, fmt.Errorf("count %s: %w", name, err)
		}
		if len(v) != 1 {
			return m, fmt.Errorf("count %s: %s has no value: does the stack run?", name, promql)
		}
		m.counters[name] = float64(v[0].Value)
	}
	v, err := ask.Query(ctx, cpuQuery, m.at)
	if err != nil {
		return m, fmt.Errorf("read what processors did: %w", err)
	}
	for _, s := range v {
		m.cpu[string(s.Metric["job"])] = float64(s.Value)
	}
	return m, nil
}

func count(ctx context.Context, ask Asker, promql string, at time.Time) (int, error) {
	v, err := ask.Query(ctx, promql, at)
	if err != nil {
		return 0, fmt.Errorf("count series: %w", err)
	}
	if len(v) == 0 {
		return 0, nil
	}
	return int(math.Round(float64(v[0].Value))), nil
}

// services returns the number of series of each service. It returns an error if a metric is not in the
// contract.
func services(ctx context.Context, ask Asker, c contract.Contract, at time.Time) ([]Service, error) {
	v, err := ask.Query(ctx, `count by (job, __name__) ({tier="shop"})`, at)
	if err != nil {
		return nil, fmt.Errorf("count the series of the shop: %w", err)
	}
	byName := map[string]*Service{}
	var foreign []string
	for _, s := range v {
		job, metric, n := string(s.Metric["job"]), string(s.Metric["__name__"]), int(s.Value)
		if byName[job] == nil {
			byName[job] = &Service{Name: job}
		}
		switch {
		case metric == "up" || strings.HasPrefix(metric, "scrape_"):
			byName[job].Scrape += n
		case c.Check(metric) != nil:
			foreign = append(foreign, metric)
		default:
			byName[job].Series += n
		}
	}
	if len(foreign) > 0 {
		slices.Sort(foreign)
		return nil, fmt.Errorf("count the series of the shop: no contract has %s", strings.Join(slices.Compact(foreign), ", "))
	}
	var all []Service
	for _, s := range byName {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
