// Package client tells a service which faults to show, over the /faults pages of
// its admin listener. It links no web framework, so that whoever runs drills does not
// link the services.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A lease is at least and at most this long.
const (
	MinLease = time.Second
	MaxLease = 10 * time.Minute
)

// Spec is a fault that a service is asked to show.
type Spec struct {
	Kind   string         `json:"kind"`
	Params map[string]any `json:"params,omitempty"` // checked by the kind; what is left out has its default
	Seed   uint64         `json:"seed,omitempty"`   // of what the fault leaves to chance
	Told   bool           `json:"told,omitempty"`   // metrics and logs say that it is on
}

// Request is the body of PUT /faults/{id}.
type Request struct {
	Spec
	LeaseSeconds float64 `json:"lease_seconds"`
}

// Active is a fault that a service shows.
type Active struct {
	ID string `json:"id"`
	Spec
	Ends time.Time `json:"ends"` // unless the lease is renewed
}

// Status is the body of GET /faults.
type Status struct {
	Service string   `json:"service"`
	Kinds   []string `json:"kinds"` // that the service can show
	Active  []Active `json:"active"`
}

// What a Client's errors may be.
var (
	ErrOff   = errors.New("the service was started without a token for faults: they are off")
	ErrToken = errors.New("the token for faults is not the service's")
	ErrTaken = errors.New("the id belongs to another fault")
)

// longestAnswer is the most bytes read of an answer.
const longestAnswer = 1 << 20

// Client tells one service which faults to show.
type Client struct {
	service, admin, token string
	http                  *http.Client
}

// New returns a client of the service whose admin listener answers at admin, a URL
// without a slash at its end.
func New(service, admin, token string, hc *http.Client) *Client {
	return &Client{service: service, admin: admin, token: token, http: hc}
}

// Status returns what the service can show, and what it shows.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.call(ctx, http.MethodGet, "/faults", nil, &out)
}

// Begin starts a fault, or renews the lease of the one with the same id and spec. It
// returns when the fault is on.
func (c *Client) Begin(ctx context.Context, id string, s Spec, lease time.Duration) error {
	return c.call(ctx, http.MethodPut, "/faults/"+url.PathEscape(id), Request{s, lease.Seconds()}, nil)
}

// End ends a fault, if it is on, and returns when it is undone.
func (c *Client) End(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/faults/"+url.PathEscape(id), nil, nil)
}

// EndAll ends every fault and returns when all are undone.
func (c *Client) EndAll(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/faults", nil, nil)
}

// call sends in as JSON, nil for no body, and decodes the answer into out, nil to
// ignore it.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("prepare %s %s of %s: %w", method, path, c.service, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.admin+path, &body)
	if err != nil {
		return fmt.Errorf("prepare %s %s of %s: %w", method, path, c.service, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("call %s: %w", c.service, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s to %s %s: %w", c.service, method, path, err)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s %s of %s: %w", method, path, c.service, refusal(resp.StatusCode, text))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("decode the answer of %s to %s %s: %w", c.service, method, path, err)
	}
	return nil
}

// refusal returns the error that an answer with a status and a problem document tells of.
func refusal(status int, body []byte) error {
	switch status {
	case http.StatusNotFound:
		return ErrOff
	case http.StatusUnauthorized:
		return ErrToken
	case http.StatusConflict:
		return ErrTaken
	}
	var problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) == nil && problem.Title != "" {
		if problem.Detail == "" {
			return fmt.Errorf("status %d: %s", status, problem.Title)
		}
		return fmt.Errorf("status %d: %s: %s", status, problem.Title, problem.Detail)
	}
	return fmt.Errorf("status %d", status)
}
