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
			Help: "Events worked on, by what became of them; dropped ones could never be worked off.",
		}, []string{"outcome"}),
		shipments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_shipments_total",
			Help: "Parcels sent, and events that came for one that was already sent.",
		}, []string{"kind"}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "shop_consumer_pending_messages", Help: "Events that wait at the broker to be delivered.",
		}),
		unacked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "shop_consumer_unacknowledged_messages", Help: "Events delivered and not yet acknowledged.",
		}),
	}
	for _, c := range []prometheus.Collector{m.events, m.shipments, m.pending, m.unacked} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of shipping: %w", err)
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
