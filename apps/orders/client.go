package orders

import (
	"context"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls orders. Its errors are of type *web.Error.
type Client struct{ caller web.Caller }

// NewClient returns a client. base is the URL of orders, without a trailing
// slash.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// User is the user on whose behalf a request is made.
type User struct {
	ID   string
	Role string // RoleStaff, or another value for customers
}

func (u User) header() http.Header {
	return http.Header{headerUser: {u.ID}, headerRole: {u.Role}}
}

// Place places an order. With a key, repeated calls of a user place one order.
// Without a key (""), each call places an order. For the errors, see POST
// /orders.
func (c *Client) Place(ctx context.Context, u User, key string, r PlaceRequest) (Order, error) {
	header := u.header()
	if key != "" {
		header.Set(headerKey, key)
	}
	var out Order
	err := c.caller.Call(ctx, http.MethodPost, "/orders", header, r, &out)
	return out, err
}

// Order returns an order that the user may see. If there is none, the error's
// code is web.NotFound.
func (c *Client) Order(ctx context.Context, u User, id string) (Order, error) {
	var out Order
	err := c.caller.Call(ctx, http.MethodGet, "/orders/"+url.PathEscape(id), u.header(), nil, &out)
	return out, err
}

// Shipped records that an order was shipped. It may be repeated.
func (c *Client) Shipped(ctx context.Context, id string) error {
	return c.caller.Call(ctx, http.MethodPost, "/orders/"+url.PathEscape(id)+"/shipped", http.Header{headerKey: {id}}, nil, nil)
}

// Healthy returns nil if orders is alive.
func (c *Client) Healthy(ctx context.Context) error { return c.caller.Healthy(ctx) }
