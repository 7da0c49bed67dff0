package shipping

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	events    *prometheus.CounterVec
	shipments *prometheus.CounterVec
	pending   prometheus.Gauge
	unacked   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_shipping_events_total",
			Help: "Deliveries of events by outcome. An event that can never be processed is dropped.",
		}, []string{"outcome"}),
		shipments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_shipments_total",
			Help: "Shipment events: first for a parcel sent, repeated for an order that was already shipped.",
		}, []string{"kind"}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "shop_consumer_pending_messages", Help: "Events not yet delivered by the broker.",
		}),
		unacked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "shop_consumer_unacknowledged_messages", Help: "Events delivered but not yet acknowledged.",
		}),
	}
	for _, c := range []prometheus.Collector{m.events, m.shipments, m.pending, m.unacked} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of shipping: %w", err)
		}
	}
	for _, outcome := range []string{"shipped", "retried", "dropped"} {
		m.events.WithLabelValues(outcome)
	}
	m.shipments.WithLabelValues("first")
	m.shipments.WithLabelValues("repeated")
	return m, nil
}

func (m *metrics) ships(fresh bool) {
	if fresh {
		m.shipments.WithLabelValues("first").Inc()
		return
	}
	m.shipments.WithLabelValues("repeated").Inc()
}
