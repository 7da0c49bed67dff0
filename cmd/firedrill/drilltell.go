package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	chaosrun "firedrill/chaos/run"
	"firedrill/deploy/stack"
	"firedrill/telemetry"
)

// drillTeller tells the stack of the drill that runs on it, so that dashboards can
// show cause above effect: gauges for Prometheus, events for Loki.
type drillTeller struct {
	drill  string
	secret bool // a mystery: what is broken is told when all is over
	tel    *telemetry.Telemetry
	faults *prometheus.GaugeVec
	held   []chaosrun.Event
	close  []func()
}

// newDrillTeller begins to tell. Close ends it.
func newDrillTeller(ctx context.Context, t drillTarget, drill string, secret bool) (*drillTeller, error) {
	tel, err := telemetry.New(ctx, telemetry.Config{
		Service: "drill", Version: ownVersion(), Logs: telemetry.LogsConfig{LokiURL: t.places()["loki"]},
	})
	if err != nil {
		return nil, fmt.Errorf("tell of drill %q: %w", drill, err)
	}
	d := &drillTeller{drill: drill, secret: secret, tel: tel}
	d.close = append(d.close, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = tel.Shutdown(ctx) // what Loki does not take is lost, and no failure of the drill
	})
	shown := drill
	if secret {
		shown = mysteryName
	}
	active := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "drill_active", Help: "1 while the drill runs."}, []string{"drill"})
	d.faults = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "drill_fault_active", Help: "How many faults of the kind the drill holds on the target.",
	}, []string{"drill", "kind", "target"})
	for _, c := range []prometheus.Collector{active, d.faults} {
		if err := tel.Registry().Register(c); err != nil {
			d.Close()
			return nil, fmt.Errorf("tell of drill %q: %w", drill, err)
		}
	}
	active.WithLabelValues(shown).Set(1)
	if t.remote != nil { // a Prometheus elsewhere cannot scrape this process
		return d, nil
	}
	if err := d.serve(ctx, t.DrillTargets()); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// serve lets Prometheus scrape the gauges.
func (d *drillTeller) serve(ctx context.Context, targets string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve metrics of drill %q: %w", d.drill, err)
	}
	server := &http.Server{Handler: d.tel.AdminHandler(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener) //nolint:errcheck // ends when it is closed
	d.close = append(d.close, func() { _ = server.Close() })
	takeBack, err := announceIn(targets, listener.Addr().String(), stack.TierDrill)
	if err != nil {
		return err
	}
	d.close = append(d.close, takeBack)
	return nil
}

// Observe takes an event of the drill.
func (d *drillTeller) Observe(e chaosrun.Event) {
	if d.secret {
		d.held = append(d.held, e)
		return
	}
	d.log(e)
	if e.Kind == chaosrun.EventFault && e.Fault != nil {
		gauge := d.faults.WithLabelValues(d.drill, e.Fault.Kind, e.Fault.Target)
		switch e.State {
		case chaosrun.StateBegan:
			gauge.Inc()
		case chaosrun.StateEnded:
			gauge.Dec()
		}
	}
}

func (d *drillTeller) log(e chaosrun.Event) {
	tell := d.tel.Logger().Info
	if e.Kind == chaosrun.EventProblem {
		tell = d.tel.Logger().Warn
	}
	tell(e.Text, "drill", d.drill, "kind", string(e.Kind), "state", string(e.State), "at", e.At.Format(time.RFC3339Nano))
}

// Close tells what was held back, and ends telling.
func (d *drillTeller) Close() {
	for _, e := range d.held {
		d.log(e)
	}
	for i := len(d.close) - 1; i >= 0; i-- {
		d.close[i]()
	}
}
