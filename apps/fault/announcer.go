package fault

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// announcer reports faults that request it in metrics and logs. A nil announcer
// reports nothing.
type announcer struct {
	log    *slog.Logger
	active *prometheus.GaugeVec
}

func newAnnouncer(cfg Config, kinds []string) (*announcer, error) {
	if cfg.Logger == nil || cfg.Registry == nil {
		return nil, nil // there is no telemetry
	}
	t := &announcer{log: cfg.Logger, active: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "shop_fault_active",
		Help: "Active faults by kind. Only faults that were begun with told=true are counted.",
	}, []string{"kind"})}
	for _, kind := range kinds {
		t.active.WithLabelValues(kind)
	}
	return t, cfg.Registry.Register(t.active)
}

func (t *announcer) began(a Active) {
	if t == nil || !a.Told {
		return
	}
	t.active.WithLabelValues(a.Kind).Inc()
	t.log.Warn("fault began", slog.String("fault", a.ID), slog.String("kind", a.Kind), slog.Any("params", a.Params))
}

func (t *announcer) ended(a Active, why string) {
	if t == nil || !a.Told {
		return
	}
	t.active.WithLabelValues(a.Kind).Dec()
	t.log.Warn("fault ended", slog.String("fault", a.ID), slog.String("kind", a.Kind), slog.String("reason", why))
}
