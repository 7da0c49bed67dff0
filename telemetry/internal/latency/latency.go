// Package latency measures how long HTTP requests take, in the same way on both
// of their sides: in the same buckets, and with exemplars that lead to a trace.
//
// It must not know whose requests they are.
package latency

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Buckets are upper bounds in seconds, as OpenTelemetry's semantic conventions
// advise.
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
func Buckets() []float64 {
	return []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
}

// Native histograms: each bucket is at most a tenth wider than the one before.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
)

// Options are those of a histogram that is both classic and native. The unit is
// that of the name's end, as Prometheus calls it.
func Options(name, unit, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Unit: unit, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     nativeFactor,
		NativeHistogramMaxBucketNumber:  nativeBuckets,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// exemplarEvery is how often a bucket gets an exemplar. One a bucket and this
// time is as good as one a request: a scrape takes the last one only, and making
// one costs ten allocations.
const exemplarEvery = 100 * time.Millisecond

// Observer observes durations in one series of a histogram with Buckets.
type Observer struct {
	series prometheus.Observer
	bounds []float64
	last   []atomic.Int64 // when each bucket got its last exemplar, in ns since 1970
}

// NewObserver returns the observer of a series.
func NewObserver(series prometheus.Observer) *Observer {
	bounds := Buckets()
	return &Observer{series: series, bounds: bounds, last: make([]atomic.Int64, len(bounds)+1)}
}

// Observe counts a duration. It adds an exemplar when the trace can be found,
// that is when it is sampled.
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

// due tells whether the bucket of the value may have an exemplar again.
func (o *Observer) due(seconds float64) bool {
	bucket := 0
	for bucket < len(o.bounds) && seconds > o.bounds[bucket] {
		bucket++
	}
	now, last := time.Now().UnixNano(), o.last[bucket].Load()
	return now-last >= int64(exemplarEvery) && o.last[bucket].CompareAndSwap(last, now)
}
