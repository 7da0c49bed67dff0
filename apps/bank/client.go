package bank

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"firedrill/apps/internal/web"
)

// Client calls the bank. Its errors are *web.Error.
type Client struct{ caller web.Caller }

// NewClient is for the bank at base, a URL without a slash at its end.
func NewClient(base string, hc *http.Client) *Client {
	return &Client{web.Caller{Peer: Name, Base: base, HTTP: hc}}
}

// Charge moves money once for a key, however often it is called. Refusals are
// web.Declined, web.Voided after a Void, and web.KeyReused for another amount.
func (c *Client) Charge(ctx context.Context, key string, r ChargeRequest) (Charge, error) {
	var out Charge
	err := c.caller.Call(ctx, http.MethodPost, "/charges", http.Header{headerKey: {key}}, r, &out)
	return out, err
}

// Void gives back what was charged for key and forbids to charge for it later.
// It may be repeated, and may come before the charge.
func (c *Client) Void(ctx context.Context, key string) error {
	return c.caller.Call(ctx, http.MethodPost, "/charges/"+url.PathEscape(key)+"/void", http.Header{headerKey: {key}}, nil, nil)
}

// Statement returns lines of the ledger after the given one, oldest first; none
// when there are no more.
func (c *Client) Statement(ctx context.Context, after int64) ([]Entry, error) {
	var out Statement
	err := c.caller.Call(ctx, http.MethodGet, fmt.Sprintf("/statement?after=%d", after), nil, nil, &out)
	return out.Entries, err
}
