package fault

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// told tells of the faults that want to be told; nil tells nothing.
type told struct {
	log    *slog.Logger
	active *prometheus.GaugeVec
}

func newTold(cfg Config, kinds []string) (*told, error) {
	if cfg.Logger == nil || cfg.Registry == nil {
		return nil, nil // nothing to tell it through
	}
	t := &told{log: cfg.Logger, active: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "shop_fault_active",
		Help: "Faults that are on and were asked to be told, by kind; a silent one does not show here.",
	}, []string{"kind"})}
	for _, kind := range kinds {
		t.active.WithLabelValues(kind)
	}
	return t, cfg.Registry.Register(t.active)
}

func (t *told) began(a Active) {
	if t == nil || !a.Told {
		return
	}
	t.active.WithLabelValues(a.Kind).Inc()
	t.log.Warn("fault began", slog.String("fault", a.ID), slog.String("kind", a.Kind), slog.Any("params", a.Params))
}

func (t *told) ended(a Active, why string) {
	if t == nil || !a.Told {
		return
	}
	t.active.WithLabelValues(a.Kind).Dec()
	t.log.Warn("fault ended", slog.String("fault", a.ID), slog.String("kind", a.Kind), slog.String("reason", why))
}
