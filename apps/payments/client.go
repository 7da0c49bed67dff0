package payments

import (
	"context"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls payments. Its errors are of type *web.Error.
type Client struct{ caller web.Caller }

// NewClient returns a client. base is the URL of payments, without a trailing
// slash.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Charge charges an order once, however often it is called. The error's code is
// web.Declined, or web.Voided after a Refund. After web.Unavailable and
// web.TimedOut the outcome is unknown, and Charge should be called again.
func (c *Client) Charge(ctx context.Context, r ChargeRequest) (Charge, error) {
	var out Charge
	err := c.caller.Call(ctx, http.MethodPost, "/charges", http.Header{"Idempotency-Key": {r.OrderID}}, r, &out)
	return out, err
}

// Refund refunds the charge of an order and rejects later charges for it. It
// may be repeated, and may come before the charge.
func (c *Client) Refund(ctx context.Context, orderID string) error {
	return c.caller.Call(ctx, http.MethodDelete, "/charges/"+url.PathEscape(orderID), http.Header{"Idempotency-Key": {orderID}}, nil, nil)
}
