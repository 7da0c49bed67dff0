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

// request is the body of PUT /faults/{id}.
type request struct {
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

// ids are what a fault may be called.
var ids = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// What a Client's errors may be.
var (
	ErrOff   = errors.New("the service was started without a token for faults: they are off")
	ErrToken = errors.New("the token for faults is not the service's")
	ErrTaken = errors.New("the id belongs to another fault")
)

// Client tells one service which faults to show.
type Client struct{ caller web.Caller }

// NewClient is for the service whose admin listener answers at admin, a URL
// without a slash at its end.
func NewClient(service, admin, token string, hc *http.Client) *Client {
	bearer := bearer{token: token, next: hc.Transport}
	if bearer.next == nil {
		bearer.next = http.DefaultTransport
	}
	with := *hc
	with.Transport = bearer
	return &Client{web.Caller{Peer: service, Base: admin, HTTP: &with}}
}

// Status asks what the service can show, and what it shows.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, c.call(ctx, http.MethodGet, "/faults", nil, &out)
}

// Begin starts a fault, or renews the lease of the one with the same id and
// spec. It returns when the fault is on.
func (c *Client) Begin(ctx context.Context, id string, s Spec, lease time.Duration) error {
	return c.call(ctx, http.MethodPut, "/faults/"+url.PathEscape(id), request{s, lease.Seconds()}, nil)
}

// End ends a fault, if it is on, and returns when it is undone.
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
	req = req.Clone(req.Context()) // a transport must not change the request
	req.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(req)
}
