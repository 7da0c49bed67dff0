package telemetry

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// selfMetrics are metrics about the telemetry itself: items queued, sent and
// dropped.
type selfMetrics struct {
	registry *prometheus.Registry
	export   *prometheus.HistogramVec
}

func newSelf(registry *prometheus.Registry) *selfMetrics {
	s := &selfMetrics{registry: registry, export: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                        "telemetry_export_duration_seconds",
		Help:                        "Duration of one attempt to send a batch to its backend, by signal and outcome.",
		Buckets:                     []float64{.005, .025, .1, .5, 1, 5, 10},
		NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets,
	}, []string{"signal", "outcome"})}
	registry.MustRegister(s.export)
	return s
}

// signal returns a function that records each attempt to send one signal.
func (s *selfMetrics) signal(name string) func(time.Duration, error) {
	ok := s.export.WithLabelValues(name, "success")
	retry := s.export.WithLabelValues(name, "retry")
	refused := s.export.WithLabelValues(name, "rejected")
	return func(took time.Duration, err error) {
		observer := retry
		var r *rejectedError
		switch {
		case err == nil:
			observer = ok
		case errors.As(err, &r):
			observer = refused
		}
		observer.Observe(took.Seconds())
	}
}

// fenceCollector exports the stats of one fence as metrics.
type fenceCollector struct {
	stats                                      func() fenceStats
	limit                                      float64
	items, cost, most, enqueued, sent, dropped *prometheus.Desc
}

func (s *selfMetrics) watch(signal string, limit int, stats func() fenceStats) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, prometheus.Labels{"signal": signal})
	}
	s.registry.MustRegister(&fenceCollector{
		stats:    stats,
		limit:    float64(limit),
		items:    desc("telemetry_queue_items", "Log lines or spans in the queue or being sent."),
		cost:     desc("telemetry_queue_size", "Size of the queued items: bytes for logs, spans for traces. The limit is telemetry_queue_limit."),
		most:     desc("telemetry_queue_limit", "Maximum of telemetry_queue_size: bytes for logs, spans for traces."),
		enqueued: desc("telemetry_enqueued_items_total", "Log lines or spans added to the queue."),
		sent:     desc("telemetry_exported_items_total", "Log lines or spans that the backend accepted."),
		dropped: desc("telemetry_dropped_items_total",
			"Log lines or spans lost, by reason: queue_full, rejected by the backend, or not sent at shutdown.", "reason"),
	})
}

// Describe implements prometheus.Collector.
func (c *fenceCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.items, c.cost, c.most, c.enqueued, c.sent, c.dropped} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *fenceCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(c.items, float64(s.held))
	gauge(c.cost, float64(s.cost))
	gauge(c.most, c.limit)
	counter(c.enqueued, s.enqueued)
	counter(c.sent, s.exported)
	for reason, name := range dropReasons {
		counter(c.dropped, s.dropped[reason], name)
	}
}
