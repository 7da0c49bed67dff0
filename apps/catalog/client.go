package catalog

import (
	"context"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls the catalog. Its errors are *web.Error.
type Client struct{ caller web.Caller }

// NewClient is for the catalog at base, a URL without a slash at its end.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Products returns all products.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	var out productList
	err := c.caller.Call(ctx, http.MethodGet, "/products", nil, nil, &out)
	return out.Products, err
}

// Product returns one product, or web.NotFound.
func (c *Client) Product(ctx context.Context, id string) (Product, error) {
	var out Product
	err := c.caller.Call(ctx, http.MethodGet, "/products/"+url.PathEscape(id), nil, nil, &out)
	return out, err
}

// Reserve takes the lines, one a product, out of stock for an order; all or
// none. It may be repeated. Refusals are web.OutOfStock, web.UnknownProduct, and
// web.Voided after a Release.
func (c *Client) Reserve(ctx context.Context, orderID string, lines []Line) (Reservation, error) {
	var out Reservation
	// net/http repeats a request on a connection that proved dead only if it may
	// be repeated; the header says so.
	again := http.Header{"Idempotency-Key": {orderID}}
	err := c.caller.Call(ctx, http.MethodPost, "/reservations", again, reserveRequest{orderID, lines}, &out)
	return out, err
}

// Release puts back what was reserved for an order and forbids to reserve for it
// again. It may be repeated.
func (c *Client) Release(ctx context.Context, orderID string) error {
	return c.caller.Call(ctx, http.MethodDelete, "/reservations/"+url.PathEscape(orderID), http.Header{"Idempotency-Key": {orderID}}, nil, nil)
}

// Healthy returns nil if the catalog is alive.
func (c *Client) Healthy(ctx context.Context) error { return c.caller.Healthy(ctx) }
