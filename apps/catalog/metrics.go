package catalog

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"firedrill/apps/internal/web"
)

type metrics struct {
	cache        *prometheus.CounterVec
	reservations *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		cache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_catalog_cache_lookups_total",
			Help: "Lookups in the product cache, by cache and result.",
		}, []string{"cache", "result"}),
		reservations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_stock_reservations_total",
			Help: "Stock reservations by outcome. A released reservation was counted as reserved before.",
		}, []string{"outcome"}),
	}
	for _, c := range []prometheus.Collector{m.cache, m.reservations} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the catalog: %w", err)
		}
	}
	for _, outcome := range []string{"reserved", "out_of_stock", "unknown_product", "voided", "error", "released"} {
		m.reservations.WithLabelValues(outcome)
	}
	return m, nil
}

func (m *metrics) lookups(cache string) lookups {
	return lookups{hit: m.cache.WithLabelValues(cache, "hit"), miss: m.cache.WithLabelValues(cache, "miss")}
}

func (m *metrics) reserved(err error) {
	var outcome string
	switch web.CodeOf(err) {
	case "":
		outcome = "reserved"
	case web.OutOfStock:
		outcome = "out_of_stock"
	case web.UnknownProduct:
		outcome = "unknown_product"
	case web.Voided:
		outcome = "voided"
	default:
		outcome = "error"
	}
	m.reservations.WithLabelValues(outcome).Inc()
}

func (m *metrics) released() { m.reservations.WithLabelValues("released").Inc() }
