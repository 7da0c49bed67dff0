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
		refunds: counters("shop_payments_refunds_total", "Requests to refund an order, by outcome.", "outcome"),
		audited: counters("shop_payments_audited_charges_total",
			"Charges on the bank's statement by result of the audit. Every result but \"once\" is an error.", "finding"),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "shop_payments_bank_retries_total", Help: "Retries of failed calls to the bank.",
		}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "shop_circuit_breaker_state", Help: "1 for the current state of the circuit breaker, 0 for the others.",
		}, []string{"breaker", "state"}),
		transitions: counters("shop_circuit_breaker_transitions_total", "State changes of the circuit breaker, by new state.", "to"),
	}
	for _, c := range []prometheus.Collector{m.charges, m.refunds, m.audited, m.retries, m.breaker, m.transitions} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of payments: %w", err)
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

// breakerIs sets the breaker's state in the metrics.
func (m *metrics) breakerIs(now gobreaker.State) {
	for state, name := range breakerStates {
		value := 0.0
		if state == now {
			value = 1
		}
		m.breaker.WithLabelValues(bank.Name, name).Set(value)
	}
}

// outcome returns the label value for the result of a request.
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
