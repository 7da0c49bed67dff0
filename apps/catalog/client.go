package catalog

import (
	"context"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls the catalog. Its errors are of type *web.Error.
type Client struct{ caller web.Caller }

// NewClient returns a client. base is the catalog's URL, without a trailing
// slash.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Products returns all products.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	var out productList
	err := c.caller.Call(ctx, http.MethodGet, "/products", nil, nil, &out)
	return out.Products, err
}

// Product returns one product. If there is none, the error's code is
// web.NotFound.
func (c *Client) Product(ctx context.Context, id string) (Product, error) {
	var out Product
	err := c.caller.Call(ctx, http.MethodGet, "/products/"+url.PathEscape(id), nil, nil, &out)
	return out, err
}

// Reserve takes all lines out of stock for an order, or none. Each product may
// occur once. Reserve may be repeated. The error's code is web.OutOfStock,
// web.UnknownProduct, or web.Voided after a Release.
func (c *Client) Reserve(ctx context.Context, orderID string, lines []Line) (Reservation, error) {
	var out Reservation
	// With this header net/http knows that the request may be repeated. It then
	// retries it if a reused connection turns out to be closed.
	again := http.Header{"Idempotency-Key": {orderID}}
	err := c.caller.Call(ctx, http.MethodPost, "/reservations", again, reserveRequest{orderID, lines}, &out)
	return out, err
}

// Release returns the reserved stock of an order and rejects later reservations
// for it. It may be repeated.
func (c *Client) Release(ctx context.Context, orderID string) error {
	return c.caller.Call(ctx, http.MethodDelete, "/reservations/"+url.PathEscape(orderID), http.Header{"Idempotency-Key": {orderID}}, nil, nil)
}

// Healthy returns nil if the catalog is alive.
func (c *Client) Healthy(ctx context.Context) error { return c.caller.Healthy(ctx) }
