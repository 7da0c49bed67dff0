package bank

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls the bank. Its errors are of type *web.Error.
type Client struct{ caller web.Caller }

// NewClient returns a client. base is the bank's URL, without a trailing slash.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Charge charges a key once, however often it is called. The error's code is
// web.Declined, web.Voided after a Void, or web.KeyReused for another amount.
func (c *Client) Charge(ctx context.Context, key string, r ChargeRequest) (Charge, error) {
	var out Charge
	err := c.caller.Call(ctx, http.MethodPost, "/charges", http.Header{headerKey: {key}}, r, &out)
	return out, err
}

// Void refunds what was charged for key and rejects later charges for it. It
// may be repeated, and may come before the charge.
func (c *Client) Void(ctx context.Context, key string) error {
	return c.caller.Call(ctx, http.MethodPost, "/charges/"+url.PathEscape(key)+"/void", http.Header{headerKey: {key}}, nil, nil)
}

// Statement returns a page of ledger entries after the given sequence number,
// oldest first. It is empty if there are no more.
func (c *Client) Statement(ctx context.Context, after int64) ([]Entry, error) {
	var out Statement
	err := c.caller.Call(ctx, http.MethodGet, fmt.Sprintf("/statement?after=%d", after), nil, nil, &out)
	return out.Entries, err
}
