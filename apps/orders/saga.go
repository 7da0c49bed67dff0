package orders

import (
	"context"
	"fmt"
	"time"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/web"
	"firedrill/apps/payments"
	"firedrill/telemetry"
)

// saga drives orders from state to state. Every step may be repeated, because
// the other services know the order's id. So it does not matter which process
// drives an order, how often, or where a process crashed.
type saga struct {
	store     store
	stock     Stock
	payments  Payments
	tel       *telemetry.Telemetry
	metrics   *metrics
	timeout   time.Duration
	giveUp    time.Duration
	poll      time.Duration
	steps     map[State]step
	confirmed func() // called after an order is confirmed
}

// step is the next action for an order in one state. run changes the order's
// state, or returns an error and leaves it.
type step struct {
	name string
	run  func(ctx context.Context, o *order) error
}

func newSaga(s store, stock Stock, pay Payments, tel *telemetry.Telemetry, m *metrics, cfg Config) *saga {
	g := &saga{
		store: s, stock: stock, payments: pay, tel: tel, metrics: m,
		timeout: cfg.Timeout, giveUp: cfg.GiveUp, poll: cfg.Poll, confirmed: func() {},
	}
	g.steps = map[State]step{
		Placed:    {"reserve", g.reserve},
		Reserved:  {"charge", g.charge},
		Refunding: {"refund", g.refund},
		Releasing: {"release", g.release},
	}
	return g
}

// run drives an order as far as possible. The caller must have leased it. If a
// step fails, run ends the lease, makes the order due again after pause, and
// returns the step's error.
func (g *saga) run(ctx context.Context, o *order, pause time.Duration) error {
	err := g.abandonOld(ctx, o)
	if err == nil {
		err = g.drive(ctx, o)
	}
	if err == nil {
		return nil // settled, so the lease does not matter
	}
	// End the lease even if ctx has timed out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), parkTimeout)
	defer cancel()
	if parked := g.store.park(ctx, o.id, pause); parked != nil {
		g.tel.Logger().WarnContext(ctx, "ending the lease of an order failed; it will expire", "error", parked)
	}
	return err
}

// parkTimeout limits the time to store that a lease has ended.
const parkTimeout = 5 * time.Second

// firstPause is the pause before an order from a request is resumed.
const firstPause = 500 * time.Millisecond

// pauseAfter returns the pause before an order is resumed again. It doubles
// with each attempt up to 15 s.
func pauseAfter(attempts int) time.Duration {
	const longest = 15 * time.Second
	return min(firstPause<<min(attempts, 10), longest)
}

func (g *saga) drive(ctx context.Context, o *order) error {
	for !o.state.settled() {
		s := g.steps[o.state]
		if err := s.run(ctx, o); err != nil {
			g.metrics.step(s.name, err)
			return fmt.Errorf("%s for order %s: %w", s.name, o.id, err)
		}
		g.metrics.step(s.name, nil)
	}
	return nil
}

func (g *saga) reserve(ctx context.Context, o *order) error {
	lines := make([]catalog.Line, len(o.lines))
	for i, l := range o.lines {
		lines[i] = l.Line
	}
	r, err := g.stock.Reserve(ctx, o.id, lines)
	switch web.CodeOf(err) {
	case "":
		next := *o
		next.state, next.lines, next.totalMinor = Reserved, r.Lines, r.TotalMinor
		return g.move(ctx, o, next)
	case web.OutOfStock:
		return g.fail(ctx, o, Failed, NoStock)
	case web.UnknownProduct:
		return g.fail(ctx, o, Failed, UnknownProduct)
	case web.Voided: // the order was abandoned by another driver
		return g.fail(ctx, o, Releasing, Abandoned)
	default:
		return err
	}
}

func (g *saga) charge(ctx context.Context, o *order) error {
	_, err := g.payments.Charge(ctx, payments.ChargeRequest{
		OrderID: o.id, AmountMinor: o.totalMinor, Currency: o.currency, Card: o.card,
	})
	switch web.CodeOf(err) {
	case "":
		next := *o
		next.state, next.confirmedAt = Confirmed, g.store.now()
		return g.move(ctx, o, next)
	case web.Declined:
		return g.fail(ctx, o, Releasing, Declined)
	case web.Voided: // the order was abandoned by another driver
		return g.fail(ctx, o, Releasing, Abandoned)
	default:
		return err
	}
}

func (g *saga) refund(ctx context.Context, o *order) error {
	if err := g.payments.Refund(ctx, o.id); err != nil {
		return err
	}
	next := *o
	next.state = Releasing
	return g.move(ctx, o, next)
}

func (g *saga) release(ctx context.Context, o *order) error {
	if err := g.stock.Release(ctx, o.id); err != nil {
		return err
	}
	next := *o
	next.state = Failed
	return g.move(ctx, o, next)
}

// abandonOld starts to undo an order that has been unfinished for too long.
func (g *saga) abandonOld(ctx context.Context, o *order) error {
	switch {
	case o.state.Status() != StatusPending || g.store.now().Sub(o.createdAt) < g.giveUp:
		return nil
	case o.state == Reserved: // it is unknown whether money moved
		return g.fail(ctx, o, Refunding, Abandoned)
	}
	return g.fail(ctx, o, Releasing, Abandoned)
}

// fail marks an order as failed. to is the first state of the undo.
func (g *saga) fail(ctx context.Context, o *order, to State, why Reason) error {
	next := *o
	next.state, next.reason = to, why
	return g.move(ctx, o, next)
}

// move stores the next state of an order and sets *o to it. If another driver
// was faster, move sets *o to the stored order.
func (g *saga) move(ctx context.Context, o *order, next order) error {
	moved, err := g.store.move(ctx, o.state, &next)
	if err != nil {
		return err
	}
	if !moved {
		now, err := g.store.find(ctx, o.id)
		if err == nil {
			*o = *now
		}
		return err
	}
	before := o.state.Status()
	*o = next
	switch after := next.state.Status(); {
	case after == StatusConfirmed:
		g.metrics.orders.WithLabelValues("confirmed").Inc()
		g.confirmed()
	case after == StatusFailed && before == StatusPending:
		g.metrics.orders.WithLabelValues(string(next.reason)).Inc()
	}
	return nil
}
