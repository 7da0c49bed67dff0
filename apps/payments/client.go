package payments

import (
	"context"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls payments. Its errors are *web.Error.
type Client struct{ caller web.Caller }

// NewClient is for the payments at base, a URL without a slash at its end.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Charge takes an order's money once, however often it is called. Refusals are
// web.Declined, and web.Voided after a Refund; with web.Unavailable and
// web.TimedOut nobody knows, and it should be called again.
func (c *Client) Charge(ctx context.Context, r ChargeRequest) (Charge, error) {
	var out Charge
	err := c.caller.Call(ctx, http.MethodPost, "/charges", http.Header{"Idempotency-Key": {r.OrderID}}, r, &out)
	return out, err
}

// Refund gives back what was charged for an order and forbids to charge for it
// later. It may be repeated, and may come before the charge.
func (c *Client) Refund(ctx context.Context, orderID string) error {
	return c.caller.Call(ctx, http.MethodDelete, "/charges/"+url.PathEscape(orderID), http.Header{"Idempotency-Key": {orderID}}, nil, nil)
}
