package capacity

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/internal/contract"
)

// limit returns a limit at which 1000 units per second took one more core and 100 MB more memory.
func limit(program string) Limit {
	return Limit{Program: program, Unit: "u/s", End: "of 2000 u/s it took 1500", Machine: "m", Steps: []Step{
		{Achieved: 50, Cores: 0.5, RSS: 50e6},
		{Intended: 500, Achieved: 550, Cores: 1, RSS: 100e6},
		{Intended: 1000, Achieved: 1050, Bytes: 2e6, Cores: 1.5, RSS: 150e6},
		{Intended: 2000, Achieved: 1550, Cores: 2, RSS: 900e6},
	}}
}

func report() Report {
	return Report{
		Costs: Costs{
			Machine: "m", Measured: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Seconds: 60, Rate: 100,
			LogLines: 2, LogBytes: 1000, Spans: 6, SpanBytes: 2400, Derived: 60, Recorded: 40,
			Services: []Service{{Name: "a", Series: 95, Scrape: 5, CPU: 0.001}, {Name: "b", Series: 195, Scrape: 5, CPU: 0.0002}},
		},
		Limits: []Limit{limit("loki"), limit("tempo"), limit("prometheus")},
	}
}

func TestLimit(t *testing.T) {
	l := limit("loki")
	if got := l.Highest(); got.Achieved != 1000 || got.Cores != 1.5 {
		t.Errorf("highest %+v, want that of 1000 u/s", got)
	}
	if got := l.PerCore(); got != 1000 {
		t.Errorf("a core is good for %v, want 1000", got)
	}
	if got := l.Memory(); got != 100e3 {
		t.Errorf("memory a unit %v, want 100 kB", got)
	}
	none := Limit{Steps: []Step{{Cores: 1}, {Intended: 10, Achieved: 5, Cores: 2}}}
	if none.PerCore() != 0 || none.Memory() != 0 || none.Highest() != (Step{}) {
		t.Errorf("a program that held nothing is good for %v", none.PerCore())
	}
}

func TestPlan(t *testing.T) {
	r := report()
	for _, tc := range []struct {
		name string
		Scenario
		pods                                        int
		cores, series, samples, lines, bytes, spans float64
		enough                                      [3]bool // prometheus, loki, tempo
		prometheus                                  Need
	}{
		{
			"one process a service", Scenario{Rate: 10, Sampled: 1, Interval: time.Second, MinPods: 1},
			2, 0.012, 100 + 300, 400, 20, 10e3, 60, [3]bool{true, true, true},
			Need{Cores: 0.4, Memory: 50e6 + 400*100e3},
		},
		{
			// a uses 1 core in pods of 0.3 cores: 4 pods. b uses 0.2 cores and has the least number of pods: 2.
			"scaled by load", Scenario{Rate: 1000, Sampled: 0.1, Interval: 10 * time.Second, PodCores: 0.3, MinPods: 2},
			6, 1.2, 100 + 4*100 + 2*200, 90, 2000, 1e6, 600, [3]bool{true, false, true},
			Need{Cores: 0.09, Memory: 50e6 + 900*100e3},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := r.Plan(tc.Scenario)
			if err != nil {
				t.Fatal(err)
			}
			for name, pair := range map[string][2]float64{
				"pods": {float64(p.Pods), float64(tc.pods)}, "cores": {p.Cores, tc.cores}, "series": {p.Series, tc.series},
				"samples": {p.Samples, tc.samples}, "lines": {p.Lines, tc.lines}, "bytes": {p.Bytes, tc.bytes}, "spans": {p.Spans, tc.spans},
				"prometheus's cores": {p.Needs[0].Cores, tc.prometheus.Cores}, "prometheus's memory": {p.Needs[0].Memory, tc.prometheus.Memory},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-9*math.Abs(pair[1]) {
					t.Errorf("%s %v, want %v", name, pair[0], pair[1])
				}
			}
			for i, n := range p.Needs {
				if n.Enough != tc.enough[i] {
					t.Errorf("one %s is enough: %v, want %v", n.Program, n.Enough, tc.enough[i])
				}
			}
		})
	}
}

func TestPlanWithoutALimit(t *testing.T) {
	r := report()
	r.Limits = r.Limits[:2]
	if _, err := r.Plan(Scenarios()[0]); err == nil || !strings.Contains(err.Error(), `no limit of "prometheus"`) {
		t.Errorf("error %v", err)
	}
}

func TestPutReplaces(t *testing.T) {
	r := report()
	r.Put(Limit{Program: "tempo", Unit: "new"})
	r.Put(Limit{Program: "mimir"})
	if len(r.Limits) != 4 || r.Limits[1].Unit != "new" || r.Limits[3].Program != "mimir" {
		t.Errorf("limits %+v", r.Limits)
	}
}

// answers is a stack whose counters grow by the same amount with each query.
type answers struct {
	asked map[string]int
	empty string // query with an empty answer
	more  model.Vector
}

func (a *answers) Query(_ context.Context, promql string, _ time.Time) (model.Vector, error) {
	value := func(v float64, labels ...string) *model.Sample {
		metric := model.Metric{}
		for i := 0; i < len(labels); i += 2 {
			metric[model.LabelName(labels[i])] = model.LabelValue(labels[i+1])
		}
		return &model.Sample{Metric: metric, Value: model.SampleValue(v)}
	}
	a.asked[promql]++
	n := float64(a.asked[promql])
	if a.empty != "" && strings.Contains(promql, a.empty) {
		return nil, nil
	}
	switch {
	case strings.Contains(promql, "request_duration_seconds_count"):
		return model.Vector{value(1000 * n)}, nil
	case strings.Contains(promql, "lines_received"):
		return model.Vector{value(2500 * n)}, nil
	case strings.Contains(promql, "loki_distributor_bytes"):
		return model.Vector{value(1e6 * n)}, nil
	case strings.Contains(promql, "spans_received"):
		return model.Vector{value(6000 * n)}, nil
	case strings.Contains(promql, "tempo_distributor_bytes"):
		return model.Vector{value(2.4e6 * n)}, nil
	case promql == cpuQuery:
		return model.Vector{value(0.5*n, "job", "orders"), value(0.25*n, "job", "gateway")}, nil
	case strings.Contains(promql, "by (job, __name__)"):
		return append(model.Vector{
			value(1, "job", "orders", "__name__", "up"), value(4, "job", "orders", "__name__", "scrape_samples_scraped"),
			value(30, "job", "orders", "__name__", "shop_wait_seconds_bucket"), value(3, "job", "orders", "__name__", "shop_wait_seconds"),
			value(7, "job", "gateway", "__name__", "shop_logins_total"),
		}, a.more...), nil
	}
	return model.Vector{value(42)}, nil
}

func TestMeasure(t *testing.T) {
	c, err := contract.Read(strings.NewReader(`{"metrics": [
		{"name": "shop_logins_total", "type": "counter", "help": "Logins.", "labels": []},
		{"name": "shop_wait_seconds", "type": "histogram", "unit": "seconds", "help": "Waits.", "labels": []}]}`))
	if err != nil {
		t.Fatal(err)
	}
	measure := func(a *answers) (costs Costs, err error) {
		a.asked = map[string]int{}
		synctest.Test(t, func(t *testing.T) { costs, err = Measure(t.Context(), a, c, time.Minute) })
		return costs, err
	}
	got, err := measure(&answers{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Seconds != 60 || math.Abs(got.Rate-1000.0/60) > 1e-9 || got.LogLines != 2.5 || got.LogBytes != 1000 || got.Spans != 6 || got.SpanBytes != 2400 ||
		got.Derived != 42 || got.Recorded != 42 {
		t.Errorf("costs %+v", got)
	}
	want := []Service{{Name: "gateway", Series: 7, CPU: 0.00025}, {Name: "orders", Series: 33, Scrape: 5, CPU: 0.0005}}
	if len(got.Services) != 2 || got.Services[0] != want[0] || got.Services[1] != want[1] {
		t.Errorf("services %+v, want %+v", got.Services, want)
	}
	foreign := &model.Sample{Metric: model.Metric{"job": "orders", "__name__": "secret_total"}, Value: 1}
	if _, err := measure(&answers{more: model.Vector{foreign}}); err == nil || !strings.Contains(err.Error(), "no contract has secret_total") {
		t.Errorf("a metric without a contract: error %v", err)
	}
	if _, err := measure(&answers{empty: "lines_received"}); err == nil || !strings.Contains(err.Error(), "does the stack run?") {
		t.Errorf("a counter that is not there: error %v", err)
	}
}

func TestMeasureWantsLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Measure(t.Context(), idle{}, contract.Contract{}, time.Minute)
		if !errors.Is(err, ErrQuiet) {
			t.Errorf("error %v, want ErrQuiet", err)
		}
	})
}

// idle is a stack without any activity.
type idle struct{}

func (idle) Query(context.Context, string, time.Time) (model.Vector, error) {
	return model.Vector{{Value: 7}}, nil
}

func TestReadReport(t *testing.T) {
	if _, err := ReadReport(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("error %v, want one that names the file", err)
	}
}
