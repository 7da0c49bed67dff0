package session

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/telemetry"
)

// teller reports the running drill to the stack, so that dashboards can show the cause
// above the effect. It sends gauges to Prometheus and events to Loki. For a secret drill it
// sends the events only when the drill is over.
type teller struct {
	drill  string
	shows  report.Display
	tel    *telemetry.Telemetry
	faults *prometheus.GaugeVec
	held   []run.Event
	close  []func()
}

// newTeller returns a teller for the named drill and target. Call Close when the drill is
// over.
func newTeller(ctx context.Context, t *Target, drill, version string, shows report.Display) (*teller, error) {
	tel, err := telemetry.New(ctx, telemetry.Config{
		Service: "drill", Version: version, Logs: telemetry.LogsConfig{LokiURL: t.Places[placeLoki]},
	})
	if err != nil {
		return nil, fmt.Errorf("tell of drill %q: %w", shows.Name, err)
	}
	d := &teller{drill: drill, shows: shows, tel: tel}
	d.close = append(d.close, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = tel.Shutdown(ctx) // events that Loki did not accept are lost, but the drill does not fail
	})
	if err := d.register(); err != nil {
		d.Close()
		return nil, fmt.Errorf("tell of drill %q: %w", shows.Name, err)
	}
	if t.Announce == nil {
		return d, nil
	}
	if err := d.serve(ctx, t.Announce); err != nil {
		d.Close()
		return nil, fmt.Errorf("serve metrics of drill %q: %w", shows.Name, err)
	}
	return d, nil
}

// register registers the gauges.
func (d *teller) register() error {
	active := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "drill_active", Help: "1 while the drill runs."}, []string{"drill"})
	d.faults = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "drill_fault_active", Help: "How many faults of the kind the drill holds on the target.",
	}, []string{"drill", "kind", "target"})
	for _, c := range []prometheus.Collector{active, d.faults} {
		if err := d.tel.Registry().Register(c); err != nil {
			return err
		}
	}
	active.WithLabelValues(d.shows.Name).Set(1)
	return nil
}

// serve serves the gauges to Prometheus.
func (d *teller) serve(ctx context.Context, announce func(addr string) (func(), error)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.tel.AdminHandler(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener) //nolint:errcheck // ends when it is closed
	d.close = append(d.close, func() { _ = server.Close() })
	takeBack, err := announce(listener.Addr().String())
	if err != nil {
		return err
	}
	d.close = append(d.close, takeBack)
	return nil
}

// Observe handles an event of the drill.
func (d *teller) Observe(e run.Event) {
	if d.shows.Secret {
		d.held = append(d.held, e)
		return
	}
	d.log(e)
	if e.Kind != run.EventFault || e.Fault == nil {
		return
	}
	gauge := d.faults.WithLabelValues(d.drill, e.Fault.Kind, e.Fault.Target)
	switch e.State {
	case run.StateBegan:
		gauge.Inc()
	case run.StateEnded:
		gauge.Dec()
	default: // other states do not change the number of active faults
	}
}

func (d *teller) log(e run.Event) {
	tell := d.tel.Logger().Info
	if e.Kind == run.EventProblem {
		tell = d.tel.Logger().Warn
	}
	tell(e.Text, "drill", d.drill, "kind", string(e.Kind), "state", string(e.State), "at", e.At.Format(time.RFC3339Nano))
}

// Close sends the events that were held back, and stops reporting.
func (d *teller) Close() {
	for _, e := range d.held {
		d.log(e)
	}
	for i := len(d.close) - 1; i >= 0; i-- {
		d.close[i]()
	}
}
