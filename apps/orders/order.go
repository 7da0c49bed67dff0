package orders

import (
	"time"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/web"
)

// State is the state of an order's saga.
//
//	placed -> reserved -> confirmed -> shipped
//	   |         |
//	   |         +-> refunding (abandoned: it is unknown whether money moved)
//	   |         |       |
//	   +---------+-> releasing -> failed
//	   +-> failed (no stock: nothing to undo)
type State string

// States of an order.
const (
	Placed    State = "placed"
	Reserved  State = "reserved"
	Confirmed State = "confirmed"
	Shipped   State = "shipped"
	Refunding State = "refunding"
	Releasing State = "releasing"
	Failed    State = "failed"
)

// settled reports whether the saga has nothing left to do.
func (s State) settled() bool { return s == Confirmed || s == Shipped || s == Failed }

// Status is the state of an order as customers see it.
type Status string

// Statuses of an order.
const (
	StatusPending   Status = "pending"
	StatusConfirmed Status = "confirmed"
	StatusShipped   Status = "shipped"
	StatusFailed    Status = "failed"
)

// Status returns the status of a state. An order that is being undone is
// already failed, because it cannot succeed any more.
func (s State) Status() Status {
	switch s {
	case Confirmed:
		return StatusConfirmed
	case Shipped:
		return StatusShipped
	case Refunding, Releasing, Failed:
		return StatusFailed
	default:
		return StatusPending
	}
}

// Reason is the reason why an order failed.
type Reason string

// Reasons for a failed order.
const (
	NoStock        Reason = "out_of_stock"
	Declined       Reason = "declined"
	UnknownProduct Reason = "unknown_product"
	Abandoned      Reason = "abandoned" // a dependency was down for too long
)

// code returns the problem code that the client gets for the reason.
func (r Reason) code() web.Code {
	switch r {
	case NoStock:
		return web.OutOfStock
	case Declined:
		return web.Declined
	case UnknownProduct:
		return web.UnknownProduct
	default:
		return web.Abandoned
	}
}

// order is an order with the state of its saga.
type order struct {
	id          string
	userID      string
	card        string
	state       State
	reason      Reason
	lines       []catalog.PricedLine
	totalMinor  int64
	currency    string
	trace       map[string]string
	attempts    int
	createdAt   time.Time
	confirmedAt time.Time // zero if not confirmed
	shippedAt   time.Time // zero if not shipped
}

// Order is an order as customers see it.
type Order struct {
	ID          string               `json:"id"`
	UserID      string               `json:"user_id"`
	Status      Status               `json:"status"`
	Reason      Reason               `json:"reason,omitempty"`
	Lines       []catalog.PricedLine `json:"lines"`
	TotalMinor  int64                `json:"total_minor"` // in the currency's smallest unit; 0 until the stock is reserved
	Currency    string               `json:"currency"`
	CreatedAt   time.Time            `json:"created_at"`
	ConfirmedAt time.Time            `json:"confirmed_at,omitzero"`
	ShippedAt   time.Time            `json:"shipped_at,omitzero"`
}

func (o *order) view() Order {
	return Order{
		ID: o.id, UserID: o.userID, Status: o.state.Status(), Reason: o.reason,
		Lines: o.lines, TotalMinor: o.totalMinor, Currency: o.currency,
		CreatedAt: o.createdAt, ConfirmedAt: o.confirmedAt, ShippedAt: o.shippedAt,
	}
}

// path returns the path of the order's resource.
func (o *order) path() string { return "/orders/" + o.id }

// event returns the event to publish when the order is confirmed.
func (o *order) event() ConfirmedEvent {
	return ConfirmedEvent{
		OrderID: o.id, UserID: o.userID, Lines: o.lines,
		TotalMinor: o.totalMinor, Currency: o.currency, ConfirmedAt: o.confirmedAt,
	}
}
