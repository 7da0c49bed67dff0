package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"firedrill/apps/internal/web"
)

type metrics struct {
	orders       *prometheus.CounterVec
	steps        *prometheus.CounterVec
	resumed      prometheus.Counter
	toShipped    prometheus.Histogram
	unsettled    prometheus.Gauge
	unsettledAge prometheus.Gauge
	published    *prometheus.CounterVec
	outbox       prometheus.Gauge
	outboxAge    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		orders: counters("shop_orders_total", "Orders by outcome, counted when the outcome is decided.", "outcome"),
		steps:  counters("shop_saga_steps_total", "Saga steps of orders, including compensations (refund, release), by step and result.", "step", "result"),
		resumed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "shop_saga_resumed_total", Help: "Attempts to finish an order in the background.",
		}),
		toShipped: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                            "shop_order_confirmed_to_shipped_seconds",
			Help:                            "Time from the confirmation of an order to its shipment.",
			Buckets:                         []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}),
		unsettled:    gauge("shop_orders_unsettled", "Orders that are not yet confirmed, shipped or failed."),
		unsettledAge: gauge("shop_orders_unsettled_oldest_age_seconds", "Age of the oldest unsettled order; 0 if there is none."),
		published:    counters("shop_outbox_published_total", "Attempts to publish events, by result.", "result"),
		outbox:       gauge("shop_outbox_backlog_events", "Unpublished events in the outbox."),
		outboxAge:    gauge("shop_outbox_oldest_age_seconds", "Age of the oldest unpublished event in the outbox; 0 if there is none."),
	}
	for _, c := range []prometheus.Collector{
		m.orders, m.steps, m.resumed, m.toShipped, m.unsettled, m.unsettledAge, m.published, m.outbox, m.outboxAge,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of orders: %w", err)
		}
	}
	m.precreate()
	return m, nil
}

func (m *metrics) precreate() {
	for _, outcome := range []string{"confirmed", string(NoStock), string(Declined), string(UnknownProduct), string(Abandoned)} {
		m.orders.WithLabelValues(outcome)
	}
	for _, step := range []string{"reserve", "charge", "refund", "release"} {
		for _, result := range []string{"ok", "unavailable", "timed_out", "error"} {
			m.steps.WithLabelValues(step, result)
		}
	}
	for _, result := range []string{"ok", "error"} {
		m.published.WithLabelValues(result)
	}
}

// step counts a step by result. A step that changed the order's state, forward
// or back, is ok.
func (m *metrics) step(name string, err error) {
	var result string
	switch web.CodeOf(err) {
	case "":
		result = "ok"
	case web.Unavailable:
		result = "unavailable"
	case web.TimedOut:
		result = "timed_out"
	default:
		result = "error"
	}
	m.steps.WithLabelValues(name, result).Inc()
}

// shipped observes the time from confirmation to shipment. It adds an exemplar
// if the trace is sampled.
func (m *metrics) shipped(ctx context.Context, took time.Duration) {
	if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() {
		labels := prometheus.Labels{"trace_id": sc.TraceID().String(), "span_id": sc.SpanID().String()}
		m.toShipped.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), labels)
		return
	}
	m.toShipped.Observe(took.Seconds())
}

func (m *metrics) backlogs(orders, events backlog) {
	m.unsettled.Set(float64(orders.count))
	m.unsettledAge.Set(orders.oldest.Seconds())
	m.outbox.Set(float64(events.count))
	m.outboxAge.Set(events.oldest.Seconds())
}
