package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Dialer opens the connections of a service to its dependencies. A fault can
// make it dial another address instead. A nil Dialer cannot be rerouted.
type Dialer struct {
	net net.Dialer

	mu     sync.Mutex // guards the fields below
	routes map[string]string
	open   map[*dialed]struct{}
}

// NewDialer returns a Dialer that dials like net/http's default transport.
func NewDialer() *Dialer {
	return &Dialer{
		net:    net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second},
		routes: make(map[string]string),
		open:   make(map[*dialed]struct{}),
	}
}

// DialContext connects to addr, or to the address that addr is rerouted to.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	for {
		to := d.route(addr)
		c, err := d.net.DialContext(ctx, network, to)
		if err != nil {
			return nil, err
		}
		if kept, ok := d.keep(c, addr, to); ok {
			return kept, nil
		}
		c.Close() // the route has changed during the dial
	}
}

func (d *Dialer) route(addr string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to, ok := d.routes[addr]; ok {
		return to
	}
	return addr
}

// keep records a connection to the address to, which was requested as addr. ok
// is false if the route of addr has changed.
func (d *Dialer) keep(c net.Conn, addr, to string) (*dialed, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now, ok := d.routes[addr]; ok && now != to || !ok && addr != to {
		return nil, false
	}
	kept := &dialed{Conn: c, dialer: d, addr: addr}
	d.open[kept] = struct{}{}
	return kept, true
}

// reroute makes the Dialer dial to instead of from. It closes the connections
// that were requested as from, now and again when the reroute ends.
func (d *Dialer) reroute(from, to string) (end func(), err error) {
	if err := d.set(from, to); err != nil {
		return nil, err
	}
	d.hangUp(from)
	return func() {
		d.unset(from)
		d.hangUp(from)
	}, nil
}

func (d *Dialer) set(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if other, ok := d.routes[from]; ok {
		return fmt.Errorf("parameter \"from\": %s is already rerouted to %s", from, other)
	}
	d.routes[from] = to
	return nil
}

func (d *Dialer) unset(from string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.routes, from)
}

func (d *Dialer) hangUp(addr string) {
	d.mu.Lock()
	var all []*dialed
	for c := range d.open {
		if c.addr == addr {
			all = append(all, c)
		}
	}
	d.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// dialed is a connection that its Dialer can close.
type dialed struct {
	net.Conn
	dialer *Dialer
	addr   string // the requested address
}

// Close implements net.Conn. A second Close is not an error, because the Dialer
// may close the connection first.
func (c *dialed) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	if err := c.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Dial is DialContext for NATS, which passes no context.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), natsDialTimeout)
	defer cancel()
	return d.DialContext(ctx, network, addr)
}

// natsDialTimeout is the default timeout of NATS.
const natsDialTimeout = 2 * time.Second
