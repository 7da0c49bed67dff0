// Package metrics exposes a running load test to Prometheus as loadgen_* metrics: the
// intended load, the requests sent, and their latencies. All series exist from the
// beginning. Their labels are names from the profile and failure classes, so their number
// is bounded.
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

// Step identifies a request of a scenario.
type Step struct{ Scenario, Step string }

// Run describes a run: what is known before it begins, and functions that return its
// current state.
type Run struct {
	Profile  string
	Steps    []Step   // Step is "" for a scenario that has a single request
	Journeys []string // names of scenarios that are journeys
	Failures []string // failure classes
	Workers  int

	Intended func() uint64  // arrivals due so far
	Rate     func() float64 // current intended rate, in arrivals a second
	Begun    func() uint64  // arrivals begun so far
	Busy     func() int     // workers with an active arrival
}

// Metrics holds the metrics of one run. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests map[Step]*series
	journeys map[string]*series
}

// series holds the metrics of one step, or of the journeys of one scenario.
type series struct {
	results                map[string]prometheus.Counter // by failure class; "" is success
	other                  prometheus.Counter            // results of a class that is not in Run.Failures
	response, service, lag prometheus.Observer
	last                   atomic.Int64 // when the last exemplar was kept, in ns since the run began
}

// exemplarEvery is the shortest time between two exemplars of a series. A scrape sees only
// the last one.
const exemplarEvery = 100 * time.Millisecond

// labelResult is the label whose value is "ok" or a failure class.
const (
	labelResult = "result"
	resultOK    = "ok"
	resultOther = "failed" // a failed journey, or a failure class that is not in Run.Failures
)

// New returns the metrics of a run, in their own registry.
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

// count creates the counters of a series.
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

// histogram returns a native histogram that also has classic buckets, for readers that do
// not support native ones.
func histogram(name, help string, labels []string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// Add counts a finished request.
func (m *Metrics) Add(s result.Sample) {
	of, ok := m.requests[Step{s.Scenario, s.Step}]
	if !ok {
		return // not a step of this run
	}
	of.inc(s.Failure)
	of.service.Observe((s.Done - s.Sent).Seconds())
	of.lag.Observe((s.Sent - s.Due).Seconds())
	of.observe(s)
}

// observe records the response time. It adds the trace as an exemplar if the trace is kept
// and no exemplar was added in the last exemplarEvery.
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

// AddJourney counts a finished journey.
func (m *Metrics) AddJourney(s result.JourneySample) {
	of, ok := m.journeys[s.Scenario]
	if !ok {
		return // not a journey of this run
	}
	of.response.Observe((s.Done - s.Due).Seconds())
	if s.Failed {
		of.other.Inc()
		return
	}
	of.inc("")
}

// Handler serves the metrics at /metrics. It answers 200 at /healthz.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}
