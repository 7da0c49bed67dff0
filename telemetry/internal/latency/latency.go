// Package latency measures the duration of HTTP requests. Server and client use
// it, so both have the same buckets and exemplars.
//
// It must not know who sends or serves the requests.
package latency

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Buckets returns the upper bounds in seconds that OpenTelemetry's semantic
// conventions recommend.
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
func Buckets() []float64 {
	return []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
}

// Native histograms: each bucket is at most 10 % wider than the previous one.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
)

// Options returns the options of a histogram that is both classic and native.
// unit must be the suffix of name, such as "seconds".
func Options(name, unit, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Unit: unit, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     nativeFactor,
		NativeHistogramMaxBucketNumber:  nativeBuckets,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// exemplarEvery is the shortest time between two exemplars of a bucket. More
// would be wasted: a scrape reads only the last one, and an exemplar costs ten
// allocations.
const exemplarEvery = 100 * time.Millisecond

// Observer observes durations in one series of a histogram with Buckets.
type Observer struct {
	series prometheus.Observer
	bounds []float64
	last   []atomic.Int64 // time of each bucket's last exemplar, in ns since 1970
}

// NewObserver returns an Observer for a series.
func NewObserver(series prometheus.Observer) *Observer {
	bounds := Buckets()
	return &Observer{series: series, bounds: bounds, last: make([]atomic.Int64, len(bounds)+1)}
}

// Observe records a duration. It adds an exemplar only if the trace is sampled,
// because other traces are not stored.
func (o *Observer) Observe(took time.Duration, sc trace.SpanContext) {
	seconds := took.Seconds()
	exemplars, ok := o.series.(prometheus.ExemplarObserver)
	if !ok || !sc.IsSampled() || !o.due(seconds) {
		o.series.Observe(seconds)
		return
	}
	exemplars.ObserveWithExemplar(seconds, prometheus.Labels{
		"trace_id": sc.TraceID().String(),
		"span_id":  sc.SpanID().String(),
	})
}

// due reports whether the bucket of the value may get an exemplar again.
func (o *Observer) due(seconds float64) bool {
	bucket := 0
	for bucket < len(o.bounds) && seconds > o.bounds[bucket] {
		bucket++
	}
	now, last := time.Now().UnixNano(), o.last[bucket].Load()
	return now-last >= int64(exemplarEvery) && o.last[bucket].CompareAndSwap(last, now)
}
