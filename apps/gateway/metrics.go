package gateway

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	logins  *prometheus.CounterVec
	limited *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_logins_total", Help: "Logins by outcome.",
		}, []string{"outcome"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_rate_limited_total", Help: "Requests rejected by a rate limit, by limit: user or address.",
		}, []string{"limit"}),
	}
	for _, c := range []prometheus.Collector{m.logins, m.limited} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the gateway: %w", err)
		}
	}
	for _, outcome := range []string{"ok", "denied"} {
		m.logins.WithLabelValues(outcome)
	}
	for _, limit := range []string{"user", "address"} {
		m.limited.WithLabelValues(limit)
	}
	return m, nil
}
