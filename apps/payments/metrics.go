package payments

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"firedrill/apps/bank"
	"firedrill/apps/internal/web"
)

type metrics struct {
	charges     *prometheus.CounterVec
	refunds     *prometheus.CounterVec
	audited     *prometheus.CounterVec
	retries     prometheus.Counter
	breaker     *prometheus.GaugeVec
	transitions *prometheus.CounterVec
}

// breakerStates are the values of the label "state".
var breakerStates = map[gobreaker.State]string{
	gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half_open", gobreaker.StateOpen: "open",
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counters := func(name, help string, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	m := &metrics{
		charges: counters("shop_payments_charges_total", "Requests to charge an order, by outcome.", "outcome"),
		refunds: counters("shop_payments_refunds_total", "Requests to undo a charge, by outcome.", "outcome"),
		audited: counters("shop_payments_audited_charges_total",
			"Charges on the bank's statement, by what the audit found; all but \"once\" are wrong.", "finding"),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "shop_payments_bank_retries_total", Help: "Calls to the bank that repeated a failed one.",
		}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "shop_circuit_breaker_state", Help: "1 for the state that the circuit breaker is in, 0 for the others.",
		}, []string{"breaker", "state"}),
		transitions: counters("shop_circuit_breaker_transitions_total", "Changes of the circuit breaker's state, by the new one.", "to"),
	}
	for _, c := range []prometheus.Collector{m.charges, m.refunds, m.audited, m.retries, m.breaker, m.transitions} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of payments: %w", err)
		}
	}
	m.precreate()
	return m, nil
}

func (m *metrics) precreate() {
	for _, outcome := range []string{"ok", "declined", "voided", "unavailable", "timed_out", "error"} {
		m.charges.WithLabelValues(outcome)
		m.refunds.WithLabelValues(outcome)
	}
	for _, f := range []finding{foundOnce, foundDouble, foundAmount, foundUnknown} {
		m.audited.WithLabelValues(string(f))
	}
	for _, state := range breakerStates {
		m.transitions.WithLabelValues(state)
		m.breaker.WithLabelValues(bank.Name, state)
	}
}

// breakerIs shows the state that the breaker is in.
func (m *metrics) breakerIs(now gobreaker.State) {
	for state, name := range breakerStates {
		value := 0.0
		if state == now {
			value = 1
		}
		m.breaker.WithLabelValues(bank.Name, name).Set(value)
	}
}

// outcome is the label for what a request came to.
func outcome(err error) string {
	switch web.CodeOf(err) {
	case "":
		return "ok"
	case web.Declined:
		return "declined"
	case web.Voided:
		return "voided"
	case web.Unavailable:
		return "unavailable"
	case web.TimedOut:
		return "timed_out"
	default:
		return "error"
	}
}
