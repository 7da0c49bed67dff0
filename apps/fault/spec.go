package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"firedrill/apps/internal/web"
)

// The limits of a lease.
const (
	MinLease = time.Second
	MaxLease = 10 * time.Minute
)

// Spec describes a fault that a service is asked to show.
type Spec struct {
	Kind   string         `json:"kind"`
	Params map[string]any `json:"params,omitempty"` // checked by the kind; a missing parameter has its default
	Seed   uint64         `json:"seed,omitempty"`   // for the fault's random decisions
	Told   bool           `json:"told,omitempty"`   // metrics and logs announce the fault
}

// request is the body of PUT /faults/{id}.
type request struct {
	Spec
	LeaseSeconds float64 `json:"lease_seconds"`
}

// Active is an active fault.
type Active struct {
	ID string `json:"id"`
	Spec
	Ends time.Time `json:"ends"` // end of the lease; a renewal moves it
}

// Status is the body of GET /faults.
type Status struct {
	Service string   `json:"service"`
	Kinds   []string `json:"kinds"` // kinds that the service can show
	Active  []Active `json:"active"`
}

// ids matches the valid ids of faults.
var ids = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Errors of a Client.
var (
	ErrOff   = errors.New("faults are off: the service was started without a token for faults")
	ErrToken = errors.New("the service does not accept the token for faults")
	ErrTaken = errors.New("the id is used by another fault")
)

// Client controls the faults of one service.
type Client struct{ caller web.Caller }

// NewClient returns a client for a service. admin is the URL of its admin
// listener, without a trailing slash.
func NewClient(service, admin, token string, hc *http.Client) *Client {
	bearer := bearer{token: token, next: hc.Transport}
	if bearer.next == nil {
		bearer.next = http.DefaultTransport
	}
	with := *hc
	with.Transport = bearer
	return &Client{web.Caller{Peer: service, Base: admin, HTTP: &with}}
}

// Status returns the kinds that the service can show and the active faults.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.call(ctx, http.MethodGet, "/faults", nil, &out)
}

// Begin starts a fault and returns when it is active. If a fault with the same
// id and spec is active, Begin renews its lease.
func (c *Client) Begin(ctx context.Context, id string, s Spec, lease time.Duration) error {
	return c.call(ctx, http.MethodPut, "/faults/"+url.PathEscape(id), request{s, lease.Seconds()}, nil)
}

// End ends a fault if it is active, and returns when it is undone.
func (c *Client) End(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/faults/"+url.PathEscape(id), nil, nil)
}

// EndAll ends every fault and returns when all are undone.
func (c *Client) EndAll(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/faults", nil, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	err := c.caller.Call(ctx, method, path, nil, in, out)
	var known error
	switch web.CodeOf(err) {
	case web.NotFound:
		known = ErrOff
	case web.Unauthenticated:
		known = ErrToken
	case web.IDTaken:
		known = ErrTaken
	default:
		return err
	}
	return fmt.Errorf("%s %s of %s: %w", method, path, c.caller.Peer, known)
}

// bearer adds the token to each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // a RoundTripper must not modify the request
	req.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(req)
}
