// Package metrics shows a running load test to Prometheus, as loadgen_*: what the
// schedule intends, what was sent, and how long it took. All series are there from
// the beginning; their labels are the names of a profile and classes of failures.
//
// It must not know how requests are made, nor judge them.
package metrics

import (
	"encoding/hex"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"firedrill/loadgen/result"
)

// Step names a request of a scenario.
type Step struct{ Scenario, Step string }

// Run is what is known of a run before it begins, and what can be asked while it goes on.
type Run struct {
	Profile  string
	Steps    []Step   // "" is the step of a scenario that is one request
	Journeys []string // scenarios that are journeys
	Failures []string // classes of failures
	Workers  int

	Intended func() uint64  // arrivals due so far
	Rate     func() float64 // intended now, in arrivals a second
	Begun    func() uint64  // arrivals begun so far
	Busy     func() int     // workers that carry an arrival
}

// Metrics of one run. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests map[Step]*series
	journeys map[string]*series
}

// series of one step, or of one scenario's journeys.
type series struct {
	results                map[string]prometheus.Counter // by failure class; "" is good
	other                  prometheus.Counter            // of a class that was not announced
	response, service, lag prometheus.Observer
	last                   atomic.Int64 // when an exemplar was last kept, in ns since the run began
}

// exemplarEvery is how often a series keeps an exemplar. A scrape sees only the last.
const exemplarEvery = 100 * time.Millisecond

// labelResult is "ok" or a class of failures.
const (
	labelResult = "result"
	resultOK    = "ok"
	resultOther = "failed" // of a journey, or of a class that was not announced
)

// New returns the metrics of a run, in a registry of their own.
func New(run Run) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), requests: map[Step]*series{}, journeys: map[string]*series{}}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.ofRun(run)
	m.ofRequests(run)
	m.ofJourneys(run)
	return m
}

func (m *Metrics) ofRun(run Run) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "loadgen_run_info", Help: "1 while a load test runs.", ConstLabels: prometheus.Labels{"profile": run.Profile},
	})
	info.Set(1)
	workers := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "loadgen_workers", Help: "Arrivals that may be under way at once.",
	})
	workers.Set(float64(run.Workers))
	m.registry.MustRegister(info, workers,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "loadgen_intended_arrivals_total", Help: "Arrivals that the schedule wanted so far.",
		}, func() float64 { return float64(run.Intended()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "loadgen_arrivals_total", Help: "Arrivals that began. Less than intended: the target or the generator is behind.",
		}, func() float64 { return float64(run.Begun()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_intended_arrivals_per_second", Help: "Rate that the schedule wants now.",
		}, run.Rate),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_workers_busy", Help: "Arrivals that are under way.",
		}, func() float64 { return float64(run.Busy()) }),
	)
}

func (m *Metrics) ofRequests(run Run) {
	names := []string{"scenario", "step"}
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "loadgen_requests_total", Help: "Requests that ended, by what came of them.",
	}, append(names, labelResult))
	response := histogram("loadgen_response_duration_seconds", "From when a request was due until it was answered.", names)
	service := histogram("loadgen_service_duration_seconds", "From when a request was sent until it was answered.", names)
	lag := histogram("loadgen_dispatch_lag_seconds", "From when a request was due until it was sent.", names)
	m.registry.MustRegister(total, response, service, lag)
	for _, st := range run.Steps {
		values := []string{st.Scenario, st.Step}
		m.requests[st] = &series{
			response: response.WithLabelValues(values...), service: service.WithLabelValues(values...),
			lag: lag.WithLabelValues(values...), results: map[string]prometheus.Counter{},
		}
		m.requests[st].count(total, run.Failures, values...)
	}
}

func (m *Metrics) ofJourneys(run Run) {
	if len(run.Journeys) == 0 {
		return
	}
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "loadgen_journeys_total", Help: "Journeys that ended, by what came of them.",
	}, []string{"scenario", labelResult})
	response := histogram("loadgen_journey_duration_seconds", "From when a journey was due until its last answer.", []string{"scenario"})
	m.registry.MustRegister(total, response)
	for _, name := range run.Journeys {
		m.journeys[name] = &series{response: response.WithLabelValues(name), results: map[string]prometheus.Counter{}}
		m.journeys[name].count(total, nil, name)
	}
}

// count makes the counters of a series.
func (s *series) count(total *prometheus.CounterVec, failures []string, values ...string) {
	with := func(outcome string) prometheus.Counter {
		return total.WithLabelValues(append(values[:len(values):len(values)], outcome)...)
	}
	s.results[""] = with(resultOK)
	s.other = with(resultOther)
	for _, class := range failures {
		s.results[class] = with(class)
	}
}

func (s *series) inc(failure string) {
	if c, ok := s.results[failure]; ok {
		c.Inc()
		return
	}
	s.other.Inc()
}

// histogram is native, and classic for those who read only that.
func histogram(name, help string, labels []string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// Add counts a request that has ended.
func (m *Metrics) Add(s result.Sample) {
	of, ok := m.requests[Step{s.Scenario, s.Step}]
	if !ok {
		return // not of this run
	}
	of.inc(s.Failure)
	of.service.Observe((s.Done - s.Sent).Seconds())
	of.lag.Observe((s.Sent - s.Due).Seconds())
	of.observe(s)
}

// observe counts the response time, with the trace if it is kept and none was shown lately.
func (s *series) observe(sample result.Sample) {
	seconds := (sample.Done - sample.Due).Seconds()
	exemplars, ok := s.response.(prometheus.ExemplarObserver)
	last := s.last.Load()
	show := ok && sample.Sampled && int64(sample.Done)-last >= int64(exemplarEvery) && s.last.CompareAndSwap(last, int64(sample.Done))
	if !show {
		s.response.Observe(seconds)
		return
	}
	exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": hex.EncodeToString(sample.TraceID[:])})
}

// AddJourney counts a journey that has ended.
func (m *Metrics) AddJourney(s result.JourneySample) {
	of, ok := m.journeys[s.Scenario]
	if !ok {
		return // not of this run
	}
	of.response.Observe((s.Done - s.Due).Seconds())
	if s.Failed {
		of.other.Inc()
		return
	}
	of.inc("")
}

// Handler serves the metrics at /metrics, and 200 at /healthz.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}
